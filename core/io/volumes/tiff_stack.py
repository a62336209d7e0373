"""Stacks of TIFF: one file of many pages, or a folder of one file a slice; the spacing comes from a person.

The body's frame is Autoscoper's: x along the columns, y against the rows, z against the slices, with the
origin at the outer corner of the last row of the first slice.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from core.errors import VolumeError
from core.imaging.voxels import Voxels, placed
from core.io.volumes.bounds import check_declared, check_numbers


def read_tiff_stack(paths: Sequence[Path], spacing_mm: tuple[float, float, float] | None, flips: str = "") -> Voxels:
    """A stack in the order of the paths or of one file's pages.

    Args:
        paths: one file of several pages, or one file a slice.
        spacing_mm: along columns, rows and slices.
        flips: axes (of "xyz") along which the stored order is reversed first, as Autoscoper's VolumeFlip.

    Raises:
        VolumeError: no spacing, slices of unequal size or type, colours, or too few slices.
    """
    path = paths[0]
    if spacing_mm is None:
        raise VolumeError(f"a stack of TIFF does not say how far apart its voxels are; state the spacing of {path}")
    stored = _pages(path) if len(paths) == 1 else _slices(paths)
    check_numbers(path, stored)
    for axis, letter in enumerate("zyx"):
        if letter in flips:
            stored = np.flip(stored, axis)
    dx, dy, dz = spacing_mm
    affine = np.diag([dx, -dy, -dz, 1.0])
    affine[:3, 3] = 0.5 * dx, (stored.shape[1] - 0.5) * dy, -0.5 * dz
    return placed(stored, affine)


def _pages(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        check_declared(path, series.shape)
        return np.asarray(series.asarray())


def _slices(paths: Sequence[Path]) -> np.ndarray:
    with tifffile.TiffFile(paths[0]) as file:
        first = file.series[0]
        shape, dtype = tuple(first.shape), first.dtype
    check_declared(paths[0].parent, (len(paths), *shape))
    stored = np.empty((len(paths), *shape), dtype=dtype)
    for at, path in enumerate(paths):
        page = tifffile.imread(path)
        if page.shape != shape or page.dtype != dtype:
            raise VolumeError(
                f"slice {path} is {page.shape} {page.dtype}, but {paths[0].name} is {shape} {dtype}; all must be equal"
            )
        stored[at] = page
    return stored
