"""Questions to the person, behind one small interface so that tests can answer them."""

from pathlib import Path
from typing import Protocol, final

from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget


class Dialogs(Protocol):
    """What presenters ask."""

    def existing_study(self, start: Path) -> Path | None:
        """Which study to open."""

    def new_study_place(self, start: Path) -> Path | None:
        """Where a copy of the study should go."""

    def file_to_read(self, title: str, kinds: str, start: Path) -> Path | None:
        """Which file to read."""

    def file_to_write(self, title: str, kinds: str, start: Path) -> Path | None:
        """Where to write a file."""

    def choose(self, title: str, text: str, answers: tuple[str, ...], default: int = 0) -> int | None:
        """One of some answers, or None for none of them."""

    def text(self, title: str, label: str, start: str) -> str | None:
        """A line of text."""


@final
class WindowDialogs:
    """The questions as dialogs over a window."""

    def __init__(self, window: QWidget) -> None:
        self._window = window

    def existing_study(self, start: Path) -> Path | None:
        """Which study to open."""
        return _path(
            QFileDialog.getExistingDirectory(self._window, "Open study: choose a folder called NAME.study", str(start))
        )

    def new_study_place(self, start: Path) -> Path | None:
        """Where a copy of the study should go."""
        found, _ = QFileDialog.getSaveFileName(self._window, "Save study as", str(start), "Studies (*.study)")
        return _path(found)

    def file_to_read(self, title: str, kinds: str, start: Path) -> Path | None:
        """Which file to read."""
        found, _ = QFileDialog.getOpenFileName(self._window, title, str(start), kinds)
        return _path(found)

    def file_to_write(self, title: str, kinds: str, start: Path) -> Path | None:
        """Where to write a file."""
        found, _ = QFileDialog.getSaveFileName(self._window, title, str(start), kinds)
        return _path(found)

    def choose(self, title: str, text: str, answers: tuple[str, ...], default: int = 0) -> int | None:
        """One of some answers, or None for none of them."""
        box = QMessageBox(self._window)
        box.setWindowTitle(title)
        box.setText(text)
        buttons = [box.addButton(answer, QMessageBox.ButtonRole.AcceptRole) for answer in answers]
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(buttons[default])
        box.setEscapeButton(cancel)
        box.exec()
        chosen = box.clickedButton()
        return next((at for at, button in enumerate(buttons) if button is chosen), None)

    def text(self, title: str, label: str, start: str) -> str | None:
        """A line of text."""
        answer, accepted = QInputDialog.getText(self._window, title, label, text=start)
        return answer.strip() if accepted else None


def _path(text: str) -> Path | None:
    return Path(text) if text else None
