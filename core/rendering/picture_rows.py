"""Row kernels of the fused evaluation: one row of single-precision pixels in, one out, for the vector units.

Each does to a row what the plain functions of this room, ``core.imaging.smoothing`` and
``core.similarity.gradient_correlation`` do to a picture.
"""

import math

import numba as nb
import numpy as np

_FLAT = np.float32(1e-6)
_ONE, _HALF, _ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)
_OPAQUE = 40.0
"""Optical thickness beyond which nothing changes in single precision."""


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def shade_row(path: np.ndarray, shade: np.ndarray) -> None:
    """``exp(-path) - 1`` by series and eight squarings, which keep its relative digits: y -> y (2 + y)."""
    for c in range(path.shape[0]):
        x = -min(path[c], np.float32(_OPAQUE)) * np.float32(1 / 256)
        y = x * (_ONE + x * (_HALF + x * (np.float32(1 / 6) + x * (np.float32(1 / 24) + x * np.float32(1 / 120)))))
        for _ in range(8):
            y *= np.float32(2.0) + y
        shade[c] = y


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def stretch_row(row: int, left: int, lens: np.ndarray, out: np.ndarray) -> None:
    """|(x, y, 1)| of the pixels of a row."""
    y = np.float32((row - lens[3]) / lens[1])
    origin, step = np.float32((left - lens[2]) / lens[0]), np.float32(1.0 / lens[0])
    for c in range(out.shape[0]):
        x = origin + step * np.float32(c)
        out[c] = math.sqrt(_ONE + x * x + y * y)


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def secant_row(path: np.ndarray, path_to: np.ndarray, dark: np.ndarray, dark_to: np.ndarray, out: np.ndarray) -> None:
    """Slope of the shade over the path from each pixel to the neighbour given; its tangent where they are level."""
    for c in range(out.shape[0]):
        step = path_to[c] - path[c]
        flat = abs(step) <= _FLAT
        safe = _ONE if flat else step
        out[c] = -(_ONE + dark[c]) if flat else (dark_to[c] - dark[c]) / safe


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def smooth_row(line: np.ndarray, kernel: np.ndarray, padded: np.ndarray, out: np.ndarray) -> None:
    """One row smoothed with its ends repeated; ``padded`` is room for it."""
    width, reach = line.shape[0], kernel.shape[0] // 2
    for j in range(reach):
        padded[j] = line[0]
        padded[reach + width + j] = line[width - 1]
    for c in range(width):
        padded[reach + c] = line[c]
    first = padded[:width]
    weight = kernel[0]
    for c in range(width):
        out[c] = weight * first[c]
    for j in range(1, kernel.shape[0]):
        shifted = padded[j : j + width]
        weight = kernel[j]
        for c in range(width):
            out[c] += weight * shifted[c]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def smooth_down(plane: np.ndarray, row: int, kernel: np.ndarray, out: np.ndarray) -> None:
    """One row of a plane smoothed along columns, with its ends repeated."""
    reach = kernel.shape[0] // 2
    for j in range(kernel.shape[0]):
        source = plane[min(max(row + j - reach, 0), plane.shape[0] - 1)]
        weight = kernel[j]
        if j == 0:
            for c in range(out.shape[0]):
                out[c] = weight * source[c]
        else:
            for c in range(out.shape[0]):
                out[c] += weight * source[c]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def difference_row(line: np.ndarray, weight: np.ndarray, out: np.ndarray) -> None:
    """Weighted half differences of the neighbours in a row."""
    last = line.shape[0] - 1
    if last == 0:
        out[0] = _ZERO
        return
    before, after, inner, weights = line[: last - 1], line[2:], out[1:last], weight[1:last]
    for c in range(inner.shape[0]):
        inner[c] = _HALF * (after[c] - before[c]) * weights[c]
    out[0] = _HALF * (line[1] - line[0]) * weight[0]
    out[last] = _HALF * (line[last] - line[last - 1]) * weight[last]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def difference_down(above: np.ndarray, below: np.ndarray, weight: np.ndarray, out: np.ndarray) -> None:
    """Weighted half differences of the rows below and above."""
    for c in range(out.shape[0]):
        out[c] = _HALF * (below[c] - above[c]) * weight[c]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def dot(a: np.ndarray, b: np.ndarray) -> np.float32:
    """Sum of products; of a row, so that single precision holds it."""
    total = _ZERO
    for c in range(a.shape[0]):
        total += a[c] * b[c]
    return total
