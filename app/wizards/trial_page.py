"""Second page: a trial with one or two views, checked while one types."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
    QWizardPage,
)

from app.views.panels.colours import plane_colour
from app.views.panels.theme import GRID_PX, grade, theme_of
from app.wizards.checks import PLANES, PlaneReport, TrialReport, check_trial
from app.wizards.parts import PathField, Verdict, Weight
from app.wizards.sources import Lengths, PairBy, PlaneFiles, Sources, TrialFiles
from app.workers.newest import Newest

_PAUSE_MS = 250
_CALIBRATIONS = "Calibrations (*.txt *.csv);;All files (*)"


@final
class PlaneBox(QFrame):
    """Pictures and calibration of one view."""

    def __init__(self, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grade(self, "card")
        self._index = index
        self._title, self.verdict = QLabel(), Verdict()
        self.images = PathField(f"Pictures of view {PLANES[index]}", folder=True)
        self.calibration = PathField(f"Calibration of view {PLANES[index]}", _CALIBRATIONS)
        self.images.edit.setPlaceholderText("a folder, or a pattern such as run1/cam1/*.tif")
        self.calibration.edit.setPlaceholderText("a MayaCam file (1.0 or 2.0), or a JointTrack one")
        form = QFormLayout(self)
        form.setContentsMargins(GRID_PX, GRID_PX, GRID_PX, GRID_PX)
        form.setSpacing(GRID_PX)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self._title)
        form.addRow("Pictures", self.images)
        form.addRow("Calibration", self.calibration)
        form.addRow(self.verdict)
        self._colour()

    @property
    def files(self) -> PlaneFiles:
        """What was chosen."""
        return PlaneFiles(images=self.images.text, calibration=self.calibration.text)

    def show_report(self, report: PlaneReport) -> None:
        """What was found out."""
        if report.problem:
            self.verdict.say(report.told, Weight.PROBLEM)
        else:
            good = Weight.WARNING if report.warning else Weight.GOOD
            self.verdict.say(report.told, good if report.usable else Weight.NOTE)

    def changeEvent(self, event: QEvent) -> None:
        """The plane's colour in another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_index"):
            self._colour()

    def _colour(self) -> None:
        colour = plane_colour(self._index, theme_of(self))
        self._title.setText(f'<b style="color:{colour}">View {PLANES[self._index]}</b>')


@final
class TrialPage(QWizardPage):
    """Asks for a trial; nothing on it waits for the disk."""

    def __init__(self, sources: Sources, taken: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle("Trial")
        self.setSubTitle("One sequence of pictures, seen by one or two calibrated views.")
        self._sources, self._taken = sources, tuple(taken)
        self._report: TrialReport | None = None
        self._newest = Newest(self)
        self._newest.answered.connect(self._on_report)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.boxes = (PlaneBox(0), PlaneBox(1))
        self.order = QCheckBox("Pair by order instead: first with first, second with second; frames keep A's numbers")
        self._verdict = Verdict()
        column = QVBoxLayout(self)
        column.setSpacing(GRID_PX)
        column.addLayout(self._make_head())
        for box in self.boxes:
            column.addWidget(box)
            box.images.changed.connect(self._changed)
            box.calibration.changed.connect(self._changed)
        column.addWidget(self.order)
        column.addWidget(self._verdict)
        column.addStretch(1)
        self.order.hide()
        self.order.toggled.connect(self._changed)
        self._show_count()

    def _make_head(self) -> QHBoxLayout:
        self._name = QLineEdit("trial 1" if "trial 1" not in self._taken else f"trial {len(self._taken) + 1}")
        self._name.textChanged.connect(self._changed)
        self._count = QButtonGroup(self)
        label = QLabel("&Name")
        label.setBuddy(self._name)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        row.addWidget(label)
        row.addWidget(self._name, 1)
        row.addSpacing(2 * GRID_PX)
        for count, text in ((2, "Two views"), (1, "One view")):
            button = QRadioButton(text)
            self._count.addButton(button, count)
            row.addWidget(button)
        self._count.button(2).setChecked(True)
        self._count.idClicked.connect(self._on_count)
        self.lengths = QComboBox()
        self.lengths.addItems(["mm", "cm"])
        self.lengths.setToolTip("Lengths in the calibration files, which do not say: mm, or cm in older ones")
        self.lengths.currentTextChanged.connect(self._changed)
        asked = QLabel("Calibrations in")
        asked.setBuddy(self.lengths)
        row.addSpacing(2 * GRID_PX)
        row.addWidget(asked)
        row.addWidget(self.lengths)
        return row

    @property
    def report(self) -> TrialReport | None:
        """What was found out about what stands on the page; None while that is being looked at."""
        return self._report

    @property
    def files(self) -> TrialFiles:
        """What was chosen."""
        boxes = self.boxes[: self._count.checkedId()]
        by: PairBy = "order" if self.order.isChecked() and len(boxes) > 1 else "number"
        lengths: Lengths = "cm" if self.lengths.currentText() == "cm" else "mm"
        planes = tuple(box.files for box in boxes)
        return TrialFiles(name=self._name.text().strip(), planes=planes, pair_by=by, lengths=lengths)

    def set_name(self, name: str) -> None:
        """Another name."""
        self._name.setText(name)

    def set_view_count(self, count: int) -> None:
        """One or two views."""
        self._count.button(count).setChecked(True)
        self._on_count(count)

    def isComplete(self) -> bool:
        """The trial can be made."""
        return self._report is not None and self._report.usable

    def initializePage(self) -> None:
        """Say what is missing right away."""
        if self._report is None:
            self._ask()

    def close_threads(self) -> None:
        """End what runs."""
        self._pause.stop()
        self._newest.close()

    def _on_count(self, _count: int) -> None:
        self._show_count()
        self._changed()

    def _show_count(self) -> None:
        self.boxes[1].setVisible(self._count.checkedId() == 2)

    def _changed(self) -> None:
        self._suggest_calibration()
        self._report = None
        self._verdict.say("Looking at the files…", Weight.BUSY)
        self._pause.start()
        self.completeChanged.emit()

    def _suggest_calibration(self) -> None:
        """File dialogs begin where the last choice was made."""
        for box in self.boxes:
            if box.images.text and Path(box.images.text).parent.is_dir():
                for field in (box.calibration, *(other.images for other in self.boxes)):
                    field.start = Path(box.images.text).parent

    def _ask(self) -> None:
        sources, files, taken = self._sources, self.files, self._taken
        self._newest.ask(lambda: check_trial(sources, files, taken))

    def _on_report(self, report: TrialReport) -> None:
        if report.files != self.files:
            return
        self._report = report
        for box, plane in zip(self.boxes, report.planes, strict=False):
            box.show_report(plane)
        self.order.setVisible(report.offer_order)
        if report.problem:
            self._verdict.say(report.problem, Weight.PROBLEM)
        elif report.warning:
            self._verdict.say(f"{report.told} {report.warning}", Weight.WARNING)
        else:
            self._verdict.say(report.told, Weight.GOOD)
        self.completeChanged.emit()
