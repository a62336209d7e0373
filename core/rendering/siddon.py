"""Plain references for X-raying a volume: Siddon's radiological path, and the exact integral of the trilinear field.

Slow, in float64, and sharing nothing with the fast integrator (core.rendering.volume_moments), which is tested against
the second. The first treats voxels as boxes of constant attenuation (Siddon, Medical Physics 12(2), 1985) and is the
published method that others report.
"""

import math

import numba as nb
import numpy as np
from jaxtyping import Float

from core.errors import GeometryError
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.geometry.volume import Volume

_GAUSS = math.sqrt(0.6)
"""Nodes of the three-point Gauss rule, exact for polynomials up to the fifth degree."""


def siddon_reference(volume: Volume, view: View, world_from_body: Rigid) -> Float[np.ndarray, "h w"]:
    """Line integral of the attenuation along the ray of every pixel centre, voxels being boxes.

    A voxel's box reaches half a voxel around its centre, so the grid is half a voxel larger on each side
    than the trilinear field's.

    Raises:
        GeometryError: a part of the volume lies behind the source.
    """
    camera_from_body = view.camera_from_world @ world_from_body
    refuse_behind_source(volume, camera_from_body, view.name)
    origin, turn = index_from_camera(volume, camera_from_body)
    lens = np.array([*view.focal_px, *view.principal_px])
    drawn = np.zeros((view.height_px, view.width_px))
    _siddon(volume.attenuation_per_mm, origin, turn, lens, drawn)
    return drawn


def trilinear_reference(
    volume: Volume, view: View, world_from_body: Rigid, depth_mm: float, supersample: int = 1
) -> Float[np.ndarray, "h w 2"]:
    """The moments ``int rho dz`` and ``int rho (z - z0) dz`` of the trilinear field, exact to rounding.

    Within a cell the field along a ray is a cubic in z, so a Gauss rule a cell leaves no error. With
    ``supersample`` = s each pixel is the mean over s x s rays spread evenly over its area.

    Args:
        volume: the attenuation.
        view: its size is the picture's.
        world_from_body: the pose.
        depth_mm: z0.
        supersample: rays along each side of a pixel.

    Raises:
        GeometryError: a part of the volume lies behind the source, or supersample is not positive.
    """
    if supersample < 1:
        raise GeometryError(f"supersample must be 1 or more, got {supersample}")
    camera_from_body = view.camera_from_world @ world_from_body
    refuse_behind_source(volume, camera_from_body, view.name)
    height, width = view.height_px, view.width_px
    fine = view.scaled(width * supersample, height * supersample) if supersample > 1 else view
    origin, turn = index_from_camera(volume, camera_from_body)
    lens = np.array([*fine.focal_px, *fine.principal_px])
    drawn = np.zeros((fine.height_px, fine.width_px, 2))
    _trilinear(volume.attenuation_per_mm, origin, turn, lens, depth_mm, drawn)
    return drawn.reshape(height, supersample, width, supersample, 2).mean(axis=(1, 3))


