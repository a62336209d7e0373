"""What a study consists of, as frozen values: trials, views, bodies, poses and regions."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self, TypeVar, final

import numpy as np
from jaxtyping import Float

from core.errors import StudyError
from core.geometry.rigid import Rigid
from core.geometry.view import View

Polygon = tuple[tuple[float, float], ...]
"""Corners (u, v) in pixels of one picture."""


class VoxelValues(Enum):
    """What the numbers of a volume mean."""

    HOUNSFIELD = "hounsfield"
    """CT numbers: -1000 is air, 0 is water."""
    ATTENUATION = "attenuation"
    """Linear attenuation in 1/mm."""
    LINEAR = "linear"
    """Any brightness; a line that a person states leads from it to attenuation."""
    LABELS = "labels"
    """Numbers of structures; each is X-rayed as bone of one density."""


class PoseStatus(Enum):
    """Where a stored pose stands; a frame without a stored pose is untouched."""

    MANUAL = "manual"
    IMPORTED = "imported"
    AUTO = "auto"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class PoseKey(NamedTuple):
    """Whose pose, when."""

    trial: str
    body: str
    frame: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FileLink:
    """A file outside the study with the checksum it had when it was linked."""

    path: Path
    sha256: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeLink:
    """The voxels that a bone is made of, by reference, with what a person said of them."""

    file: FileLink
    """A file, or the folder of a DICOM series or of TIFF slices."""
    values: VoxelValues
    series: str = ""
    """SeriesInstanceUID, where the folder holds several series."""
    spacing_mm: tuple[float, float, float] | None = None
    """Along columns, rows and slices; None where the file says it."""
    flips: str = ""
    """Axes (of "xyz") along which the stored order is reversed."""
    mask: FileLink | None = None
    """Another volume on the same grid whose labels say what belongs to the body."""
    labels: tuple[int, ...] = ()
    """Labels that are the body, of the mask or of the volume itself; empty takes all but 0."""
    threshold: float | None = None
    """Value at which the surface is drawn; None leaves the choice to the program."""
    slope_per_mm: float = 0.0
    """Attenuation a unit of brightness, for LINEAR."""
    offset_per_mm: float = 0.0
    """Attenuation of brightness 0, for LINEAR."""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            StudyError: a spacing that is no length, an unknown axis, LINEAR without a slope.
        """
        spacing = self.spacing_mm
        if spacing is not None and not (len(spacing) == 3 and all(0 < step < math.inf for step in spacing)):
            raise StudyError(f"the spacing of voxels must be three positive lengths in mm, got {spacing}")
        if set(self.flips) - set("xyz") or len(set(self.flips)) != len(self.flips):
            raise StudyError(f"a volume can be flipped along x, y and z, each once, not along {self.flips!r}")
        if self.values is VoxelValues.LINEAR and not (0 < self.slope_per_mm < math.inf):
            raise StudyError(f"brightness needs a positive attenuation a unit, got {self.slope_per_mm} 1/mm")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """One plane of a trial: its calibrated view and one picture a frame."""

    view: View
    images: tuple[FileLink, ...]
    calibration: FileLink
    exclusions: tuple[Polygon, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A sequence of frames seen by one or two calibrated views.

    ``frames`` are the numbers in the file names; picture ``i`` of each view shows ``frames[i]``.
    """

    name: str
    frames: tuple[int, ...]
    views: tuple[TrialView, ...]
    world_frame: str = "calibration"

    def __post_init__(self) -> None:
        """Refuse a trial whose views and frames do not belong together.

        Raises:
            StudyError: no or more than two views, repeated frames, another number of pictures.
        """
        if len(self.views) not in {1, 2}:
            raise StudyError(f"trial {self.name!r} needs one or two views, got {len(self.views)}")
        if len(set(self.frames)) != len(self.frames) or not self.frames:
            raise StudyError(f"trial {self.name!r} has no frames or repeats a frame number")
        for plane in self.views:
            if len(plane.images) != len(self.frames):
                raise StudyError(
                    f"trial {self.name!r}: {len(self.frames)} frames but view {plane.view.name!r} "
                    f"has {len(plane.images)} pictures"
                )

    def index_of(self, frame: int) -> int:
        """Position of a frame number.

        Raises:
            StudyError: the trial has no such frame.
        """
        try:
            return self.frames.index(frame)
        except ValueError:
            raise StudyError(
                f"trial {self.name!r} has no frame {frame}; its frames run from {self.frames[0]} to {self.frames[-1]}"
            ) from None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BodyRecord:
    """An implant component or bone, by reference to its surface file, its volume, or both."""

    name: str
    mesh: FileLink | None = None
    """Its surface; None where that is taken from the volume."""
    units: str = "mm"
    """Units of the surface file: mm, cm or m."""
    notes: tuple[str, ...] = ()
    """What was repaired or assumed when it was added, for people to read."""
    volume: VolumeLink | None = None
    """The voxels of a bone from CT; None for a body that is a surface alone."""

    def __post_init__(self) -> None:
        """Refuse a body that is made of nothing.

        Raises:
            StudyError: it has neither a surface nor a volume.
        """
        if self.mesh is None and self.volume is None:
            raise StudyError(f"body {self.name!r} needs a surface or a volume")

    @property
    def links(self) -> tuple[FileLink, ...]:
        """Every file that the body is made of."""
        voxels = () if self.volume is None else (self.volume.file, self.volume.mask)
        return tuple(link for link in (self.mesh, *voxels) if link is not None)


class RegionKey(NamedTuple):
    """Whose shadow, in which picture."""

    trial: str
    plane: int
    """0 is the first view of the trial."""
    frame: int
    body: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A polygon that a person drew around a body's shadow in one picture."""

    trial: str
    plane: int
    """0 is the first view of the trial."""
    frame: int
    body: str
    corners_px: Polygon

    def __post_init__(self) -> None:
        """Refuse what encloses nothing.

        Raises:
            StudyError: fewer than three corners, or one that is no number.
        """
        if len(self.corners_px) < 3:
            raise StudyError(f"a region needs at least three corners, got {len(self.corners_px)}")
        if not all(len(corner) == 2 and all(map(math.isfinite, corner)) for corner in self.corners_px):
            raise StudyError("a corner of a region must be two finite numbers (u, v)")

    @property
    def key(self) -> RegionKey:
        """Whose shadow it is, in which picture: one region each."""
        return RegionKey(self.trial, self.plane, self.frame, self.body)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoseRecord:
    """One stored pose with where it came from."""

    world_from_body: Rigid
    status: PoseStatus
    author: str = ""
    method: str = ""
    """What made it: "drag", "import FILE", "gauss-newton", ... """
    score: float | None = None
    """Mean gradient correlation over the views, 1 is perfect."""
    outcome: str = ""
    covariance: Float[np.ndarray, "6 6"] | None = None
    """Of the twist (mm, rad) along world axes about the body's pivot."""
    details: Mapping[str, str | float | int] = field(default_factory=dict)
    """Parameters, seed, software version, calibration hash."""
    created_at: str = ""
    """ISO 8601, UTC."""

    @property
    def risk(self) -> float | None:
        """Chance (0..1) that the pose is off by more than 1 mm or 1 deg; None where it was not estimated."""
        value = self.details.get("risk")
        return float(value) if isinstance(value, (int, float)) else None


@final
@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """All stored poses of a study; replaced, never changed."""

    by_key: Mapping[PoseKey, PoseRecord] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, key: PoseKey) -> PoseRecord | None:
        """The record, or None where nothing is stored."""
        return self.by_key.get(key)

    def __len__(self) -> int:
        """Number of stored poses."""
        return len(self.by_key)

    def __iter__(self) -> Iterator[PoseKey]:
        """The keys."""
        return iter(self.by_key)

    def with_changes(self, changes: Mapping[PoseKey, PoseRecord | None]) -> Self:
        """These poses with some replaced (a record) or removed (None)."""
        after = dict(self.by_key)
        for key, record in changes.items():
            if record is None:
                after.pop(key, None)
            else:
                after[key] = record
        return type(self)(MappingProxyType(after))

    def of(self, trial: str, body: str) -> dict[int, PoseRecord]:
        """Frame number to record for one body of one trial, in order of frame."""
        found = {k.frame: r for k, r in self.by_key.items() if k.trial == trial and k.body == body}
        return dict(sorted(found.items()))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """Everything a study file holds except its journal."""

    name: str
    trials: tuple[Trial, ...] = ()
    bodies: tuple[BodyRecord, ...] = ()
    poses: Poses = field(default_factory=Poses)
    regions: tuple[Region, ...] = ()
    """Drawn around shadows, at most one a picture and body; ordered by trial, plane, frame and body."""

    def trial(self, name: str) -> Trial:
        """The trial of that name.

        Raises:
            StudyError: there is none; the message lists those there are.
        """
        return _named(self.trials, name, "trial", self.name)

    def body(self, name: str) -> BodyRecord:
        """The body of that name.

        Raises:
            StudyError: there is none; the message lists those there are.
        """
        return _named(self.bodies, name, "body", self.name)

    def region(self, trial: str, plane: int, frame: int, body: str) -> Region | None:
        """What a person drew around a body's shadow in one picture; None where nothing is drawn."""
        key = RegionKey(trial, plane, frame, body)
        return next((region for region in self.regions if region.key == key), None)

    def with_poses(self, changes: Mapping[PoseKey, PoseRecord | None]) -> Self:
        """The study with some poses replaced or removed."""
        return replace(self, poses=self.poses.with_changes(changes))

    def with_regions(self, changes: Mapping[RegionKey, Region | None]) -> Self:
        """The study with some regions replaced or removed."""
        after: dict[RegionKey, Region | None] = {region.key: region for region in self.regions}
        after.update(changes)
        left = [region for region in after.values() if region is not None]
        return replace(self, regions=tuple(sorted(left, key=lambda region: region.key)))


_Named = TypeVar("_Named", Trial, BodyRecord)


def _named(items: Iterable[_Named], name: str, kind: str, study: str) -> _Named:
    items = tuple(items)
    for item in items:
        if item.name == name:
            return item
    known = ", ".join(repr(item.name) for item in items) or "none yet"
    raise StudyError(f"study {study!r} has no {kind} {name!r}; there is: {known}")
