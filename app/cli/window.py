"""How commands get the window: handed in from above, since they lie below what composes it."""

from pathlib import Path
from typing import Protocol

from core.errors import DuoscopeError


class OpenWindow(Protocol):
    """Opens the window and runs it until it is closed; returns the exit code."""

    def __call__(self, path: Path | None = None, *, demo: bool = False, screenshot: Path | None = None) -> int:
        """On a study, on the demo, or empty; with ``screenshot`` it is drawn, saved and closed."""


def no_window(path: Path | None = None, *, demo: bool = False, screenshot: Path | None = None) -> int:
    """Where no window was handed in.

    Raises:
        DuoscopeError: always.
    """
    asked = "the demo" if demo else path or "nothing"
    raise DuoscopeError(
        f"this start of the program has no window to open {asked} in (picture: {screenshot}); start it as main.py"
    )
