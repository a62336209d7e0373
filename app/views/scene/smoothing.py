"""Smooth edges without a costly filter: the mean of pictures that are shifted by parts of a pixel.

In software OpenGL a filter such as FXAA costs more than drawing the whole scene again; the mean of
four pictures looks better, and can be made one picture at a time while nothing moves.
"""

from typing import final

import numpy as np
from jaxtyping import UInt8

JITTERS_PX = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))
"""Rotated grid: every row and every column of quarter pixels is met once."""


@final
class Mean:
    """The running mean of pictures of one size."""

    def __init__(self) -> None:
        self._sum: np.ndarray | None = None
        self._count = 0

    @property
    def count(self) -> int:
        """How many pictures are in."""
        return self._count

    def clear(self) -> None:
        """Begin again."""
        self._sum, self._count = None, 0

    def add(self, picture: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
        """Take another picture in; returns the mean so far, rounded."""
        if self._sum is None or self._sum.shape != picture.shape:
            self._sum, self._count = picture.astype(np.uint16), 1
            return picture
        self._sum += picture
        self._count += 1
        half = np.uint16(self._count // 2)
        return np.asarray((self._sum + half) // np.uint16(self._count)).astype(np.uint8)
