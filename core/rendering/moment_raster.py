"""Scan-line raster of a closed surface into two depth moments a pixel: the fast renderer.

Along the ray ``(x, y, 1) z`` of a pixel the raster accumulates, with the sign of each face,

    M0 = sum s (z - z0)          the path length over |(x, y, 1)|
    M1 = sum s (z - z0)^2 / 2    the first moment of depth about z0

which are the integrals of the body's density ``rho`` and of ``rho (z - z0)``. Their image gradients
give the derivative of the path length with respect to any rigid motion (core.rendering.shadow).

Where an edge crosses a row is computed from the edge's upper vertex alone, so both faces that share
it find the identical number, spans tile the plane without gaps, and the signs cancel exactly.
"""

import math

import numba as nb
import numpy as np
from jaxtyping import Float, Float32, Int32

_FARTHEST_PX = 1 << 24
"""Vertices are taken to lie no farther from the picture, so that pixel numbers fit in 32 bits."""
_STRAY = 1e-9
_INSIDE = 1.0 - _STRAY


@nb.njit(nogil=True, cache=True, error_model="numpy")
def project_vertices(
    vertices_camera_mm: np.ndarray, lens: np.ndarray, columns: np.ndarray, rows: np.ndarray, ceilings: np.ndarray
) -> None:
    """Pixels (n) of vertices in front of the source, and the first (column, row) not before each (n, 2)."""
    fx, fy, cx, cy = lens[0], lens[1], lens[2], lens[3]
    far = float(_FARTHEST_PX)
    for i in range(vertices_camera_mm.shape[0]):
        inverse = 1.0 / vertices_camera_mm[i, 2]
        u = fx * vertices_camera_mm[i, 0] * inverse + cx
        v = fy * vertices_camera_mm[i, 1] * inverse + cy
        columns[i] = u
        rows[i] = v
        ceilings[i, 0] = np.int32(math.ceil(min(max(u, -far), far)))
        ceilings[i, 1] = np.int32(math.ceil(min(max(v, -far), far)))


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _edge(u: float, v: float, u_end: float, v_end: float) -> tuple[float, float, float]:
    """Upper end (u, v) of an edge and its change of column a row; both faces of an edge find the same."""
    if v <= v_end:
        return u, v, (u_end - u) / (v_end - v)
    return u_end, v_end, (u - u_end) / (v - v_end)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def accumulate_faces(
    vertices_camera_mm: np.ndarray,
    faces: np.ndarray,
    columns: np.ndarray,
    rows: np.ndarray,
    ceilings: np.ndarray,
    lens: np.ndarray,
    depth_mm: float,
    moments: np.ndarray,
) -> None:
    """Add the moments of faces whose vertices ``project_vertices`` has projected to ``moments`` (h, w, 2)."""
    height, width, _ = moments.shape
    fx, fy, cx, cy = lens[0], lens[1], lens[2], lens[3]
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        row_a, row_b, row_c = ceilings[a, 1], ceilings[b, 1], ceilings[c, 1]
        first, last = max(min(row_a, row_b, row_c), 0), min(max(row_a, row_b, row_c), height)
        if first >= last:
            continue
        from_column = min(ceilings[a, 0], ceilings[b, 0], ceilings[c, 0])
        to_column = max(ceilings[a, 0], ceilings[b, 0], ceilings[c, 0])
        if to_column < 0 or from_column > width:
            continue
        ua, ub, uc = columns[a], columns[b], columns[c]
        # Between two columns there is no pixel; crossings stray from their edge by rounding only.
        if from_column == to_column and max(ua, ub, uc) < to_column - _STRAY and min(ua, ub, uc) > to_column - _INSIDE:
            continue
        va, vb, vc = rows[a], rows[b], rows[c]
        ax, ay, az = vertices_camera_mm[a, 0], vertices_camera_mm[a, 1], vertices_camera_mm[a, 2]
        bz, cz = vertices_camera_mm[b, 2], vertices_camera_mm[c, 2]
        px, py, pz = vertices_camera_mm[b, 0] - ax, vertices_camera_mm[b, 1] - ay, bz - az
        qx, qy, qz = vertices_camera_mm[c, 0] - ax, vertices_camera_mm[c, 1] - ay, cz - az
        nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        offset = nx * ax + ny * ay + nz * az
        nearest, farthest = min(az, bz, cz), max(az, bz, cz)
        slope = nx / fx
        ut_ab, vt_ab, du_ab = _edge(ua, va, ub, vb)
        ut_bc, vt_bc, du_bc = _edge(ub, vb, uc, vc)
        ut_ca, vt_ca, du_ca = _edge(uc, vc, ua, va)
        for row in range(first, last):
            down, up = 0.0, 0.0
            # A row at or below a vertex is one not before its ceiling.
            if (row_a <= row) != (row_b <= row):
                crossing = ut_ab + (row - vt_ab) * du_ab
                if row_a <= row:
                    down = crossing
                else:
                    up = crossing
            if (row_b <= row) != (row_c <= row):
                crossing = ut_bc + (row - vt_bc) * du_bc
                if row_b <= row:
                    down = crossing
                else:
                    up = crossing
            if (row_c <= row) != (row_a <= row):
                crossing = ut_ca + (row - vt_ca) * du_ca
                if row_c <= row:
                    down = crossing
                else:
                    up = crossing
            sign = 1.0
            left, right = up, down
            if down < up:
                sign = -1.0
                left, right = down, up
            start, stop = max(math.ceil(left), 0), min(math.ceil(right), width)
            if start >= stop:
                continue
            facing = nx * (-cx / fx) + ny * ((row - cy) / fy) + nz
            for column in range(start, stop):
                steep = facing + slope * column
                z = offset / steep if steep != 0.0 else az
                z = min(max(z, nearest), farthest) - depth_mm
                moments[row, column, 0] += np.float32(sign * z)
                moments[row, column, 1] += np.float32(sign * 0.5 * z * z)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def accumulate_moments(
    vertices_camera_mm: np.ndarray,
    faces: np.ndarray,
    lens: np.ndarray,
    depth_mm: float,
    moments: np.ndarray,
) -> None:
    """Add a surface's moments to ``moments`` (h, w, 2), float32.

    ``vertices_camera_mm`` (n, 3) float64, all in front of the source; ``lens`` is (fx, fy, cx, cy)
    in pixels; ``depth_mm`` is z0, near the body, so that the differences keep their digits.
    """
    count = vertices_camera_mm.shape[0]
    columns, rows = np.empty(count), np.empty(count)
    ceilings = np.empty((count, 2), dtype=np.int32)
    project_vertices(vertices_camera_mm, lens, columns, rows, ceilings)
    accumulate_faces(vertices_camera_mm, faces, columns, rows, ceilings, lens, depth_mm, moments)


def moments(
    vertices_camera_mm: Float[np.ndarray, "n 3"],
    faces: Int32[np.ndarray, "m 3"],
    lens: Float[np.ndarray, "4"],
    depth_mm: float,
    size: tuple[int, int],
) -> Float32[np.ndarray, "h w 2"]:
    """The two moments of one closed surface on a grid of ``size`` = (height, width)."""
    out = np.zeros((*size, 2), dtype=np.float32)
    accumulate_moments(vertices_camera_mm, faces, lens, depth_mm, out)
    return out
