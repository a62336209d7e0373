"""The X-ray shadow and its pose derivatives inside boxes: the fast path of ``core.rendering.shadow``.

The same formulas, row by row, channels in planes, in single precision. One call is serial and keeps nothing.
"""

import numba as nb
import numpy as np

from core.rendering.picture_rows import secant_row, shade_row, smooth_down, smooth_row, stretch_row
from core.rendering.shadow import FEATURES

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def draw_paths(
    moments: np.ndarray,
    starts: np.ndarray,
    boxes: np.ndarray,
    union: tuple[int, int, int, int],
    attenuation_per_mm: np.ndarray,
    lens: np.ndarray,
    s: int,
    path: np.ndarray,
    shade: np.ndarray,
) -> None:
    """Optical thickness and ``exp(-thickness) - 1`` on the fine grid of the union of all boxes."""
    path[:] = _ZERO
    for b in range(boxes.shape[0]):
        width, height = boxes[b, 2] * s, boxes[b, 3] * s
        if width == 0:
            continue
        left, top = (boxes[b, 0] - union[0]) * s, (boxes[b, 1] - union[1]) * s
        mu = np.float32(attenuation_per_mm[b])
        body = moments[starts[b] : starts[b] + 2 * width * height].reshape((height, width, 2))
        for r in range(height):
            to, row = path[top + r, left : left + width], body[r]
            for c in range(width):
                to[c] += mu * row[c, 0]
    stretch = np.empty(path.shape[1], dtype=np.float32)
    for r in range(path.shape[0]):
        stretch_row(union[1] * s + r, union[0] * s, lens, stretch)
        row = path[r]
        for c in range(row.shape[0]):
            row[c] *= stretch[c]
        shade_row(row, shade[r])


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def draw_picture(shade: np.ndarray, s: int, kernel: np.ndarray, out: np.ndarray) -> None:
    """The shadow: block means of the shade, smoothed."""
    height, width = out.shape
    across = np.empty((height, width), dtype=np.float32)
    line = np.empty(width, dtype=np.float32)
    padded = np.empty(width + kernel.shape[0], dtype=np.float32)
    share = np.float32(1.0 / (s * s))
    for r in range(height):
        if s == 1:
            smooth_row(shade[r], kernel, padded, across[r])
            continue
        line[:] = _ZERO
        for k in range(s):
            fine = shade[r * s + k]
            for j in range(s):
                for c in range(width):
                    line[c] += share * fine[c * s + j]
        smooth_row(line, kernel, padded, across[r])
    for r in range(height):
        smooth_down(across, r, kernel, out[r])


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _split_row(row: np.ndarray, inverse_depth: float, out: np.ndarray) -> None:
    """The two moments of a row, the first over z0, in planes (2, w)."""
    scale = np.float32(inverse_depth)
    for c in range(out.shape[1]):
        out[0, c] = row[c, 0]
        out[1, c] = row[c, 1] * scale


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _flux_row(secant: np.ndarray, one: np.ndarray, two: np.ndarray, out: np.ndarray) -> None:
    """A flux: the secant times the step of each moment to a neighbour (2, w)."""
    for k in range(2):
        flux, before, after = out[k], one[k], two[k]
        for c in range(secant.shape[0]):
            flux[c] = secant[c] * (after[c] - before[c])


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _feature_row(
    across: np.ndarray,
    from_above: np.ndarray,
    to_below: np.ndarray,
    mass: np.ndarray,
    dark: np.ndarray,
    scale: np.ndarray,
    focal: tuple[float, float],
    fine: np.ndarray,
) -> None:
    """Five features of a fine row from the fluxes around its pixels."""
    wide = scale.shape[0]
    half_fx, half_fy = np.float32(0.5 * focal[0]), np.float32(0.5 * focal[1])
    for k in range(2):
        level, upright, before, after = fine[2 * k], fine[2 * k + 1], across[k, :wide], across[k, 1:]
        up, down = from_above[k], to_below[k]
        for c in range(wide):
            level[c] = half_fx * scale[c] * (before[c] + after[c])
            upright[c] = half_fy * scale[c] * (up[c] + down[c])
    thick = fine[4]
    for c in range(wide):
        thick[c] = -scale[c] * (_ONE + dark[c]) * mass[c]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _take_fine_row(
    fine: np.ndarray, r: int, s: int, kernel: np.ndarray, lines: np.ndarray, padded: np.ndarray, features: np.ndarray
) -> None:
    """Add a fine row to the row of pixels it belongs to, and smooth that one along itself when it is whole."""
    for f in range(FEATURES):
        if s == 1:
            smooth_row(fine[f], kernel, padded, features[f, r])
            continue
        line, source = lines[f], fine[f]
        for j in range(s):
            for c in range(line.shape[0]):
                line[c] += source[c * s + j]
        if (r + 1) % s == 0:
            smooth_row(line, kernel, padded, features[f, r // s])
            line[:] = _ZERO


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def draw_features(
    body: np.ndarray,
    path: np.ndarray,
    shade: np.ndarray,
    corner: tuple[int, int],
    attenuation_per_mm: float,
    depth_mm: float,
    lens: np.ndarray,
    s: int,
    kernel: np.ndarray,
    features: np.ndarray,
) -> None:
    """Five features (5, h, w) of one body, smoothed along rows; ``path`` and ``shade`` are cut to its box.

    A feature is the mean of the two fluxes around a pixel. ``corner`` is the box's (left, top) on the fine grid.
    """
    high, wide = path.shape
    width = features.shape[2]
    share = np.float32(attenuation_per_mm / (s * s))
    scale, secant = np.empty(wide, dtype=np.float32), np.empty(wide, dtype=np.float32)
    here, below = np.empty((2, wide), dtype=np.float32), np.empty((2, wide), dtype=np.float32)
    across = np.zeros((2, wide + 1), dtype=np.float32)
    from_above, to_below = np.zeros((2, wide), dtype=np.float32), np.zeros((2, wide), dtype=np.float32)
    fine = np.empty((FEATURES, wide), dtype=np.float32)
    lines = np.zeros((FEATURES, width), dtype=np.float32)
    padded = np.empty(width + kernel.shape[0], dtype=np.float32)
    _split_row(body[0], 1.0 / depth_mm, below)
    for r in range(high):
        here, below = below, here
        from_above, to_below = to_below, from_above
        if r + 1 < high:
            _split_row(body[r + 1], 1.0 / depth_mm, below)
            secant_row(path[r], path[r + 1], shade[r], shade[r + 1], secant)
            _flux_row(secant, here, below, to_below)
        else:
            to_below[:] = _ZERO
        inner = secant[: wide - 1]
        secant_row(path[r, : wide - 1], path[r, 1:], shade[r, : wide - 1], shade[r, 1:], inner)
        _flux_row(inner, here[:, : wide - 1], here[:, 1:], across[:, 1:])
        stretch_row(corner[1] + r, corner[0], lens, scale)
        for c in range(wide):
            scale[c] *= share
        _feature_row(across, from_above, to_below, here[0], shade[r], scale, (lens[0], lens[1]), fine)
        _take_fine_row(fine, r, s, kernel, lines, padded, features)


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def derivative_row(
    features: np.ndarray, row: int, corner: tuple[int, int], lens: np.ndarray, pivot_mm: np.ndarray, out: np.ndarray
) -> None:
    """Derivatives (6, w) of one row from its five smoothed features (5, w); see core.rendering.shadow."""
    y = np.float32((corner[1] + row - lens[3]) / lens[1])
    origin, step = np.float32((corner[0] - lens[2]) / lens[0]), np.float32(1.0 / lens[0])
    px, py, pz = np.float32(pivot_mm[0]), np.float32(pivot_mm[1]), np.float32(pivot_mm[2])
    inverse = _ONE / pz
    gxs, gys, hxs, hys, thicks = features[0], features[1], features[2], features[3], features[4]
    o0, o1, o2, o3, o4, o5 = out[0], out[1], out[2], out[3], out[4], out[5]
    for c in range(gxs.shape[0]):
        x = origin + step * np.float32(c)
        gx, gy, thick = gxs[c], gys[c], thicks[c]
        vx = -(gx - hxs[c]) * inverse
        vy = -(gy - hys[c]) * inverse
        vz = -(x * vx + y * vy)
        o0[c] = vx
        o1[c] = vy
        o2[c] = vz
        o3[c] = x * y * gx + (_ONE + y * y) * gy + y * thick - (py * vz - pz * vy)
        o4[c] = -(_ONE + x * x) * gx - x * y * gy - x * thick - (pz * vx - px * vz)
        o5[c] = y * gx - x * gy - (px * vy - py * vx)
