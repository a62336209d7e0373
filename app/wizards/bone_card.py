"""The card of a volume: meaning of its numbers, spacing, mask, labels, threshold; every answer prepares it again."""

from dataclasses import replace
from pathlib import Path
from typing import final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app.views.panels.theme import GRID_PX
from app.wizards.body_cards import Card
from app.wizards.checks import check_bone
from app.wizards.parts import PathField, Weight
from app.wizards.sources import BoneFile, Meaning, Sources, VolumeFacts

VOLUME_KINDS = "Volumes (*.nii *.nii.gz *.nrrd *.nhdr *.dcm *.tif *.tiff);;All files (*)"
_ALL = "all labels"


@final
class BoneCard(Card):
    """A volume, or a folder of slices.

    Signals:
        split(list): bone files, one a label, that are wanted instead of this one.
    """

    split = Signal(list)

    def __init__(
        self,
        sources: Sources,
        path: Path,
        index: int,
        said: BoneFile | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(sources, path, index, parent)
        self._said = said
        self.offers_each = True
        """Whether several bodies may come of this card."""
        self._facts: VolumeFacts | None = None
        self._mask_facts: VolumeFacts | None = None
        self.facts_label = QLabel()
        self.facts_label.setWordWrap(True)
        self.series, self.meaning, self.label = QComboBox(), QComboBox(), QComboBox()
        self.spacing, self.threshold = QLineEdit(), QLineEdit()
        self.mask_file = PathField("mask of labels, optional", VOLUME_KINDS)
        self.flips = {axis: QCheckBox(axis) for axis in "xyz"}
        self.each = QPushButton("One body for each label")
        self.each.setAutoDefault(False)
        self.form = QFormLayout()
        self._make_form()
        self.column.addWidget(self.facts_label)
        self.column.addLayout(self.form)
        self.column.addWidget(self.verdict)
        self._show_what_applies()
        self._read()

    def _make_form(self) -> None:
        for meaning in Meaning:
            self.meaning.addItem(meaning.value, meaning)
        self.meaning.setToolTip("What the stored numbers are; attenuation in 1/mm is made of them")
        self.spacing.setPlaceholderText("columns, rows, slices, for example 0.4, 0.4, 0.6")
        self.spacing.setToolTip("Distance of neighbouring voxels in mm along columns, rows and slices")
        self.threshold.setPlaceholderText("automatic")
        self.threshold.setToolTip("Value at which the surface of the bone is drawn, in the numbers' own unit")
        self.each.setToolTip("Take every label as a body of its own, named after this one and the label's number")
        self.label.setToolTip("Which structure of the labels this body is")
        axes = QHBoxLayout()
        axes.setSpacing(2 * GRID_PX)
        for axis, box in self.flips.items():
            box.setToolTip(f"The slices, rows or columns are stored in the opposite order along {axis}")
            box.toggled.connect(self._prepare)
            axes.addWidget(box)
        axes.addStretch(1)
        structure = QHBoxLayout()
        structure.setSpacing(GRID_PX)
        structure.addWidget(self.label, 1)
        structure.addWidget(self.each)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.form.setHorizontalSpacing(2 * GRID_PX)
        self.form.setVerticalSpacing(GRID_PX)
        for text, field in (
            ("Series", self.series),
            ("Numbers mean", self.meaning),
            ("Voxel spacing, mm", self.spacing),
            ("Reversed axes", axes),
            ("Mask of labels", self.mask_file),
            ("Label", structure),
            ("Threshold", self.threshold),
        ):
            self.form.addRow(text, field)
        for widget, name in (
            (self.series, "DICOM series"),
            (self.meaning, "what the numbers mean"),
            (self.spacing, "voxel spacing in mm"),
            (self.label, "label of the body"),
            (self.threshold, "threshold of the surface"),
        ):
            widget.setAccessibleName(name)
        self._rows = {"series": 0, "spacing": 2, "flips": 3, "mask": 4, "label": 5, "threshold": 6}
        self.series.activated.connect(self._read)
        self.meaning.activated.connect(self._on_meaning)
        self.label.activated.connect(self._prepare)
        self.spacing.editingFinished.connect(self._prepare)
        self.threshold.editingFinished.connect(self._prepare)
        self.mask_file.changed.connect(self._on_mask)
        self.each.clicked.connect(self._on_each)

    @property
    def file(self) -> BoneFile | None:
        """What was said; None while something must still be said."""
        return None if self._problem() else self._said_now()

    def show_answer(self, answer: object) -> None:
        """What the volume or its mask says of itself, or the bone made ready."""
        if isinstance(answer, tuple):
            which, facts = answer
            self._take_facts(which, facts)
        else:
            super().show_answer(answer)

    def _read(self) -> None:
        sources, path, series = self.sources, self.path, self.series.currentData() or ""
        self.wait("Reading the volume…")
        self.newest.ask(lambda: ("volume", sources.volume(path, series)))

    def _on_mask(self, text: str) -> None:
        self._mask_facts = None
        sources, path = self.sources, Path(text)
        if not text.strip():
            self._show_what_applies()
            self._prepare()
            return
        self.wait("Reading the mask…")
        self.newest.ask(lambda: ("mask", sources.volume(path)))

    def _take_facts(self, which: str, facts: VolumeFacts) -> None:
        if which == "mask":
            self._mask_facts = facts
        else:
            first = self._facts is None
            self._facts = facts
            self.facts_label.setText(_told(facts))
            if first:
                self._begin(facts)
        self._fill_labels()
        self._show_what_applies()
        self._prepare()

    def _begin(self, facts: VolumeFacts) -> None:
        """The usual answers, or those that this card was made with."""
        for uid, told in facts.series:
            self.series.addItem(told, uid)
        said = self._said
        usual = Meaning.BRIGHTNESS if facts.spacing_mm is None else Meaning.HOUNSFIELD
        if facts.low >= 0 and facts.labels:
            usual = Meaning.LABELS
        self.meaning.setCurrentIndex(list(Meaning).index(usual if said is None else said.meaning))
        if said is None:
            return
        self.name.setText(said.name)
        self.spacing.setText("" if said.spacing_mm is None else ", ".join(f"{step:g}" for step in said.spacing_mm))
        for axis, box in self.flips.items():
            box.blockSignals(True)
            box.setChecked(axis in said.flips)
            box.blockSignals(False)
        if said.mask is not None:
            self.mask_file.set_text(str(said.mask))

    def _fill_labels(self) -> None:
        facts = self._label_facts()
        kept = self.label.currentText()
        self.label.clear()
        self.label.addItem(_ALL, ())
        for label in () if facts is None else facts.labels:
            self.label.addItem(str(label), (label,))
        wanted = kept
        if self._said is not None and self._said.labels and self.label.count() > 1:
            wanted, self._said = str(self._said.labels[0]), None
        self.label.setCurrentIndex(max(self.label.findText(wanted), 0))

    def _label_facts(self) -> VolumeFacts | None:
        if self.mask_file.text:
            return self._mask_facts
        return self._facts if self._meaning() is Meaning.LABELS else None

    def _on_meaning(self) -> None:
        self._fill_labels()
        self._show_what_applies()
        self._prepare()

    def _show_what_applies(self) -> None:
        facts = self._facts
        labelled = self._label_facts()
        shown = {
            "series": facts is not None and bool(facts.series),
            "spacing": facts is not None and facts.spacing_mm is None,
            "flips": facts is not None and facts.spacing_mm is None,
            "mask": self._meaning() is not Meaning.LABELS,
            "label": labelled is not None and bool(labelled.labels),
            "threshold": self._meaning() is not Meaning.LABELS and not self.mask_file.text,
        }
        for name, row in self._rows.items():
            self.form.setRowVisible(row, facts is not None and shown[name])
        self.form.setRowVisible(1, facts is not None)
        self.each.setVisible(shown["label"] and self.offers_each)
        self.each.setEnabled(labelled is not None and len(labelled.labels) > 1)

    def _prepare(self) -> None:
        if self._facts is None or (self.mask_file.text and self._mask_facts is None):
            return
        problem = self._problem()
        if problem:
            self.ask(problem)
            return
        sources, file = self.sources, self._said_now()
        if self.report is not None and self.report.file == file:
            return
        self.wait("Finding the bone and its surface… A whole CT takes some seconds.")
        self.newest.ask(lambda: check_bone(sources, file))

    def _problem(self) -> str:
        if self._facts is None:
            return "The volume is not read yet."
        if self._facts.spacing_mm is None and _numbers(self.spacing.text(), 3) is None:
            return "The file does not say how far its voxels are apart. Type three distances in mm."
        if self.threshold.text().strip() and _numbers(self.threshold.text(), 1) is None:
            return "The threshold must be a number, or empty."
        if self._meaning() is Meaning.LABELS and not self._facts.labels:
            return "Its numbers are no labels: there are too many different ones, or none but 0."
        return ""

    def _said_now(self) -> BoneFile:
        spacing = _numbers(self.spacing.text(), 3)
        threshold = _numbers(self.threshold.text(), 1)
        tiff = self._facts is not None and self._facts.spacing_mm is None
        labelled = self._meaning() is Meaning.LABELS or bool(self.mask_file.text)
        return BoneFile(
            name=self.name.text().strip(),
            path=self.path,
            meaning=self._meaning(),
            spacing_mm=(spacing[0], spacing[1], spacing[2]) if tiff and spacing is not None else None,
            flips="".join(axis for axis, box in self.flips.items() if tiff and box.isChecked()),
            series=self.series.currentData() or "",
            mask=Path(self.mask_file.text) if self.mask_file.text and self._meaning() is not Meaning.LABELS else None,
            labels=tuple(self.label.currentData() or ()) if labelled else (),
            threshold=threshold[0] if threshold is not None and not labelled else None,
        )

    def _meaning(self) -> Meaning:
        found: Meaning = self.meaning.currentData()
        return found

    def _on_each(self) -> None:
        facts, whole = self._label_facts(), self._said_now()
        if facts is None or self._problem():
            self.verdict.say(self._problem() or "Choose the labels first.", Weight.PROBLEM)
            return
        self.split.emit([_only(whole, label) for label in facts.labels])


def _only(whole: BoneFile, label: int) -> BoneFile:
    return replace(whole, name=f"{whole.name} {label}", labels=(label,))


def _numbers(text: str, count: int) -> tuple[float, ...] | None:
    """So many positive or negative numbers, separated by commas, semicolons or blanks; None for anything else."""
    parts = text.replace(";", " ").replace(",", " ").split()
    try:
        numbers = tuple(float(part) for part in parts)
    except ValueError:
        return None
    if len(numbers) != count or (count > 1 and min(numbers) <= 0):
        return None
    return numbers


def _told(facts: VolumeFacts) -> str:
    size = " × ".join(str(side) for side in facts.shape)
    spacing = "" if facts.spacing_mm is None else f", {' × '.join(f'{step:.3g}' for step in facts.spacing_mm)} mm apart"
    labels = f"; labels {', '.join(map(str, facts.labels[:12]))}" if facts.labels else ""
    return f"{size} voxels{spacing}, values {facts.low:.6g} to {facts.high:.6g}{labels}."
