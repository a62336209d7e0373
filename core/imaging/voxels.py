"""Voxels as a file gives them, before anything is made of their numbers, and where their grid lies."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from core.errors import VolumeError
from core.geometry.rigid import Rigid, nearest_rotation

_MOST_SHEAR = 2e-3
"""Cosine between two axes of a grid beyond which it is sheared (a tilted gantry), not rounded."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Voxels:
    """Stored numbers [k, j, i] of any type; what they mean is ``slope * stored + intercept``."""

    stored: np.ndarray
    spacing_mm: Float[np.ndarray, "3"]
    """Along i, j, k."""
    body_from_grid: Rigid
    slope: float = 1.0
    intercept: float = 0.0
    notes: tuple[str, ...] = ()
    """What was assumed, for people to read."""

    def same_grid(self, other: "Voxels") -> bool:
        """Whether voxel for voxel both lie in the same place."""
        return (
            self.stored.shape == other.stored.shape
            and bool(np.allclose(self.spacing_mm, other.spacing_mm, rtol=1e-3))
            and self.body_from_grid.close_to(other.body_from_grid, mm=0.1, deg=0.1)
        )


def placed(
    stored: np.ndarray,
    body_from_index: Float[np.ndarray, "4 4"],
    *,
    slope: float = 1.0,
    intercept: float = 0.0,
    notes: tuple[str, ...] = (),
) -> Voxels:
    """Voxels from the affine map that leads from the index (i, j, k) to mm.

    A left-handed grid is turned round along k, so that a rigid motion and a spacing say all.

    Raises:
        VolumeError: the map is no grid of boxes: singular, not finite, or sheared.
    """
    affine = np.array(body_from_index, dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise VolumeError("the position of its grid is not given in finite numbers")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if spacing.min() <= 0:
        raise VolumeError("its voxels have no extent along one axis")
    axes = affine[:3, :3] / spacing
    if np.abs(axes.T @ axes - np.eye(3)).max() > _MOST_SHEAR:
        raise VolumeError(
            "its grid is sheared (a CT with a tilted gantry); resample it to a straight grid in an imaging program"
        )
    origin = affine[:3, 3]
    if np.linalg.det(axes) < 0:
        origin = origin + affine[:3, 2] * (stored.shape[0] - 1)
        axes = axes * np.array([1.0, 1.0, -1.0])
        stored = stored[::-1]
    return Voxels(
        stored=stored,
        spacing_mm=spacing,
        body_from_grid=Rigid(rotation=nearest_rotation(axes), translation_mm=origin),
        slope=slope,
        intercept=intercept,
        notes=notes,
    )
