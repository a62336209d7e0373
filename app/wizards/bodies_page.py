"""Third page: the bodies; their units are asked, never assumed, and what was repaired is told."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWizardPage,
)

from app.views.panels.colours import body_colour, swatch
from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade
from app.wizards.checks import BodyReport, check_body, sentence
from app.wizards.parts import Verdict, Weight
from app.wizards.sources import BodyFile, Measured, Sources
from app.workers.newest import Newest

SURFACES = "Surfaces (*.stl *.obj *.ply *.vtk *.vtp);;All files (*)"
UNITS = (("mm", 1.0), ("cm", 10.0), ("m", 1000.0))


@final
class BodyCard(QFrame):
    """One body: its name, the question of its units, what came of preparing it.

    Signals:
        changed(): another name, units or state.
        removed(): it is not wanted after all.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, sources: Sources, path: Path, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grade(self, "card")
        self._sources, self.path = sources, path
        self._measured: Measured | None = None
        self._report: BodyReport | None = None
        self._newest = Newest(self)
        self._newest.answered.connect(self._on_answer)
        self._newest.refused.connect(lambda error: self._fail(f"{sentence(str(error))}."))
        self.name = QLineEdit(_suggested_name(path))
        self.name.setAccessibleName("name of the body")
        self.name.textChanged.connect(self.changed)
        self._question, self.verdict = QLabel("How large is it?"), Verdict()
        self.units = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX, GRID_PX, GRID_PX, GRID_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(self._make_head(index))
        column.addLayout(self._make_units())
        column.addWidget(self.verdict)
        self.verdict.say("Reading the surface…", Weight.BUSY)
        self._newest.ask(lambda: sources.measure(path))

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

    @property
    def report(self) -> BodyReport | None:
        """What came of preparing it; None before that."""
        return self._report

    @property
    def is_ready(self) -> bool:
        """It can be taken into the study."""
        return self._report is not None and self._report.body is not None and self.file is not None

    def close_threads(self) -> None:
        """End what runs."""
        self._newest.close()

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, Measured):
            self._show_question(answer)
        elif isinstance(answer, BodyReport):
            self._show_report(answer)

    def _show_question(self, measured: Measured) -> None:
        self._measured = measured
        for index, (unit, factor) in enumerate(UNITS):
            likely = "  (likely)" if measured.likely[:1] == (unit,) else ""
            button = self.units.button(index)
            button.setText(f"in {unit}: {_length(measured.longest * factor)} long{likely}")
            button.setEnabled(True)
        self.verdict.say("The file does not say its units. Choose the length that is true of this body.", Weight.NOTE)
        self.changed.emit()

    def _on_units(self, _index: int) -> None:
        file, sources = self.file, self._sources
        if file is not None:
            self._report = None
            self.verdict.say("Checking and repairing the surface…", Weight.BUSY)
            self._newest.ask(lambda: check_body(sources, file))
            self.changed.emit()

    def _show_report(self, report: BodyReport) -> None:
        if report.problem or report.body is None:
            self._fail(report.problem)
            return
        self._report = report
        notes = "\n".join(_bullet(note) for note in report.body.notes)
        faces = f"{len(report.body.mesh.faces):,}".replace(",", " ")
        if notes:
            self.verdict.say(f"Ready, {faces} faces. Please note:\n{notes}", Weight.WARNING)
        else:
            self.verdict.say(f"Ready: a closed surface of {faces} faces.", Weight.GOOD)
        self.changed.emit()

    def _fail(self, problem: str) -> None:
        self._report = None
        self.verdict.say(problem, Weight.PROBLEM)
        self.changed.emit()


@final
class BodiesPage(QWizardPage):
    """Asks for any number of bodies, or exactly one."""

    def __init__(
        self, sources: Sources, taken: Sequence[str] = (), *, only_one: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTitle("Body" if only_one else "Bodies")
        self.setSubTitle("Implant components or bones as surfaces: STL, OBJ, PLY, VTK or VTP.")
        self._sources, self._taken, self._only_one = sources, tuple(taken), only_one
        self.start = Path.home()
        self.cards: list[BodyCard] = []
        self._hint, self._verdict = QLabel(), Verdict()
        self._hint.setWordWrap(True)
        grade(self._hint, "muted")
        self.add = QPushButton("Choose a surface…" if only_one else "Add bodies…")
        set_icon(self.add, "plus")
        self.add.setAutoDefault(False)
        self.add.clicked.connect(self._choose)
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(GRID_PX)
        self._list.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        column = QVBoxLayout(self)
        column.setSpacing(GRID_PX)
        column.addWidget(self._hint)
        column.addWidget(scroll, 1)
        column.addWidget(self._verdict)
        column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self._changed()

    @property
    def files(self) -> tuple[BodyFile, ...]:
        """What was chosen."""
        return tuple(file for card in self.cards if (file := card.file) is not None)

    @property
    def reports(self) -> tuple[BodyReport, ...]:
        """The bodies that are ready."""
        return tuple(card.report for card in self.cards if card.is_ready and card.report is not None)

    def add_file(self, path: Path) -> BodyCard:
        """Another body."""
        card = BodyCard(self._sources, path, len(self._taken) + len(self.cards))
        card.changed.connect(self._changed)
        card.removed.connect(lambda: self._remove(card))
        self.cards.append(card)
        self._list.insertWidget(self._list.count() - 1, card)
        self.start = path.parent
        self._changed()
        return card

    def isComplete(self) -> bool:
        """All bodies are ready and have names of their own."""
        enough = bool(self.cards) or not self._only_one
        return enough and not self._problem() and all(card.is_ready for card in self.cards)

    def close_threads(self) -> None:
        """End what runs."""
        for card in self.cards:
            card.close_threads()

    def _problem(self) -> str:
        names = [card.name.text().strip() for card in self.cards]
        if "" in names:
            return "Every body needs a name."
        doubled = sorted({name for name in names if names.count(name) > 1 or name in self._taken})
        return f"There is more than one body called {doubled[0]}: give each its own name." if doubled else ""

    def _changed(self) -> None:
        self._verdict.say(self._problem(), Weight.PROBLEM)
        self._hint.setVisible(not self.cards)
        self._hint.setText(
            "Choose the surface file of the body."
            if self._only_one
            else "Add the surfaces that are to be found in the pictures, for instance the femoral and the tibial "
            "component. Bodies can also be added later."
        )
        self.add.setVisible(not (self._only_one and self.cards))
        self.completeChanged.emit()

    def _choose(self) -> None:
        found, _ = QFileDialog.getOpenFileNames(self, "Surfaces of bodies", str(self.start), SURFACES)
        for path in found[: 1 if self._only_one else None]:
            self.add_file(Path(path))

    def _remove(self, card: BodyCard) -> None:
        self.cards.remove(card)
        card.close_threads()
        self._list.removeWidget(card)
        card.hide()
        card.deleteLater()
        self._changed()


def _suggested_name(path: Path) -> str:
    """The file's name without its number: femur0.stl is the femur."""
    plain = re.sub(r"[\s_-]*\d+$", "", path.stem)
    return plain if len(plain) > 2 else path.stem


def _length(millimetres: float) -> str:
    if millimetres >= 10000:
        return f"{millimetres / 1000:.0f} m"
    return f"{millimetres:.0f} mm" if millimetres >= 10 else f"{millimetres:.2g} mm"


def _bullet(note: str) -> str:
    return f"• {sentence(note)}."
