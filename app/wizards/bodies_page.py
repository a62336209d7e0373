"""Third page: the bodies, as surfaces or from CT; what was repaired or assumed is told."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
    QWizardPage,
)

from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade
from app.wizards.body_cards import BodyCard, Card
from app.wizards.bone_card import VOLUME_KINDS, BoneCard
from app.wizards.checks import BodyReport
from app.wizards.parts import Verdict, Weight
from app.wizards.sources import BodyFile, BoneFile, Sources

SURFACES = "Surfaces (*.stl *.obj *.ply *.vtk *.vtp)"
KINDS = (
    "Surfaces and volumes (*.stl *.obj *.ply *.vtk *.vtp *.nii *.nii.gz *.nrrd *.nhdr *.dcm *.tif *.tiff);;"
    f"{SURFACES};;{VOLUME_KINDS}"
)


@final
class BodiesPage(QWizardPage):
    """Asks for any number of bodies, or exactly one."""

    def __init__(
        self, sources: Sources, taken: Sequence[str] = (), *, only_one: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTitle("Body" if only_one else "Bodies")
        self.setSubTitle("Surfaces (STL, OBJ, PLY, VTK, VTP), or bones from CT (NIfTI, NRRD, DICOM, TIFF).")
        self._sources, self._taken, self._only_one = sources, tuple(taken), only_one
        self.start = Path.home()
        self.cards: list[Card] = []
        self._hint, self.verdict = QLabel(), Verdict()
        self._hint.setWordWrap(True)
        grade(self._hint, "muted")
        self.add = QPushButton("Choose a surface or CT…" if only_one else "Add bodies…")
        self.add_folder = QPushButton("Choose a CT folder…" if only_one else "Add a CT folder…")
        self.add_folder.setToolTip("A folder that holds the slices of a CT: DICOM or TIFF")
        self.add_folder.setAutoDefault(False)
        set_icon(self.add_folder, "plus")
        self.add_folder.clicked.connect(self._choose_folder)
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
        column.addWidget(self.verdict)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX)
        buttons.addWidget(self.add)
        buttons.addWidget(self.add_folder)
        buttons.addStretch(1)
        column.addLayout(buttons)
        self._changed()

    @property
    def files(self) -> tuple[BodyFile | BoneFile, ...]:
        """What was chosen."""
        return tuple(file for card in self.cards if (file := card.file) is not None)

    @property
    def reports(self) -> tuple[BodyReport, ...]:
        """The bodies that are ready."""
        return tuple(card.report for card in self.cards if card.is_ready and card.report is not None)

    def add_file(self, path: Path, said: BoneFile | None = None) -> Card:
        """Another body; of a volume, what is known of it already."""
        index = len(self._taken) + len(self.cards)
        card: Card
        if self._sources.is_volume(path):
            card = bone = BoneCard(self._sources, path, index, said)
            bone.split.connect(lambda files: self._split(bone, files))
            bone.offers_each = not self._only_one
        else:
            card = BodyCard(self._sources, path, index)
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
        self.verdict.say(self._problem(), Weight.PROBLEM)
        self._hint.setVisible(not self.cards)
        self._hint.setText(
            "Choose the surface of the body, or the CT that it is in."
            if self._only_one
            else "Add what is to be found in the pictures, for instance the femoral and the tibial component, or bones "
            "from a CT. Bodies can also be added later."
        )
        for button in (self.add, self.add_folder):
            button.setVisible(not (self._only_one and self.cards))
        self.completeChanged.emit()

    def _choose(self) -> None:
        found, _ = QFileDialog.getOpenFileNames(self, "Surfaces or volumes of bodies", str(self.start), KINDS)
        for path in found[: 1 if self._only_one else None]:
            self.add_file(Path(path))

    def _choose_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder of a CT's slices", str(self.start))
        if found:
            self.add_file(Path(found))

    def _split(self, card: BoneCard, files: list[BoneFile]) -> None:
        self._remove(card)
        for file in files:
            self.add_file(file.path, file)

    def _remove(self, card: Card) -> None:
        self.cards.remove(card)
        card.close_threads()
        self._list.removeWidget(card)
        card.hide()
        card.deleteLater()
        self._changed()
