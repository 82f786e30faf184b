"""The benchmarks: every figure a ratio of two child processes of one run, in CPU time.

``python -m benchmarks`` measures, ``setup`` makes the environments of the other engines, ``report``
writes ``docs/performance.md`` and its charts from ``benchmarks/results.json``. What is measured in
a child process lies in ``children/`` and runs on Python 3.9 and later.
"""
