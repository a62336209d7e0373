"""Fast line integrals through a volume: the two depth moments a pixel that the mesh raster gives, for any density.

Along the ray ``(x, y, 1) z`` of a pixel, with the trilinear field ``rho`` of the volume,

    M0 = int rho dz,    M1 = int rho (z - z0) dz.

The field is summed plane by plane along the axis that the ray runs along. Between two planes it is the mix of both, so
plane k counts with a triangle: ``sum_k int_{-1}^{1} (1 - |s|) B_k(p_k + m s) ds`` with the plane's bilinear field B_k,
the point p_k where the ray meets it, and the sideways step m a plane. The triangle has the variance 1/6: two samples at
``s = +-sqrt(1/6)`` match it to the third order. One of the two is taken a plane, in turn, so that a plane costs four
loads where a trilinear sample costs eight, and no smoothing is lost (sampling at p_k alone, Joseph 1982, sees less
smoothing than the field has). What remains at both ends between the last plane and the volume's edge is integrated by a
Gauss rule, so a bone that the edge cuts off is cut off exactly.

Empty space is passed over in runs of planes by a map of what is occupied, made once a volume.
"""

import math
from dataclasses import dataclass
from typing import final
from weakref import WeakKeyDictionary

import numba as nb
import numpy as np
from jaxtyping import Float, Float32, UInt8
from scipy import ndimage

from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM
from core.geometry.volume import Volume
from core.rendering.siddon import corners_camera_mm, index_from_camera

