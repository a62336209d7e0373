"""What commands say: tables and sentences for people, JSON for machines, progress on a terminal."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

Json = Mapping[str, object]
_WORDY = {"trial", "body", "outcome", "path", "fault"}
"""Columns of words, which may be long."""


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: float, text: str = "") -> None:
        """``done`` of the total, and what is in work."""


def say(text: str) -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(text + "\n")


def say_json(value: Json) -> None:
    """One JSON object on standard output, in ASCII for any terminal; numbers that are not finite become null."""
    say(json.dumps(_finite(value), indent=2))


def say_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as it needs to be; numbers to the right, sentences folded, never cut."""
    # Text, not str: brackets in names would be taken for markup.
    table = Table(title=Text(title), title_justify="left")
    for column in columns:
        wordy = column in _WORDY
        table.add_column(
            column, justify="left" if wordy else "right", no_wrap=not wordy, overflow="fold" if wordy else "ellipsis"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    width = None if sys.stdout.isatty() else 160
    Console(file=sys.stdout, width=width, highlight=False).print(table)


@contextmanager
def progress(title: str, total: float) -> Iterator[Advance]:
    """A bar with the time left on a terminal; nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(title, total=total, text="")

        def advance(done: float, text: str = "") -> None:
            bar.update(task, completed=done, text=text)

        yield advance


def _finite(value: object) -> object:
    if isinstance(value, float) and value not in {float("inf"), float("-inf")} and value == value:  # noqa: PLR0124
        return value
    if isinstance(value, float):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
