"""Phantoms as data: bead or hole plates, the disc of the source calibration, bead phantoms in space.

Plates lie in their own frame: x right, y up as the picture shows them when they are seated as meant, z toward the
X-ray source; mm; the origin is the plate's centre.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from core.errors import CalibrationError


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GridPlate:
    """A square lattice of beads in plastic (dark), or of holes in metal (bright).

    Lattice index (column, row): column 0 is the leftmost, row 0 the lowest (y up).
    """

    name: str
    columns: int
    rows: int
    pitch_mm: float
    bead_diameter_mm: float
    corner_cut: int = 0
    """Points left out at each corner: those with fewer than so many steps along rows and columns to it."""
    extra_points: tuple[tuple[int, int], ...] = ()
    """Lattice indices that hold a bead although they are in a cut corner: the orientation beads."""
    missing_points: tuple[tuple[int, int], ...] = ()
    """Lattice indices without a bead."""
    perforated: bool = False
    """Holes, which are bright, instead of beads."""
    position_sd_mm: float = 0.01
    """How exactly the points lie on the lattice (1 SD)."""

    def __post_init__(self) -> None:
        """Refuse a plate that cannot be made.

        Raises:
            CalibrationError: sizes that are not positive, points off the lattice, beads that touch.
        """
        if min(self.columns, self.rows) < 3 or not self.pitch_mm > 0:
            raise CalibrationError(
                f"plate {self.name!r} needs at least 3 x 3 points a positive pitch apart, "
                f"got {self.columns} x {self.rows} every {self.pitch_mm} mm"
            )
        if not 0 < self.bead_diameter_mm < self.pitch_mm:
            raise CalibrationError(
                f"plate {self.name!r}: beads of {self.bead_diameter_mm} mm do not fit a pitch of {self.pitch_mm} mm"
            )
        for column, row in (*self.extra_points, *self.missing_points):
            if not (0 <= column < self.columns and 0 <= row < self.rows):
                raise CalibrationError(f"plate {self.name!r} has no lattice point ({column}, {row})")

    @property
    def present(self) -> Bool[np.ndarray, "columns rows"]:
        """Which lattice points hold a bead."""
        i, j = np.meshgrid(np.arange(self.columns), np.arange(self.rows), indexing="ij")
        steps = np.minimum(i, self.columns - 1 - i) + np.minimum(j, self.rows - 1 - j)
        held = steps >= self.corner_cut
        for point in self.extra_points:
            held[point] = True
        for point in self.missing_points:
            held[point] = False
        return held

    @property
    def indices(self) -> Int[np.ndarray, "n 2"]:
        """Lattice indices (column, row) of all beads."""
        return np.argwhere(self.present)

    def position_mm(self, indices: Int[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Where lattice points lie on the plate."""
        middle = 0.5 * np.array([self.columns - 1, self.rows - 1])
        return (np.asarray(indices, dtype=np.float64) - middle) * self.pitch_mm


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DiscPlate:
    """A round opaque plate held parallel to the detector by a tube, concentric with it."""

    name: str
    radius_mm: float
    height_mm: float
    """From the detector plane (that of the bead plate) to the rim that casts the shadow, toward the source."""
    radius_sd_mm: float = 0.01
    height_sd_mm: float = 0.1
    seat_sd_mm: float = 0.05
    """How exactly the tube sits in the middle, anew at each turn."""
    centre_sd_mm: float = 2.0
    """How far the plate may be off the tube's axis; turns of the tube tell it from the source."""
    tilt_sd_deg: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a plate that casts no shadow.

        Raises:
            CalibrationError: a radius or height that is not positive.
        """
        if not (self.radius_mm > 0 and self.height_mm > 0):
            raise CalibrationError(
                f"plate {self.name!r} needs a positive radius and height, got {self.radius_mm} and {self.height_mm} mm"
            )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BeadPhantom:
    """Beads at certified places in space, seen by both planes."""

    name: str
    positions_mm: tuple[tuple[float, float, float], ...]
    bead_diameter_mm: float
    certified_sd_mm: float = 0.05
    """Of each coordinate (1 SD)."""
    bead_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse beads that cannot tell how the planes stand.

        Raises:
            CalibrationError: fewer than four beads, beads that coincide or lie in one plane, names that do not match.
        """
        points = np.array(self.positions_mm, dtype=np.float64).reshape(-1, 3)
        if len(points) < 4:
            raise CalibrationError(
                f"phantom {self.name!r} has {len(points)} beads; at least four that are not in one plane are needed"
            )
        if self.bead_names and len(self.bead_names) != len(points):
            raise CalibrationError(f"phantom {self.name!r} has {len(points)} beads but {len(self.bead_names)} names")
        flatness = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if flatness[2] < 1.0:
            raise CalibrationError(
                f"the beads of phantom {self.name!r} lie in one plane or on a line; the planes' relation would not be "
                "determined"
            )
        if not self.bead_diameter_mm > 0 or self.certified_sd_mm < 0:
            raise CalibrationError(f"phantom {self.name!r} needs a positive bead diameter and a tolerance")

    @property
    def points_mm(self) -> Float[np.ndarray, "n 3"]:
        """Certified positions as an array."""
        return np.array(self.positions_mm, dtype=np.float64)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every bead."""
        return self.bead_names or tuple(str(number + 1) for number in range(len(self.positions_mm)))


Phantom = GridPlate | DiscPlate | BeadPhantom
