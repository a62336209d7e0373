"""Errors nobody foresaw: into the log and before the person; the window stays open."""

import logging
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import final

from PySide6.QtCore import QObject, Signal

_LOG = logging.getLogger("duoscope")


@final
class Mishaps(QObject):
    """Catches what reaches the top of a slot or a thread.

    Signals:
        happened(str, str): a sentence, and the details for a report.
    """

    happened = Signal(str, str)

    def install(self) -> None:
        """Take over from Python's default, which only prints."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread

    def uninstall(self) -> None:
        """Give back to Python's default."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _LOG.error("unforeseen: %s", details)
        self.happened.emit(
            f"Something went wrong that was not foreseen ({kind.__name__}: {error}). Your work is kept; "
            "the log says more.",
            details,
        )

    def _on_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._on_exception(args.exc_type, args.exc_value, args.exc_traceback)


def write_log(path: Path) -> None:
    """Log warnings and errors into a file of at most a megabyte; without one where the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1, encoding="utf-8")
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
