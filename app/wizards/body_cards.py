"""Cards of the bodies page: what every card has, and the card of a surface, whose units are asked, never assumed."""

import re
from pathlib import Path
from typing import final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views.panels.colours import body_colour, swatch
from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade
from app.wizards.checks import BodyReport, check_body, sentence
from app.wizards.parts import Verdict, Weight
from app.wizards.sources import BodyFile, BoneFile, Measured, Sources
from app.workers.newest import Newest

UNITS = (("mm", 1.0), ("cm", 10.0), ("m", 1000.0))


class Card(QFrame):
    """One body: its name, what is asked of its file, what came of preparing it.

    Signals:
        changed(): another name, answer or state.
        removed(): it is not wanted after all.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, sources: Sources, path: Path, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grade(self, "card")
        self.sources, self.path = sources, path
        self._report: BodyReport | None = None
        self.newest = Newest(self)
        self.newest.answered.connect(self.show_answer)
        self.newest.refused.connect(lambda error: self.fail(f"{sentence(str(error))}."))
        self.name = QLineEdit(_suggested_name(path))
        self.name.setAccessibleName("name of the body")
        self.name.textChanged.connect(self.changed)
        self.verdict = Verdict()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(GRID_PX, GRID_PX, GRID_PX, GRID_PX)
        self.column.setSpacing(GRID_PX)
        self.column.addLayout(self._make_head(index))

    def _make_head(self, index: int) -> QHBoxLayout:
        mark, where, remove = QLabel(), QLabel(self.path.name), QToolButton()
        mark.setPixmap(swatch(body_colour(index), 16).pixmap(16, 16))
        grade(where, "muted")
        where.setToolTip(str(self.path))
        set_icon(remove, "remove")
        remove.setToolTip("Do not take this body")
        remove.setAccessibleName("remove")
        remove.clicked.connect(self.removed)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        row.addWidget(mark)
        row.addWidget(self.name, 1)
        row.addWidget(where, 1)
        row.addWidget(remove)
        return row

    @property
    def file(self) -> BodyFile | BoneFile | None:
        """What was chosen; None while something must still be said."""
        raise NotImplementedError

    @property
    def report(self) -> BodyReport | None:
        """What came of preparing it; None before that."""
        return self._report

    @property
    def is_ready(self) -> bool:
        """It can be taken into the study."""
        return self._report is not None and self._report.body is not None and self.file is not None

    def close_threads(self) -> None:
        """Want nothing more; a whole CT that is being read ends behind the window."""
        self.newest.leave()

    def show_answer(self, answer: object) -> None:
        """What the background found."""
        if isinstance(answer, BodyReport):
            self._show_report(answer)

    def wait(self, text: str) -> None:
        """Something runs; what was prepared before does not count any more."""
        self._report = None
        self.verdict.say(text, Weight.BUSY)
        self.changed.emit()

    def ask(self, text: str) -> None:
        """Something must be said first."""
        self._report = None
        self.verdict.say(text, Weight.NOTE)
        self.changed.emit()

    def fail(self, problem: str) -> None:
        """It cannot be used so."""
        self._report = None
        self.verdict.say(problem, Weight.PROBLEM)
        self.changed.emit()

    def _show_report(self, report: BodyReport) -> None:
        if report.problem or report.body is None:
            self.fail(report.problem)
            return
        self._report = report
        notes = "\n".join(_bullet(note) for note in report.body.notes)
        faces = f"{len(report.body.mesh.faces):,}".replace(",", " ")
        if notes:
            self.verdict.say(f"Ready, {faces} faces. Please note:\n{notes}", Weight.WARNING)
        else:
            self.verdict.say(f"Ready: a closed surface of {faces} faces.", Weight.GOOD)
        self.changed.emit()


@final
class BodyCard(Card):
    """A surface."""

    def __init__(self, sources: Sources, path: Path, index: int, parent: QWidget | None = None) -> None:
        super().__init__(sources, path, index, parent)
        self._question = QLabel("How large is it?")
        self.units = QButtonGroup(self)
        self.column.addLayout(self._make_units())
        self.column.addWidget(self.verdict)
        self.verdict.say("Reading the surface…", Weight.BUSY)
        self.newest.ask(lambda: sources.measure(path))

    def _make_units(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2 * GRID_PX)
        row.addWidget(self._question)
        for index, (unit, _) in enumerate(UNITS):
            button = QRadioButton(unit)
            button.setEnabled(False)
            self.units.addButton(button, index)
            row.addWidget(button)
        row.addStretch(1)
        self.units.idClicked.connect(self._on_units)
        return row

    @property
    def file(self) -> BodyFile | None:
        """What was chosen; None while the units are not confirmed."""
        chosen = self.units.checkedId()
        if chosen < 0:
            return None
        return BodyFile(name=self.name.text().strip(), path=self.path, units=UNITS[chosen][0])

    def show_answer(self, answer: object) -> None:
        """The size, or the body made ready."""
        if isinstance(answer, Measured):
            self._show_question(answer)
        else:
            super().show_answer(answer)

    def _show_question(self, measured: Measured) -> None:
        for index, (unit, factor) in enumerate(UNITS):
            likely = "  (likely)" if measured.likely[:1] == (unit,) else ""
            button = self.units.button(index)
            button.setText(f"in {unit}: {_length(measured.longest * factor)} long{likely}")
            button.setEnabled(True)
        self.ask("The file does not say its units. Choose the length that is true of this body.")

    def _on_units(self, _index: int) -> None:
        file, sources = self.file, self.sources
        if file is not None:
            self.wait("Checking and repairing the surface…")
            self.newest.ask(lambda: check_body(sources, file))


def _suggested_name(path: Path) -> str:
    """The file's name without its endings and number: femur0.stl is the femur."""
    stem = path.name if path.is_dir() else path.name.split(".")[0] or path.stem
    plain = re.sub(r"[\s_-]*\d+$", "", stem)
    return plain if len(plain) > 2 else stem


def _length(millimetres: float) -> str:
    if millimetres >= 10000:
        return f"{millimetres / 1000:.0f} m"
    return f"{millimetres:.0f} mm" if millimetres >= 10 else f"{millimetres:.2g} mm"


def _bullet(note: str) -> str:
    return f"• {sentence(note)}."
