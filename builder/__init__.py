"""Build time of Sigma Match: rule files, mappings and configuration in; an app, reports and matches out.

May import ``sigmaengine`` (the run time); the reverse fails a test. Python 3.10 and later.
"""
