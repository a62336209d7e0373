"""First page: the study's name and where it is kept."""

import os
from pathlib import Path
from typing import final

from PySide6.QtWidgets import QFormLayout, QLabel, QLineEdit, QWidget, QWizardPage

from app.views.panels.theme import GRID_PX, grade
from app.wizards.parts import PathField, Verdict, Weight
from core.io.study.file import SUFFIX

_FORBIDDEN = '/\\:*?"<>|'


@final
class PlacePage(QWizardPage):
    """Asks for a name and a folder."""

    def __init__(self, start: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle("Name and place")
        self.setSubTitle(
            "A study is a folder that remembers every change. Pictures and models stay where they are and are linked."
        )
        self._name, self._verdict, self._result = QLineEdit(), Verdict(), QLabel()
        self._name.setPlaceholderText("e.g. Subject 07, left knee")
        self._folder = PathField("Folder to keep the study in", folder=True)
        self._folder.set_text(str(start))
        self._result.setWordWrap(True)
        grade(self._result, "muted")
        form = QFormLayout(self)
        form.setSpacing(GRID_PX)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("&Name", self._name)
        form.addRow("&Folder", self._folder)
        form.addRow("", self._result)
        form.addRow("", self._verdict)
        self._name.textChanged.connect(self._check)
        self._folder.changed.connect(self._check)
        self._check()

    @property
    def name(self) -> str:
        """The study's name."""
        return self._name.text().strip()

    @property
    def place(self) -> Path:
        """Where it will be made."""
        return Path(self._folder.text).expanduser() / f"{self.name}{SUFFIX}"

    def set_name(self, name: str) -> None:
        """Another name."""
        self._name.setText(name)

    def set_folder(self, folder: Path) -> None:
        """Another folder."""
        self._folder.set_text(str(folder))

    def isComplete(self) -> bool:
        """There is a name and the study can be made there."""
        return bool(self.name) and not self._problem()

    def _problem(self) -> str:
        folder = Path(self._folder.text).expanduser()
        bad = sorted(set(self.name) & set(_FORBIDDEN))
        if bad:
            return (
                f"The name becomes that of a folder, so it may not contain {' or '.join(f'“{sign}”' for sign in bad)}."
            )
        if not folder.is_dir():
            return f"There is no folder {folder}. Choose one that exists."
        if not os.access(folder, os.W_OK):
            return f"{folder} cannot be written to. Choose a folder of your own."
        if self.name and self.place.exists():
            return f"{self.place.name} is there already. Choose another name, or open that study instead."
        return ""

    def _check(self) -> None:
        problem = self._problem()
        self._verdict.say(problem, Weight.PROBLEM)
        self._result.setText(f"Will be made as {self.place}" if self.name and not problem else "")
        self.completeChanged.emit()
