"""The nouns of registration: what is seen, what is looked for, and what came out."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar, final

import numpy as np
from jaxtyping import Bool, Float

from core.errors import RegistrationError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.symmetry import Symmetry
from core.geometry.view import View
from core.geometry.volume import Volume


class Outcome(Enum):
    """How a registration ended; the value is a sentence a person can read."""

    CONVERGED = "converged"
    DOUBTFUL = "the pictures and the model agree less than they should"
    STALLED = "the cost stopped falling before the tolerance was met"
    AMBIGUOUS = "a mirrored or turned pose fits equally well"
    OUT_OF_VIEW = "too little of the body is inside the pictures"
    NO_CONTRAST = "a picture shows nothing to register against"
    CANCELLED = "cancelled before the end"

    @property
    def succeeded(self) -> bool:
        """Whether the pose can be trusted without a second look."""
        return self is Outcome.CONVERGED


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """One picture of one view with the pixels that may be used.

    ``image`` is the detector's intensity (bright = air), any integer or float type, h x w;
    ``usable`` is True inside the field of view and outside exclusions.
    """

    view: View
    image: np.ndarray
    usable: Bool[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        """Refuse a picture of another size than its calibration.

        Raises:
            RegistrationError: sizes differ.
        """
        size = (self.view.height_px, self.view.width_px)
        if self.image.shape != size or self.usable.shape != size:
            raise RegistrationError(
                f"view {self.view.name!r} is calibrated for {size[1]} x {size[0]} px but the picture is "
                f"{self.image.shape[1]} x {self.image.shape[0]} px"
            )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class CutEnd:
    """Where a bone's CT ends but the bone goes on: what lies beyond is in the pictures and not in the body."""

    points_mm: Float[np.ndarray, "n 3"]
    """On the cut, in the body's frame."""
    outward: Float[np.ndarray, "3"]
    """Unit vector out of the CT."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Body:
    """A rigid body ready for registration: a closed surface in mm, and for a bone from CT its attenuation too.

    A body with ``volumes`` is X-rayed from them; its surface then serves outlines and visibility.
    """

    name: str
    levels: tuple[TriangleMesh, ...]
    """Finest first; all closed."""
    pivot_mm: Float[np.ndarray, "3"]
    """Body-frame point that updates turn about: the centre of the bounding box."""
    tolerances_mm: tuple[float, ...] = (0.0,)
    """Largest distance of each level from the finest."""
    symmetry: Symmetry | None = None
    """Set where the shape nearly equals its mirror image: the trap that registration must try."""
    notes: tuple[str, ...] = ()
    """What was repaired or found when it was loaded, for people to read."""
    volumes: tuple[Volume, ...] = ()
    """Finest first; empty for a body that is a surface alone (an implant component)."""
    cut_ends: tuple[CutEnd, ...] = ()
    """Shafts that the CT cuts off."""

    @property
    def mesh(self) -> TriangleMesh:
        """The finest level."""
        return self.levels[0]

    def level_for(self, allowed_mm: float) -> TriangleMesh:
        """The coarsest level that departs from the finest by no more than allowed."""
        fitting = [mesh for mesh, off in zip(self.levels, self.tolerances_mm, strict=True) if off <= allowed_mm]
        return fitting[-1] if fitting else self.levels[0]

    def volume_for(self, voxel_mm: float) -> Volume | None:
        """The coarsest volume with voxels no larger than allowed, else the finest; None for a surface alone."""
        if not self.volumes:
            return None
        fitting = [volume for volume in self.volumes if volume.spacing_mm.max() <= voxel_mm]
        return fitting[-1] if fitting else self.volumes[0]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Bodies to be placed and the shots (one or two views of one instant) that show them."""

    bodies: tuple[Body, ...]
    shots: tuple[Shot, ...]

    def __post_init__(self) -> None:
        """Refuse a problem without bodies or pictures.

        Raises:
            RegistrationError: nothing to place or nothing to see.
        """
        if not self.bodies or not self.shots:
            raise RegistrationError("a registration needs at least one body and one picture")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One report of a running registration."""

    stage: str
    fraction: float
    """Share of the work done, 0..1."""
    poses: tuple[Rigid, ...]
    """world_from_body, in the order of the problem's bodies."""
    cost: float


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Where the bodies are, how sure that is, and how it went."""

    poses: tuple[Rigid, ...]
    covariance: Float[np.ndarray, "n n"]
    """6 rows a body: twist (mm, rad) along world axes about the pivot, in the bodies' order."""
    outcome: Outcome
    cost: float
    """1 - r^2 of the gradients, mean over views; 0 is perfect."""
    view_scores: tuple[float, ...]
    """Gradient correlation r of each view, -1..1."""
    trace: tuple[Step, ...]
    evaluations: int
    seconds: float
    attenuation_per_mm: tuple[float, ...] = ()
    """With which each body was drawn at the end."""
    rivals: tuple[tuple[Rigid, ...], ...] = ()
    """Other poses of all bodies that explain the pictures as well; the outcome is then AMBIGUOUS."""
    risk: tuple[float, ...] = ()
    """For each body, the chance (0..1) that its pose is off by more than 1 mm or 1 deg; empty if not estimated."""

    @property
    def score(self) -> float:
        """Mean of the view scores."""
        return float(np.mean(self.view_scores))

    def covariance_of(self, index: int) -> Float[np.ndarray, "6 6"]:
        """The block of one body."""
        part = slice(6 * index, 6 * index + 6)
        return self.covariance[part, part]


Reported = TypeVar("Reported")
Result = TypeVar("Result")


def finish(work: Generator[Reported, None, Result]) -> Result:
    """Run a generator of reports to its end and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
