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
from jaxtyping import Float, Float32, Int64, UInt8
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
    """The values, i fastest, with the outermost repeated once around them: samples beside a cut-off bone stay in it."""
    strides: np.ndarray
    """Of i, j, k in ``flat``."""
    occupied: tuple[UInt8[np.ndarray, "i b c"], UInt8[np.ndarray, "j b c"], UInt8[np.ndarray, "k b c"]]
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
    values = np.pad(volume.attenuation_per_mm, 1, mode="edge")
    _, nj, ni = values.shape
    flat = np.zeros(values.size + ni * nj + ni + 2, dtype=np.float32)
    flat[: values.size] = values.reshape(-1)
    filled = values != 0
    return _Prepared(
        flat=flat,
        strides=np.array([1, ni, ni * nj], dtype=np.int64),
        occupied=(
            _occupied(np.moveaxis(filled, 2, 0)),
            _occupied(np.moveaxis(filled, 1, 0)),
            _occupied(filled),
        ),
        bounds=_bounds(filled[1:-1, 1:-1, 1:-1]),
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
    found = np.zeros((runs, -(-high // cell), -(-wide // cell)), dtype=np.uint8)
    for run in range(runs):
        part = planes[run * _RUN : (run + 1) * _RUN].any(axis=0)
        if part.any():
            near = ndimage.maximum_filter(part.astype(np.uint8), size=2 * reach + 1, mode="constant")
            found[run] = near[::cell, ::cell]
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
    bounds = shadow_bounds(volume, camera_from_body, lens)
    if bounds is None:
        return True
    left, top = np.maximum(bounds[:2], 0)
    right, bottom = np.minimum(bounds[2:], [moments.shape[1], moments.shape[0]])
    if left >= right or top >= bottom:
        return True
    ready = _prepared(volume)
    origin, turn = index_from_camera(volume, camera_from_body)
    middle = corners.mean(axis=0)
    preferred = int(np.argmax(np.abs(turn @ (middle / middle[2]))))
    shape = np.array(volume.shape_ijk, dtype=np.int64) + 2
    _integrate(
        ready.flat,
        ready.strides,
        shape,
        ready.bounds + 1.0,
        ready.occupied[0],
        ready.occupied[1],
        ready.occupied[2],
        origin + 1.0,
        turn,
        lens,
        depth_mm,
        preferred,
        np.array([top, bottom, left, right], dtype=np.int64),
        moments,
    )
    return True


def shadow_bounds(
    volume: Volume, camera_from_body: Rigid, lens: Float[np.ndarray, "4"]
) -> Int64[np.ndarray, "4"] | None:
    """Left, top, right, bottom (ends not included) of the pixels around the shadow of what is not zero.

    None where the volume is empty or reaches behind the source. The picture's size does not enter.
    """
    if corners_camera_mm(volume, camera_from_body)[:, 2].min() <= NEAREST_DEPTH_MM:
        return None
    ready = _prepared(volume)
    if ready.bounds[0, 0] > ready.bounds[1, 0]:
        return None
    unit = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    index = np.take_along_axis(ready.bounds, unit, axis=0)
    corners = (camera_from_body @ volume.body_from_grid).apply(index * volume.spacing_mm)
    pixels = corners[:, :2] / corners[:, 2:] * lens[:2] + lens[2:]
    low, high = np.ceil(pixels.min(axis=0)), np.floor(pixels.max(axis=0)) + 1
    return np.concatenate([low, high]).astype(np.int64)


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
        value = half * float(near + (t - a) * (far - near))
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
    return 0.5 * float(total), 0.5 * float(moment + 0.4082482904638631 * skew)


@nb.njit(nogil=True, cache=True, fastmath=True)
def _ends(origin: np.ndarray, direction: np.ndarray, bounds: np.ndarray) -> tuple[float, float]:
    """Depths at which a ray enters and leaves what is filled; it misses it where they are in no order."""
    enter, leave = 0.0, 1e30
    for axis in range(3):
        speed = direction[axis]
        if abs(speed) < 1e-12:
            if origin[axis] < bounds[0, axis] or origin[axis] > bounds[1, axis]:
                leave = -1.0
            continue
        one = (bounds[0, axis] - origin[axis]) / speed
        two = (bounds[1, axis] - origin[axis]) / speed
        enter = max(enter, min(one, two))
        leave = min(leave, max(one, two))
    return enter, leave


@nb.njit(nogil=True, cache=True, fastmath=True)
def _summed_axis(direction: np.ndarray, preferred: int) -> int:
    """The whole picture's axis where the ray runs along it well enough, else the ray's own."""
    longest = 0
    for axis in range(1, 3):
        if abs(direction[axis]) > abs(direction[longest]):
            longest = axis
    return preferred if abs(direction[preferred]) >= _AXIS_KEPT * abs(direction[longest]) else longest


@nb.njit(nogil=True, cache=True, fastmath=True)
def _line(
    flat: np.ndarray,
    occupied: np.ndarray,
    shape: tuple[int, int, int],
    strides: tuple[int, int, int],
    low: float,
    high: float,
    b0: float,
    mb: float,
    c0: float,
    mc: float,
) -> tuple[float, float]:
    """Integral over the summed axis from low to high of the field, and of the field times the axis's index.

    The ray lies at ``(b0 + mb t, c0 + mc t)`` of the other two axes at index t.
    """
    na, nb_, nc = shape
    sa, sb, sc = strides
    first, last = math.ceil(low), math.floor(high)
    if first > last:
        return _rest(flat, low, high, b0, mb, c0, mc, na, nb_, nc, sa, sb, sc)
    total, moment = _rest(flat, low, float(first), b0, mb, c0, mc, na, nb_, nc, sa, sb, sc)
    part, part_moment = _rest(flat, float(last), high, b0, mb, c0, mc, na, nb_, nc, sa, sb, sc)
    total += part
    moment += part_moment
    if last > first:
        for end in range(2):  # the outermost planes count with half a triangle, whose middle lies a third inward
            at = first + 1.0 / 3.0 if end == 0 else last - 1.0 / 3.0
            plane = first if end == 0 else last
            b = np.float32(min(max(b0 + mb * at, 0.0), nb_ - 1.0001))
            c = np.float32(min(max(c0 + mc * at, 0.0), nc - 1.0001))
            value = 0.5 * float(_bilinear(flat, plane * sa, b, c, sb, sc))
            total += value
            moment += value * at
    if last - first > 1:
        part, part_moment = _planes(flat, occupied, first + 1, last, b0, mb, c0, mc, sa, sb, sc)
        total += part
        moment += part_moment + part * (first + 1)
    return total, moment


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
            for axis in range(3):
                direction[axis] = turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2]
            enter, leave = _ends(origin, direction, bounds)
            if enter >= leave:
                continue
            a = _summed_axis(direction, preferred)
            b, c = (2 if a < 2 else 1), (0 if a > 0 else 1)
            speed = direction[a]
            one, two = origin[a] + speed * enter, origin[a] + speed * leave
            mb, mc = direction[b] / speed, direction[c] / speed
            total, moment = _line(
                flat,
                along_i if a == 0 else (along_j if a == 1 else along_k),
                (shape[a], shape[b], shape[c]),
                (strides[a], strides[b], strides[c]),
                min(one, two),
                max(one, two),
                origin[b] - mb * origin[a],
                mb,
                origin[c] - mc * origin[a],
                mc,
            )
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