_RUN = 8
"""Planes a run that is passed over at once; even, so that the two samples keep taking turns."""
_CELL_BITS = 1
"""The map of occupied space has one entry per 2 x 2 columns of a run."""
_AXIS_KEPT = 0.7
"""A ray is summed along the whole picture's axis while it runs along that at least so much as along any other."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Prepared:
    """A volume ready to be summed along any axis."""

    flat: Float32[np.ndarray, " n"]
    """The values, i fastest, with room behind for a read one past the end."""
    strides: np.ndarray
    """Of i, j, k in ``flat``."""
    occupied: tuple[UInt8[np.ndarray, "runs b c"], ...]
    """For summing along i, j, k: whether a run of planes may hold anything around a column."""
    bounds: Float[np.ndarray, "2 3"]
    """Lowest and highest index around everything that is not zero."""


_KNOWN: "WeakKeyDictionary[Volume, _Prepared]" = WeakKeyDictionary()


def prepare(volume: Volume) -> None:
    """Make what is made once a volume; drawing does so itself at the first time."""
    _prepared(volume)


def _prepared(volume: Volume) -> _Prepared:
    known = _KNOWN.get(volume)
    if known is None:
        known = _KNOWN[volume] = _prepare(volume)
    return known


def _prepare(volume: Volume) -> _Prepared:
    values = volume.attenuation_per_mm
    nk, nj, ni = values.shape
    flat = np.zeros(values.size + ni * nj + ni + 2, dtype=np.float32)
    flat[: values.size] = values.reshape(-1)
    filled = values != 0
    return _Prepared(
        flat=flat,
        strides=np.array([1, ni, ni * nj], dtype=np.int64),
        occupied=tuple(_occupied(np.moveaxis(filled, 2 - axis, 0)) for axis in range(3)),
        bounds=_bounds(filled),
    )


def _bounds(filled: np.ndarray) -> Float[np.ndarray, "2 3"]:
    """One voxel around what is filled, within the grid; an empty interval where nothing is."""
    ends = np.empty((2, 3))
    for axis in range(3):
        across = np.flatnonzero(filled.any(axis=tuple(other for other in range(3) if other != 2 - axis)))
        last = filled.shape[2 - axis] - 1
        ends[:, axis] = (max(across[0] - 1, 0), min(across[-1] + 1, last)) if len(across) else (1.0, 0.0)
    return ends


def _occupied(planes: np.ndarray) -> UInt8[np.ndarray, "runs b c"]:
    """Whether a ray that passes a column in the middle of a run may meet anything within it.

    ``planes`` is the filled voxels with the summed axis first, then the axes of larger and smaller stride. A ray moves
    sideways at most about 1 / _AXIS_KEPT a plane, and a sample reads the next column.
    """
    count, high, wide = planes.shape
    runs = -(-count // _RUN)
    reach = math.ceil((0.5 * _RUN + 1) / _AXIS_KEPT) + 2
    cell = 1 << _CELL_BITS
    found = np.zeros((runs, (high >> _CELL_BITS) + 1, (wide >> _CELL_BITS) + 1), dtype=np.uint8)
    for run in range(runs):
        part = planes[run * _RUN : (run + 1) * _RUN].any(axis=0)
        if part.any():
            near = ndimage.maximum_filter(part.astype(np.uint8), size=2 * reach + 1, mode="constant")
            near = near[::cell, ::cell]
            found[run, : near.shape[0], : near.shape[1]] = near
    return found


def accumulate_volume_moments(
    volume: Volume,
    camera_from_body: Rigid,
    lens: Float[np.ndarray, "4"],
    depth_mm: float,
    moments: Float32[np.ndarray, "h w 2"],
) -> bool:
    """Add a volume's moments to ``moments``; False, and nothing added, where it reaches behind the source.

    ``lens`` is (fx, fy, cx, cy) in pixels; ``depth_mm`` is z0.
    """
    corners = corners_camera_mm(volume, camera_from_body)
    if corners[:, 2].min() <= NEAREST_DEPTH_MM:
        return False
    ready = _prepared(volume)
    if ready.bounds[0, 0] > ready.bounds[1, 0]:
        return True
    window = _window(volume, ready, camera_from_body, lens, moments.shape)
    if window is None:
        return True
    origin, turn = index_from_camera(volume, camera_from_body)
    middle = corners.mean(axis=0)
    preferred = int(np.argmax(np.abs(turn @ (middle / middle[2]))))
    shape = np.array(volume.shape_ijk, dtype=np.int64)
    _integrate(
        ready.flat,
        ready.strides,
        shape,
        ready.bounds,
        *ready.occupied,
        origin,
        turn,
        lens,
        depth_mm,
        preferred,
        np.array(window, dtype=np.int64),
        moments,
    )
    return True


def _window(
    volume: Volume, ready: _Prepared, camera_from_body: Rigid, lens: Float[np.ndarray, "4"], shape: tuple[int, ...]
) -> tuple[int, int, int, int] | None:
    """Rows and columns (first, end) around the shadow of what is filled, or None outside the picture."""
    unit = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    index = np.take_along_axis(ready.bounds, unit, axis=0)
    corners = (camera_from_body @ volume.body_from_grid).apply(index * volume.spacing_mm)
    pixels = corners[:, :2] / corners[:, 2:] * lens[:2] + lens[2:]
    low, high = np.ceil(pixels.min(axis=0)), np.floor(pixels.max(axis=0)) + 1
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), shape[1]), min(int(high[1]), shape[0])
    return (top, bottom, left, right) if left < right and top < bottom else None


@nb.njit(nogil=True, cache=True, fastmath=True, inline="always")
def _bilinear(flat: np.ndarray, base: int, b: np.float32, c: np.float32, sb: int, sc: int) -> np.float32:
    ib, ic = np.int64(b), np.int64(c)
    fb, fc = b - np.float32(ib), c - np.float32(ic)
    at = np.uint64(base + ib * sb + ic * sc)
    one, two = flat[at], flat[at + np.uint64(sc)]
    three, four = flat[at + np.uint64(sb)], flat[at + np.uint64(sb + sc)]
    near = one + fc * (two - one)
    far = three + fc * (four - three)
    return near + fb * (far - near)


@nb.njit(nogil=True, cache=True, fastmath=True)
def _rest(
    flat: np.ndarray,
    low: float,
    high: float,
    b0: float,
    mb: float,
    c0: float,
    mc: float,
    na: int,
    nb_: int,
    nc: int,
    sa: int,
    sb: int,
    sc: int,
) -> tuple[float, float]:
    """Integral over t (and of t) between two points of one slab, by a two-point Gauss rule."""
    if high <= low:
        return 0.0, 0.0
    total, first = 0.0, 0.0
    half, middle = 0.5 * (high - low), 0.5 * (high + low)
    a = min(max(int(middle), 0), na - 2)
    for side in range(2):
        t = middle + (2 * side - 1) * 0.5773502691896257 * half
        b = min(max(b0 + mb * t, 0.0), nb_ - 1.0001)
        c = min(max(c0 + mc * t, 0.0), nc - 1.0001)
        near = _bilinear(flat, a * sa, np.float32(b), np.float32(c), sb, sc)
        far = _bilinear(flat, (a + 1) * sa, np.float32(b), np.float32(c), sb, sc)
        value = half * (near + (t - a) * (far - near))
        total += value
        first += value * t
    return total, first


@nb.njit(nogil=True, cache=True, fastmath=True)
def _planes(
    flat: np.ndarray,
    occupied: np.ndarray,
    first: int,
    last: int,
    b0: float,
    mb: float,
    c0: float,
    mc: float,
    sa: int,
    sb: int,
    sc: int,
) -> tuple[float, float]:
    """Sum over the planes first .. last - 1 of the field, and of it times the plane's number less the first's."""
    total, moment, skew = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    step_b, step_c = np.float32(mb), np.float32(mc)
    aside_b, aside_c = np.float32(0.4082482904638631 * mb), np.float32(0.4082482904638631 * mc)
    run = first // _RUN
    plane = first
    while plane < last:
        end = min((run + 1) * _RUN, last)
        half = run * _RUN + 0.5 * (_RUN - 1)
        bins_b = min(max(int(b0 + mb * half) >> _CELL_BITS, 0), occupied.shape[1] - 1)
        bins_c = min(max(int(c0 + mc * half) >> _CELL_BITS, 0), occupied.shape[2] - 1)
        if occupied[run, bins_b, bins_c]:
            base_b, base_c = np.float32(b0 + mb * first), np.float32(c0 + mc * first)
            for at in range(plane, end):
                offset = np.float32(at - first)
                b, c = base_b + step_b * offset, base_c + step_c * offset
                behind = _bilinear(flat, at * sa, b - aside_b, c - aside_c, sb, sc)
                ahead = _bilinear(flat, at * sa, b + aside_b, c + aside_c, sb, sc)
                total += behind + ahead
                moment += (behind + ahead) * offset
                skew += ahead - behind
        plane = end
        run += 1
    return 0.5 * total, 0.5 * (moment + 0.4082482904638631 * skew)


@nb.njit(nogil=True, cache=True, fastmath=True)
def _integrate(
    flat: np.ndarray,
    strides: np.ndarray,
    shape: np.ndarray,
    bounds: np.ndarray,
    along_i: np.ndarray,
    along_j: np.ndarray,
    along_k: np.ndarray,
    origin: np.ndarray,
    turn: np.ndarray,
    lens: np.ndarray,
    depth_mm: float,
    preferred: int,
    window: np.ndarray,
    moments: np.ndarray,
) -> None:
    direction = np.empty(3)
    for row in range(window[0], window[1]):
        y = (row - lens[3]) / lens[1]
        for column in range(window[2], window[3]):
            x = (column - lens[2]) / lens[0]
            enter, leave = 0.0, 1e30
            for axis in range(3):
                speed = turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2]
                direction[axis] = speed
                if abs(speed) < 1e-12:
                    if origin[axis] < bounds[0, axis] or origin[axis] > bounds[1, axis]:
                        leave = -1.0
                    continue
                one = (bounds[0, axis] - origin[axis]) / speed
                two = (bounds[1, axis] - origin[axis]) / speed
                enter = max(enter, min(one, two))
                leave = min(leave, max(one, two))
            if enter >= leave:
                continue
            a = preferred
            most = max(abs(direction[0]), abs(direction[1]), abs(direction[2]))
            if abs(direction[a]) < _AXIS_KEPT * most:
                for axis in range(3):
                    if abs(direction[axis]) == most:
                        a = axis
            b, c = (2 if a < 2 else 1), (0 if a > 0 else 1)
            speed = direction[a]
            one, two = origin[a] + speed * enter, origin[a] + speed * leave
            low, high = min(one, two), max(one, two)
            mb, mc = direction[b] / speed, direction[c] / speed
            b0, c0 = origin[b] - mb * origin[a], origin[c] - mc * origin[a]
            sa, sb, sc = strides[a], strides[b], strides[c]
            first, last = math.ceil(low), math.floor(high)
            total, moment = 0.0, 0.0
            if first > last:
                total, moment = _rest(
                    flat, low, high, b0, mb, c0, mc, shape[a], shape[b], shape[c], sa, sb, sc
                )
            else:
                for end in range(2):
                    part_low = low if end == 0 else float(last)
                    part_high = float(first) if end == 0 else high
                    part, part_moment = _rest(
                        flat, part_low, part_high, b0, mb, c0, mc, shape[a], shape[b], shape[c], sa, sb, sc
                    )
                    total += part
                    moment += part_moment
                if last > first:
                    for end in range(2):
                        plane = first if end == 0 else last
                        inward = 1.0 / 3.0 if end == 0 else -1.0 / 3.0
                        value = 0.5 * _bilinear(
                            flat,
                            plane * sa,
                            np.float32(min(max(b0 + mb * (plane + inward), 0.0), shape[b] - 1.0001)),
                            np.float32(min(max(c0 + mc * (plane + inward), 0.0), shape[c] - 1.0001)),
                            sb,
                            sc,
                        )
                        total += value
                        moment += value * (plane + inward)
                if last - first > 1:
                    occupied = along_i if a == 0 else (along_j if a == 1 else along_k)
                    inner, inner_moment = _planes(
                        flat, occupied, first + 1, last, b0, mb, c0, mc, sa, sb, sc
                    )
                    total += inner
                    moment += inner_moment + inner * (first + 1)
            per_plane = 1.0 / abs(speed)
            zero_mm = -origin[a] / speed - depth_mm
            moments[row, column, 0] += np.float32(total * per_plane)
            moments[row, column, 1] += np.float32((moment / speed + total * zero_mm) * per_plane)


def volume_moments(
    volume: Volume, camera_from_body: Rigid, lens: Float[np.ndarray, "4"], depth_mm: float, size: tuple[int, int]
) -> Float32[np.ndarray, "h w 2"]:
    """The two moments of one volume on a grid of ``size`` = (height, width)."""
    out = np.zeros((*size, 2), dtype=np.float32)
    accumulate_volume_moments(volume, camera_from_body, lens, depth_mm, out)
    return out
