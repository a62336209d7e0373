"""The X-ray shadow of several bodies and what its pixels do when a body moves.

A pixel's ray is ``X = (x, y, 1) z``. For the density ``rho`` of a body that moves with the camera-frame
velocity ``v + w x X`` the integral ``M0 = int rho dz`` changes by

    dM0 = -(v . A + w . N),
    A = int grad rho dz,               A_z = -(x A_x + y A_y)            (no density at the ends)
    B = int z grad rho dz,             B_x = dM0/dx, B_y = dM0/dy, B_z = -M0 - x B_x - y B_y
    N = int X x grad rho dz = (y B_z - B_y, B_x - x B_z, x B_y - y B_x),

and, to second order in the body's thickness over its depth z0 (about 1e-3),

    A_x = (dM0/dx - (dM1/dx)/z0) / z0,  A_y likewise,  with M1 = int rho (z - z0) dz.

The picture is ``S = exp(-mu |(x, y, 1)| M0) - 1``. At a silhouette dM0/dx has no bound, so nothing is
differentiated at a point: neighbouring pixels are subtracted, and ``exp`` enters through its secant
between them, which is bounded and exact where M0 is linear.
"""

import math

import numba as nb
import numpy as np

FEATURES = 5
"""Images a body: S_x, S_y of M0, the same of M1 over z0, and the thickness term."""

_FLAT = 1e-6


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _secant(here: float, there: float, path_here: float, path_there: float) -> float:
    step = path_there - path_here
    if abs(step) > _FLAT:
        return (there - here) / step
    return -(1.0 + here)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def shadow_features(
    moments: np.ndarray,
    attenuation_per_mm: np.ndarray,
    depths_mm: np.ndarray,
    lens: np.ndarray,
    supersample: int,
    features: np.ndarray,
) -> None:
    """From moments (bodies, H, W, 2) to features (h, w, 1 + 5 bodies), h = H / supersample.

    ``lens`` is (fx, fy, cx, cy) of the supersampled grid. Channel 0 is S; then, a body: what S gains
    for d/dx and d/dy of M0, of M1 / z0, and for M0 itself.
    """
    bodies, high, wide, _ = moments.shape
    fx, fy, cx, cy = lens[0], lens[1], lens[2], lens[3]
    path = np.zeros((high, wide), dtype=np.float32)
    shade = np.zeros((high, wide), dtype=np.float32)
    for row in range(high):
        y = (row - cy) / fy
        for column in range(wide):
            total = 0.0
            for body in range(bodies):
                total += attenuation_per_mm[body] * moments[body, row, column, 0]
            if total != 0.0:
                x = (column - cx) / fx
                total *= math.sqrt(1.0 + x * x + y * y)
                path[row, column] = total
                shade[row, column] = math.expm1(-total)
    features[:] = 0.0
    share = 1.0 / (supersample * supersample)
    for row in range(features.shape[0] * supersample):
        above = max(row - 1, 0)
        below = min(row + 1, high - 1)
        y = (row - cy) / fy
        for column in range(features.shape[1] * supersample):
            left = max(column - 1, 0)
            right = min(column + 1, wide - 1)
            here = path[row, column]
            if (
                here == 0.0
                and path[row, left] == 0.0
                and path[row, right] == 0.0
                and path[above, column] == 0.0
                and path[below, column] == 0.0
            ):
                continue
            dark = shade[row, column]
            to_left = _secant(dark, shade[row, left], here, path[row, left])
            to_right = _secant(dark, shade[row, right], here, path[row, right])
            to_above = _secant(dark, shade[above, column], here, path[above, column])
            to_below = _secant(dark, shade[below, column], here, path[below, column])
            x = (column - cx) / fx
            stretch = math.sqrt(1.0 + x * x + y * y) * share
            cell = features[row // supersample, column // supersample]
            cell[0] += dark * share
            for body in range(bodies):
                m = moments[body]
                scale = attenuation_per_mm[body] * stretch
                across = 0.5 * fx * scale
                along = 0.5 * fy * scale
                first = 1 + FEATURES * body
                for k in range(2):
                    factor = 1.0 if k == 0 else 1.0 / depths_mm[body]
                    cell[first + 2 * k] += (
                        across
                        * factor
                        * (
                            to_left * (m[row, column, k] - m[row, left, k])
                            + to_right * (m[row, right, k] - m[row, column, k])
                        )
                    )
                    cell[first + 2 * k + 1] += (
                        along
                        * factor
                        * (
                            to_above * (m[row, column, k] - m[above, column, k])
                            + to_below * (m[below, column, k] - m[row, column, k])
                        )
                    )
                cell[first + 4] -= scale * (1.0 + dark) * m[row, column, 0]


@nb.njit(nogil=True, cache=True, error_model="numpy")
def pose_derivatives(features: np.ndarray, lens: np.ndarray, pivots_camera_mm: np.ndarray, out: np.ndarray) -> None:
    """From features (h, w, 1 + 5 bodies) to [S, dS/d(twist of each body)] (h, w, 1 + 6 bodies).

    The twist moves the pivot by mm along the camera's axes and turns about it by radians; ``lens`` is
    (fx, fy, cx, cy) of this grid, ``pivots_camera_mm`` (bodies, 3), whose depth is z0.
    """
    height, width, _ = features.shape
    for row in range(height):
        y = (row - lens[3]) / lens[1]
        for column in range(width):
            x = (column - lens[2]) / lens[0]
            cell = features[row, column]
            line = out[row, column]
            line[0] = cell[0]
            for body in range(pivots_camera_mm.shape[0]):
                first = 1 + FEATURES * body
                gx, gy, thick = cell[first], cell[first + 1], cell[first + 4]
                px, py, pz = pivots_camera_mm[body, 0], pivots_camera_mm[body, 1], pivots_camera_mm[body, 2]
                vx = -(gx - cell[first + 2]) / pz
                vy = -(gy - cell[first + 3]) / pz
                vz = -(x * vx + y * vy)
                at = 1 + 6 * body
                line[at] = vx
                line[at + 1] = vy
                line[at + 2] = vz
                line[at + 3] = x * y * gx + (1.0 + y * y) * gy + y * thick - (py * vz - pz * vy)
                line[at + 4] = -(1.0 + x * x) * gx - x * y * gy - x * thick - (pz * vx - px * vz)
                line[at + 5] = y * gx - x * gy - (px * vy - py * vx)
