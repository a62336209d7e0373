"""Whether there is anything to register: bodies inside the picture, pictures with contrast."""

import numba as nb
import numpy as np

from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.registration.values import Body, Shot

_LEAST_CONTRAST = 0.02
"""Range of the usable intensities over white below which a picture shows nothing."""
_ENDS_PERCENT = (0.05, 99.95)


def seen_share(body: Body, pose: Rigid, shot: Shot) -> float:
    """Share of a body's vertices whose shadow falls on usable pixels, 0..1."""
    vertices_mm = body.levels[-1].vertices_mm
    count = _seen(vertices_mm, *_placed(shot.view, pose), np.ascontiguousarray(shot.usable), NEAREST_DEPTH_MM)
    return float(count / len(vertices_mm))


def pixel_bounds(body: Body, pose: Rigid, view: View) -> np.ndarray | None:
    """Least and largest (u, v) of a body's vertices in front of the source, (2, 2); None without any."""
    bounds = _bounds(body.levels[-1].vertices_mm, *_placed(view, pose), NEAREST_DEPTH_MM)
    return bounds if np.isfinite(bounds).all() else None


def _placed(view: View, pose: Rigid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotation and translation to the camera, and (fx, fy, cx, cy)."""
    camera = view.camera_from_world
    rotation = camera.rotation @ pose.rotation
    translation_mm = camera.rotation @ pose.translation_mm + camera.translation_mm
    return rotation, translation_mm, np.array([*view.focal_px, *view.principal_px], dtype=np.float64)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _pixel(
    point_mm: np.ndarray, rotation: np.ndarray, translation_mm: np.ndarray, lens: np.ndarray, nearest_mm: float
) -> tuple[bool, float, float]:
    x = rotation[0, 0] * point_mm[0] + rotation[0, 1] * point_mm[1] + rotation[0, 2] * point_mm[2] + translation_mm[0]
    y = rotation[1, 0] * point_mm[0] + rotation[1, 1] * point_mm[1] + rotation[1, 2] * point_mm[2] + translation_mm[1]
    z = rotation[2, 0] * point_mm[0] + rotation[2, 1] * point_mm[1] + rotation[2, 2] * point_mm[2] + translation_mm[2]
    if z <= nearest_mm:
        return False, 0.0, 0.0
    return True, lens[0] * x / z + lens[2], lens[1] * y / z + lens[3]


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _seen(
    vertices_mm: np.ndarray,
    rotation: np.ndarray,
    translation_mm: np.ndarray,
    lens: np.ndarray,
    usable: np.ndarray,
    nearest_mm: float,
) -> int:
    count = 0
    for i in range(vertices_mm.shape[0]):
        ahead, u, v = _pixel(vertices_mm[i], rotation, translation_mm, lens, nearest_mm)
        if ahead and u > -0.5 and v > -0.5 and u < usable.shape[1] - 0.5 and v < usable.shape[0] - 0.5:
            count += usable[int(np.floor(v + 0.5)), int(np.floor(u + 0.5))]
    return count


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _bounds(
    vertices_mm: np.ndarray, rotation: np.ndarray, translation_mm: np.ndarray, lens: np.ndarray, nearest_mm: float
) -> np.ndarray:
    bounds = np.empty((2, 2))
    bounds[0] = np.inf
    bounds[1] = -np.inf
    for i in range(vertices_mm.shape[0]):
        ahead, u, v = _pixel(vertices_mm[i], rotation, translation_mm, lens, nearest_mm)
        if ahead:
            bounds[0, 0], bounds[0, 1] = min(bounds[0, 0], u), min(bounds[0, 1], v)
            bounds[1, 0], bounds[1, 1] = max(bounds[1, 0], u), max(bounds[1, 1], v)
    return bounds


def shows_nothing(shot: Shot) -> bool:
    """Whether the usable part of a picture is black, constant or missing."""
    if not shot.usable.any():
        return True
    if shot.image.dtype in (np.uint8, np.uint16):
        low, high = _ends_of_whole_numbers(shot)
    else:
        inside = np.asarray(shot.image[shot.usable], dtype=np.float64)
        if not np.isfinite(inside).all():
            return True
        low, high = np.percentile(inside, _ENDS_PERCENT)
    return bool(high <= 0 or (high - low) < _LEAST_CONTRAST * high)


def _ends_of_whole_numbers(shot: Shot) -> tuple[float, float]:
    """The percentiles by counting."""
    counts = np.zeros(np.iinfo(shot.image.dtype).max + 1, dtype=np.int64)
    _count(np.ascontiguousarray(shot.image).reshape(-1), np.ascontiguousarray(shot.usable).reshape(-1), counts)
    upto = np.cumsum(counts)
    low, high = (_percentile(upto, percent) for percent in _ENDS_PERCENT)
    return low, high


def _percentile(upto: np.ndarray, percent: float) -> float:
    """As ``np.percentile``, linear between neighbours, from how many values are at most each number."""
    position = percent / 100 * (upto[-1] - 1)
    lower = int(position)
    below, above = np.searchsorted(upto, [lower + 1, min(lower + 2, upto[-1])])
    return float(below + (position - lower) * (above - below))


@nb.njit(nogil=True, cache=True)
def _count(image: np.ndarray, usable: np.ndarray, counts: np.ndarray) -> None:
    for i in range(image.shape[0]):
        counts[image[i]] += usable[i]
