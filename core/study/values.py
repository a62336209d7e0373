"""What a study consists of, as frozen values: trials, views, bodies and poses."""

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
    """An implant component or bone, by reference to its surface file."""

    name: str
    mesh: FileLink
    units: str
    """Units of the file: mm, cm or m."""
    notes: tuple[str, ...] = ()
    """What was repaired or assumed when it was added, for people to read."""


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

    def with_poses(self, changes: Mapping[PoseKey, PoseRecord | None]) -> Self:
        """The study with some poses replaced or removed."""
        return replace(self, poses=self.poses.with_changes(changes))


_Named = TypeVar("_Named", Trial, BodyRecord)


def _named(items: Iterable[_Named], name: str, kind: str, study: str) -> _Named:
    items = tuple(items)
    for item in items:
        if item.name == name:
            return item
    known = ", ".join(repr(item.name) for item in items) or "none yet"
    raise StudyError(f"study {study!r} has no {kind} {name!r}; there is: {known}")
