"""Progress of long work on a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import click

_T = TypeVar("_T")
_EVERY = 1_000


class Bar:
    """A bar for work whose size is known. Use as a context manager."""

    def __init__(self, what: str) -> None:
        self.what, self.shown = what, sys.stderr.isatty()
        self._bar: Any = None
        self._done = 0

    def __enter__(self) -> Bar:
        return self

    def at(self, done: int, total: int) -> None:
        """``done`` of ``total`` are done."""
        if not self.shown:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label=self.what, file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._done)
        self._done = done

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


class Counter:
    """A count for work whose size is not known."""

    def __init__(self, what: str) -> None:
        self.what, self.shown = what, sys.stderr.isatty()
        self._width = 0

    def counted(self, items: Iterable[_T]) -> Iterator[_T]:
        """``items``; how many have been taken shows every so often."""
        for number, item in enumerate(items, 1):
            if self.shown and number % _EVERY == 0:
                text = f"{number} {self.what}"
                click.echo(f"\r{text}", err=True, nl=False)
                self._width = len(text)
            yield item
        self.hide()

    def beside(self, items: Iterable[_T]) -> Iterator[_T]:
        """``items``, each of which may be printed on the terminal on which the count stands."""
        for item in items:
            self.hide()
            yield item

    def hide(self) -> None:
        """Take the count away until the next time that it shows."""
        if self._width:
            click.echo(f"\r{' ' * self._width}\r", err=True, nl=False)
            self._width = 0
