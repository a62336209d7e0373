"""Help that lies over the window: keys, the first minute, the log, what this is."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QMessageBox, QPlainTextEdit, QVBoxLayout, QWidget

from app.commands.actions import Action, Gesture
from app.views.panels.theme import GRID_PX, grade
from app.wizards.first_minute import FirstMinute
from app.wizards.shortcut_overlay import ShortcutOverlay, groups_of
from core.io.software import SOFTWARE

_LOG_CHARACTERS = 200_000


@final
class WindowHelp:
    """Fulfils the deeds of the Help menu for one window."""

    def __init__(
        self,
        window: QWidget,
        actions: Sequence[Action],
        gestures: Sequence[Gesture],
        card: FirstMinute,
        log: Path | None = None,
    ) -> None:
        self._window, self._card, self._log = window, card, log
        self.overlay = ShortcutOverlay(groups_of(actions, gestures), window)

    def show_shortcuts(self) -> None:
        """All keys; again puts them away."""
        self.overlay.toggle()

    def show_first_minute(self) -> None:
        """The first-minute card, even where it was closed."""
        self._card.offer(again=True)

    def show_log(self) -> None:
        """The end of the log."""
        log_dialog(self._window, self._log).exec()

    def show_about(self) -> None:
        """What this is."""
        QMessageBox.about(self._window, "About Duoscope", about_text())


def about_text() -> str:
    """Name, version and purpose."""
    return (
        f"<b>{SOFTWARE}</b><p>Where knee implants and bones are, in mm and degrees, from two X-ray views.</p>"
        "<p>BSD 3-clause licence. For research; not a medical device.</p>"
    )


def log_dialog(parent: QWidget | None, log: Path | None) -> QDialog:
    """The end of the log, to be read and copied."""
    dialog, shown, where = QDialog(parent), QPlainTextEdit(), QLabel()
    dialog.setWindowTitle("Log")
    dialog.resize(QSize(800, 520))
    shown.setReadOnly(True)
    shown.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    shown.setPlainText(_end_of(log))
    where.setText("" if log is None else f"The whole log is in {log}")
    grade(where, "muted")
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.setSpacing(GRID_PX)
    column.addWidget(shown, 1)
    column.addWidget(where)
    column.addWidget(buttons)
    bar = shown.verticalScrollBar()
    bar.setValue(bar.maximum())
    return dialog


def _end_of(log: Path | None) -> str:
    if log is None or not log.is_file():
        return "Nothing has been written to the log yet."
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-_LOG_CHARACTERS:]
    except OSError as error:
        return f"The log cannot be read: {error}"
