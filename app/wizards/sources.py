"""What the wizards read files with: the calls of core.io behind one small interface, so that tests can stand in."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol, final

import numpy as np

from core.geometry.mesh import TriangleMesh
from core.geometry.view import View
from core.registration.values import Body
from core.study.values import BodyRecord, Trial

PairBy = Literal["number", "order"]
Lengths = Literal["mm", "cm"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The pictures of one view: their files and the numbers in their names."""

    paths: tuple[Path, ...]
    frames: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pictures of two views that belong together."""

    frames: tuple[int, ...]
    paths_a: tuple[Path, ...]
    paths_b: tuple[Path, ...]
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneFiles:
    """Where one view comes from: a folder or a pattern of pictures, and a calibration file."""

    images: str = ""
    calibration: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFiles:
    """Where a trial comes from; one or two planes."""

    name: str
    planes: tuple[PlaneFiles, ...]
    pair_by: PairBy = "number"
    lengths: Lengths = "mm"
    """Of the calibration files, which do not say."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFile:
    """Where a body comes from and in which units."""

    name: str
    path: Path
    units: str


class Meaning(Enum):
    """What the numbers of a volume mean; the value is how a person is asked."""

    HOUNSFIELD = "Hounsfield units (CT)"
    BRIGHTNESS = "brightness without a unit"
    ATTENUATION = "attenuation in 1/mm"
    LABELS = "labels of structures"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BoneFile:
    """Where a bone comes from and what a person said of its volume."""

    name: str
    path: Path
    """A file, or a folder of slices."""
    meaning: Meaning
    spacing_mm: tuple[float, float, float] | None = None
    """Along columns, rows and slices, where the file does not say it."""
    flips: str = ""
    series: str = ""
    mask: Path | None = None
    labels: tuple[int, ...] = ()
    """Empty takes all but 0."""
    threshold: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFacts:
    """What a volume says of itself before a person says the rest."""

    shape: tuple[int, int, int]
    """Voxels along columns, rows and slices."""
    spacing_mm: tuple[float, float, float] | None
    """None where the file does not say it."""
    low: float
    high: float
    labels: tuple[int, ...] = ()
    """Its numbers without 0, where they are few and whole."""
    series: tuple[tuple[str, str], ...] = ()
    """Identifier and description of each DICOM series, where there are several."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The size of a surface before its units are known, and which units would make sense."""

    longest: float
    """Longest side in the file's own units."""
    likely: tuple[str, ...]
    """Best first; empty where none makes sense."""


class Sources(Protocol):
    """Everything the wizards ask of files. All may raise DuoscopeError with a sentence for people."""

    def view(self, path: Path, name: str, size: tuple[int, int], lengths: Lengths) -> tuple[View, tuple[str, ...]]:
        """A calibration for pictures of a size (width, height), with notes for people."""

    def check_pictures(self, pictures: Pictures, view: View) -> str:
        """Compare the sizes of all pictures with the calibration; a warning, or nothing."""

    def pictures(self, where: str) -> Pictures:
        """The pictures of a folder or pattern."""

    def pair(self, a: str, b: str, by: PairBy) -> Pairs:
        """Which pictures of two views belong together."""

    def picture(self, path: Path) -> np.ndarray:
        """One picture, h x w."""

    def measure(self, path: Path) -> Measured:
        """The size of a surface in its file's units."""

    def surface(self, path: Path, units: str) -> TriangleMesh:
        """A surface in mm."""

    def prepare(self, name: str, surface: TriangleMesh) -> Body:
        """The surface made ready, with notes of what was repaired."""

    def is_volume(self, path: Path) -> bool:
        """Whether a path is a volume rather than a surface."""

    def volume(self, path: Path, series: str = "") -> VolumeFacts:
        """What a volume says of itself."""

    def bone(self, file: BoneFile) -> Body:
        """The bone made ready, with notes for people."""

    def trial(self, files: TrialFiles) -> Trial:
        """The trial with links and checksums."""

    def body(self, file: BodyFile | BoneFile) -> BodyRecord:
        """The body's record with link and checksum."""

    def write_study(
        self, place: Path, name: str, trial: Trial | None, bodies: tuple[BodyRecord, ...]
    ) -> Generator[str, None, Path]:
        """A new study; says what it is doing. Nothing is left behind where it fails."""
