"""What the wizards read files with: the calls of core.io behind one small interface, so that tests can stand in."""

from collections.abc import Generator
from dataclasses import dataclass
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

    def trial(self, files: TrialFiles) -> Trial:
        """The trial with links and checksums."""

    def body(self, file: BodyFile) -> BodyRecord:
        """The body's record with link and checksum."""

    def write_study(
        self, place: Path, name: str, trial: Trial | None, bodies: tuple[BodyRecord, ...]
    ) -> Generator[str, None, Path]:
        """A new study; says what it is doing. Nothing is left behind where it fails."""