def index_from_camera(
    volume: Volume, camera_from_body: Rigid
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """``origin``, ``turn`` such that a camera-frame point X (mm) has the index (i, j, k) ``origin + turn @ X``."""
    grid_from_camera = (camera_from_body @ volume.body_from_grid).inverse()
    scale = 1.0 / volume.spacing_mm
    return grid_from_camera.translation_mm * scale, np.ascontiguousarray(grid_from_camera.rotation * scale[:, None])


def corners_camera_mm(volume: Volume, camera_from_body: Rigid) -> Float[np.ndarray, "8 3"]:
    """The corners of the field in the camera's frame."""
    unit = np.array([[i, j, k] for i in (0.0, 1.0) for j in (0.0, 1.0) for k in (0.0, 1.0)])
    return (camera_from_body @ volume.body_from_grid).apply(unit * volume.extent_mm)


def refuse_behind_source(volume: Volume, camera_from_body: Rigid, name: str) -> None:
    """Refuse a volume that reaches behind the X-ray source's plane.

    Raises:
        GeometryError: it does.
    """
    if corners_camera_mm(volume, camera_from_body)[:, 2].min() <= NEAREST_DEPTH_MM:
        raise GeometryError(f"the volume lies partly behind the X-ray source of view {name!r}; check its pose")


@nb.njit(nogil=True, cache=True)
def _crossings(origin: np.ndarray, direction: np.ndarray, low: np.ndarray, counts: np.ndarray, cuts: np.ndarray) -> int:
    """Depths at which a ray enters, leaves and crosses the planes ``low + 0 .. counts`` of a grid, in order."""
    enter, leave = 0.0, np.inf
    for axis in range(3):
        first, last = low[axis], low[axis] + counts[axis]
        if direction[axis] == 0.0:
            if origin[axis] < first or origin[axis] > last:
                return 0
            continue
        one = (first - origin[axis]) / direction[axis]
        two = (last - origin[axis]) / direction[axis]
        enter = max(enter, min(one, two))
        leave = min(leave, max(one, two))
    if enter >= leave:
        return 0
    cuts[0] = enter
    found = 1
    for axis in range(3):
        if direction[axis] == 0.0:
            continue
        for plane in range(counts[axis] + 1):
            at = (low[axis] + plane - origin[axis]) / direction[axis]
            if enter < at < leave:
                cuts[found] = at
                found += 1
    cuts[found] = leave
    found += 1
    cuts[:found] = np.sort(cuts[:found])
    return found


@nb.njit(nogil=True, cache=True)
def _siddon(values: np.ndarray, origin: np.ndarray, turn: np.ndarray, lens: np.ndarray, drawn: np.ndarray) -> None:
    shape = np.array([values.shape[2], values.shape[1], values.shape[0]])
    cuts = np.empty(shape.sum() + 8)
    low = np.full(3, -0.5)
    for row in range(drawn.shape[0]):
        for column in range(drawn.shape[1]):
            ray = np.array([(column - lens[2]) / lens[0], (row - lens[3]) / lens[1], 1.0])
            direction = turn @ ray
            found = _crossings(origin, direction, low, shape, cuts)
            total = 0.0
            for cut in range(found - 1):
                middle = origin + direction * (0.5 * (cuts[cut] + cuts[cut + 1]))
                i = min(max(math.floor(middle[0] + 0.5), 0), shape[0] - 1)
                j = min(max(math.floor(middle[1] + 0.5), 0), shape[1] - 1)
                k = min(max(math.floor(middle[2] + 0.5), 0), shape[2] - 1)
                total += values[k, j, i] * (cuts[cut + 1] - cuts[cut])
            drawn[row, column] = total * math.sqrt((ray**2).sum())


@nb.njit(nogil=True, cache=True)
def _field(values: np.ndarray, cell: np.ndarray, at: np.ndarray) -> float:
    """The trilinear polynomial of one cell at an index."""
    i, j, k = cell[0], cell[1], cell[2]
    a, b, c = at[0] - i, at[1] - j, at[2] - k
    near = (1 - b) * ((1 - a) * values[k, j, i] + a * values[k, j, i + 1]) + b * (
        (1 - a) * values[k, j + 1, i] + a * values[k, j + 1, i + 1]
    )
    far = (1 - b) * ((1 - a) * values[k + 1, j, i] + a * values[k + 1, j, i + 1]) + b * (
        (1 - a) * values[k + 1, j + 1, i] + a * values[k + 1, j + 1, i + 1]
    )
    return (1 - c) * near + c * far


@nb.njit(nogil=True, cache=True)
def _trilinear(
    values: np.ndarray, origin: np.ndarray, turn: np.ndarray, lens: np.ndarray, depth_mm: float, drawn: np.ndarray
) -> None:
    shape = np.array([values.shape[2], values.shape[1], values.shape[0]])
    cuts = np.empty(shape.sum() + 8)
    low = np.zeros(3)
    cell = np.empty(3, dtype=np.int64)
    for row in range(drawn.shape[0]):
        for column in range(drawn.shape[1]):
            ray = np.array([(column - lens[2]) / lens[0], (row - lens[3]) / lens[1], 1.0])
            direction = turn @ ray
            found = _crossings(origin, direction, low, shape - 1, cuts)
            for cut in range(found - 1):
                half = 0.5 * (cuts[cut + 1] - cuts[cut])
                middle = 0.5 * (cuts[cut + 1] + cuts[cut])
                inside = origin + direction * middle
                for axis in range(3):
                    cell[axis] = min(max(math.floor(inside[axis]), 0), shape[axis] - 2)
                for node in range(-1, 2):
                    z = middle + node * _GAUSS * half
                    weight = half * (8.0 / 9.0 if node == 0 else 5.0 / 9.0)
                    value = weight * _field(values, cell, origin + direction * z)
                    drawn[row, column, 0] += value
                    drawn[row, column, 1] += value * (z - depth_mm)
