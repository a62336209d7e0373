"""Line integrals through a volume by samples evenly spread in depth, with exact derivatives of that very sum.

Equation 14 of the xvr paper (Gopalakrishnan et al., Methods M.1): trilinear samples along every ray. The
samples stay where they are when the body moves, so the derivative of the sum is the sum of the field's own
gradients, to rounding: ``d rho(X) = -grad rho . (v + w x (X - p))``. It is exact but on the faces of the
cells, and where the outermost voxels are not empty: there the field ends with a step that no gradient sees.
In float64 and plain, as a reference for torch's gradient check and for faster integrators.
"""

import math

import numba as nb
import numpy as np
from jaxtyping import Float

from core.errors import GeometryError
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.geometry.volume import Volume


def sampled_integrals(
    volume: Volume,
    view: View,
    world_from_body: Rigid,
    pivot_body_mm: Float[np.ndarray, "3"],
    step_mm: float | None = None,
) -> Float[np.ndarray, "h w 7"]:
    """Attenuation summed along the ray of every pixel centre, and its derivative with respect to the pose.

    ``step_mm`` is the distance of samples in depth, half the smallest spacing by default. Channels: the
    integral (no unit); then its change a mm of the pivot's shift along the world's axes, and a radian about them.

    Raises:
        GeometryError: a part of the volume lies behind the source, or the step is not positive.
    """
    step_mm = 0.5 * float(volume.spacing_mm.min()) if step_mm is None else step_mm
    if not step_mm > 0:
        raise GeometryError(f"the step along a ray must be positive, got {step_mm} mm")
    camera_from_body = view.camera_from_world @ world_from_body
    camera_from_grid = camera_from_body @ volume.body_from_grid
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * volume.extent_mm
    if camera_from_grid.apply(ends)[:, 2].min() <= NEAREST_DEPTH_MM:
        raise GeometryError(f"the volume lies partly behind the X-ray source of view {view.name!r}; check its pose")
    grid_from_camera = camera_from_grid.inverse()
    scale = 1.0 / volume.spacing_mm
    lens = np.array([*view.focal_px, *view.principal_px])
    pivot_mm = camera_from_body.apply(np.asarray(pivot_body_mm, dtype=np.float64)[None])[0]
    drawn = np.zeros((view.height_px, view.width_px, 7))
    _sample(
        volume.attenuation_per_mm,
        grid_from_camera.translation_mm * scale,
        np.ascontiguousarray(grid_from_camera.rotation * scale[:, None]),
        lens,
        pivot_mm,
        step_mm,
        drawn,
    )
    turn = view.camera_from_world.rotation
    drawn[..., 1:4] = drawn[..., 1:4] @ turn
    drawn[..., 4:7] = drawn[..., 4:7] @ turn
    return drawn


@nb.njit(nogil=True, cache=True)
def _field(values: np.ndarray, i: float, j: float, k: float, out: np.ndarray) -> None:
    """The trilinear field and its gradient in index units at a point within the grid."""
    count_k, count_j, count_i = values.shape
    a, b, c = min(int(i), count_i - 2), min(int(j), count_j - 2), min(int(k), count_k - 2)
    u, v, w = i - a, j - b, k - c
    v000, v100 = float(values[c, b, a]), float(values[c, b, a + 1])
    v010, v110 = float(values[c, b + 1, a]), float(values[c, b + 1, a + 1])
    v001, v101 = float(values[c + 1, b, a]), float(values[c + 1, b, a + 1])
    v011, v111 = float(values[c + 1, b + 1, a]), float(values[c + 1, b + 1, a + 1])
    e00, e10 = v000 + u * (v100 - v000), v010 + u * (v110 - v010)
    e01, e11 = v001 + u * (v101 - v001), v011 + u * (v111 - v011)
    near, far = e00 + v * (e10 - e00), e01 + v * (e11 - e01)
    out[0] = near + w * (far - near)
    out[1] = (1 - w) * ((1 - v) * (v100 - v000) + v * (v110 - v010)) + w * ((1 - v) * (v101 - v001) + v * (v111 - v011))
    out[2] = (1 - w) * (e10 - e00) + w * (e11 - e01)
    out[3] = far - near


@nb.njit(nogil=True, cache=True)
def _sample(
    values: np.ndarray,
    origin: np.ndarray,
    turn: np.ndarray,
    lens: np.ndarray,
    pivot_mm: np.ndarray,
    step_mm: float,
    drawn: np.ndarray,
) -> None:
    """Add samples; a camera-frame point X has the index ``origin + turn @ X``."""
    last = np.array([values.shape[2] - 1.0, values.shape[1] - 1.0, values.shape[0] - 1.0])
    here = np.empty(4)
    speed = np.empty(3)
    for row in range(drawn.shape[0]):
        y = (row - lens[3]) / lens[1]
        for column in range(drawn.shape[1]):
            x = (column - lens[2]) / lens[0]
            enter, leave = 0.0, 1e30
            for axis in range(3):
                speed[axis] = turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2]
                if abs(speed[axis]) < 1e-12:
                    if origin[axis] < 0 or origin[axis] > last[axis]:
                        leave = -1.0
                    continue
                one, two = -origin[axis] / speed[axis], (last[axis] - origin[axis]) / speed[axis]
                enter, leave = max(enter, min(one, two)), min(leave, max(one, two))
            if enter >= leave:
                continue
            cell = drawn[row, column]
            share = step_mm * math.sqrt(1.0 + x * x + y * y)
            for at in range(math.ceil(enter / step_mm), math.floor(leave / step_mm) + 1):
                depth = at * step_mm
                i = min(max(origin[0] + speed[0] * depth, 0.0), last[0])
                j = min(max(origin[1] + speed[1] * depth, 0.0), last[1])
                k = min(max(origin[2] + speed[2] * depth, 0.0), last[2])
                _field(values, i, j, k, here)
                gx = turn[0, 0] * here[1] + turn[1, 0] * here[2] + turn[2, 0] * here[3]
                gy = turn[0, 1] * here[1] + turn[1, 1] * here[2] + turn[2, 1] * here[3]
                gz = turn[0, 2] * here[1] + turn[1, 2] * here[2] + turn[2, 2] * here[3]
                ax, ay, az = x * depth - pivot_mm[0], y * depth - pivot_mm[1], depth - pivot_mm[2]
                cell[0] += share * here[0]
                cell[1] -= share * gx
                cell[2] -= share * gy
                cell[3] -= share * gz
                cell[4] -= share * (ay * gz - az * gy)
                cell[5] -= share * (az * gx - ax * gz)
                cell[6] -= share * (ax * gy - ay * gx)
