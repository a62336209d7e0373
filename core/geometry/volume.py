"""Attenuation on a grid of voxels: what a CT says of a bone, ready to be X-rayed."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Float, Float32

from core.errors import VolumeError
from core.geometry.rigid import Rigid


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """Linear attenuation (1/mm) at the centres of voxels, and where the grid lies in the body's frame.

    The grid's frame has its origin at the centre of voxel (0, 0, 0) and its axes along i, j, k; the
    centre of voxel (i, j, k) lies at ``(i, j, k) * spacing_mm`` in it. Between centres the attenuation is
    trilinear; beyond the outermost centres it is zero.
    """

    attenuation_per_mm: Float32[np.ndarray, "k j i"]
    """Indexed [k, j, i]: i runs fastest in memory."""
    spacing_mm: Float[np.ndarray, "3"]
    """Distance of neighbouring centres along i, j, k."""
    body_from_grid: Rigid

    def __post_init__(self) -> None:
        """Refuse grids that cannot be X-rayed.

        Raises:
            VolumeError: fewer than two voxels along an axis, no positive spacing, non-finite values.
        """
        values = np.ascontiguousarray(self.attenuation_per_mm, dtype=np.float32)
        spacing = np.array(self.spacing_mm, dtype=np.float64)
        if values.ndim != 3 or min(values.shape) < 2:
            raise VolumeError(f"a volume needs at least 2 voxels along each of three axes, got {values.shape}")
        if spacing.shape != (3,) or not np.isfinite(spacing).all() or spacing.min() <= 0:
            raise VolumeError(f"the spacing of a volume must be three positive lengths in mm, got {spacing}")
        if not np.isfinite(values.sum(dtype=np.float64)):
            raise VolumeError("the volume holds values that are not finite (NaN or infinity)")
        values = values.view()
        values.flags.writeable = False
        spacing.flags.writeable = False
        object.__setattr__(self, "attenuation_per_mm", values)
        object.__setattr__(self, "spacing_mm", spacing)

    def halved(self) -> "Volume":
        """Half the resolution: each voxel is the mean of 2 x 2 x 2, so that the integral over space is kept.

        The new centres lie between the old ones, half an old voxel further in. Beyond an odd end is air.

        Raises:
            VolumeError: fewer than two voxels would be left along an axis.
        """
        values = self.attenuation_per_mm
        odd = [(0, size % 2) for size in values.shape]
        even = np.pad(values, odd) if any(end for _, end in odd) else values
        k, j, i = (size // 2 for size in even.shape)
        # One axis after the other: no temporary is larger than half the volume.
        along_k = even[0::2] + even[1::2]
        along_j = along_k[:, 0::2] + along_k[:, 1::2]
        mean = (along_j[:, :, 0::2] + along_j[:, :, 1::2]) / np.float32(8)
        return Volume(
            attenuation_per_mm=mean.reshape(k, j, i),
            spacing_mm=2 * self.spacing_mm,
            body_from_grid=Rigid(
                rotation=self.body_from_grid.rotation,
                translation_mm=self.body_from_grid.apply(0.5 * self.spacing_mm[None])[0],
            ),
        )

    @property
    def shape_ijk(self) -> tuple[int, int, int]:
        """Number of voxels along i, j, k."""
        k, j, i = self.attenuation_per_mm.shape
        return i, j, k

    @property
    def extent_mm(self) -> Float[np.ndarray, "3"]:
        """Distance between the outermost centres along i, j, k."""
        return (np.array(self.shape_ijk) - 1) * self.spacing_mm

    @cached_property
    def centre_mm(self) -> Float[np.ndarray, "3"]:
        """Middle of the grid in the body's frame."""
        return np.asarray(self.body_from_grid.apply(0.5 * self.extent_mm[None])[0])
