"""What a volume may hold at most; checked on declared sizes before anything is allocated."""

from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from core.errors import VolumeError

MOST_VOXELS = 1 << 30
"""1024 x 1024 x 1024: more than any scanner gives of a knee."""


def check_declared(path: Path, shape: Sequence[int]) -> None:
    """Refuse what declares no sensible size.

    Raises:
        VolumeError: not three axes of at least two voxels, or too many voxels.
    """
    if len(shape) != 3 or min(shape) < 2:
        told = " x ".join(map(str, shape)) or "no size"
        raise VolumeError(f"volume {path} holds {told}, not three axes of at least 2 voxels; pick one 3D volume")
    if prod(map(int, shape)) > MOST_VOXELS:
        raise VolumeError(
            f"volume {path} declares {' x '.join(map(str, shape))} voxels, more than this program opens "
            f"({MOST_VOXELS:,}); crop it in an imaging program, or it is damaged"
        )


def check_numbers(path: Path, stored: np.ndarray) -> None:
    """Refuse colours and complex numbers.

    Raises:
        VolumeError: the voxels are no real numbers.
    """
    if stored.dtype.kind not in "biuf":
        raise VolumeError(f"volume {path} holds no grey values but {stored.dtype}; export it as numbers")
