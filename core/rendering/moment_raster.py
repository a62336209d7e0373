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
_ORDER = np.array(
    [[0, 1, 2, 1], [1, 0, 2, 0], [0, 2, 1, 0], [0, 1, 2, 1], [0, 1, 2, 1], [1, 2, 0, 1], [2, 0, 1, 1], [2, 1, 0, 0]]
)
"""By which of a > b, b > c, a > c hold for a face's rows: its corners from the highest to the lowest, and whether
they are listed in the face's own direction. Two of the eight cannot be."""


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
def _faces_with_pixels(
    faces: np.ndarray, columns: np.ndarray, ceilings: np.ndarray, width: int, height: int, found: np.ndarray
) -> int:
    """Indices of the faces that may cover a pixel centre; written without branches, as most do not."""
    count = 0
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        first = max(min(ceilings[a, 1], ceilings[b, 1], ceilings[c, 1]), 0)
        last = min(max(ceilings[a, 1], ceilings[b, 1], ceilings[c, 1]), height)
        from_column = min(ceilings[a, 0], ceilings[b, 0], ceilings[c, 0])
        to_column = max(ceilings[a, 0], ceilings[b, 0], ceilings[c, 0])
        # Between two columns there is no pixel; crossings stray from their edge by rounding only.
        left, right = min(columns[a], columns[b], columns[c]), max(columns[a], columns[b], columns[c])
        between = (from_column == to_column) & (right < to_column - _STRAY) & (left > to_column - _INSIDE)
        found[count] = face
        count += (first < last) & (to_column >= 0) & (from_column <= width) & (not between)
    return count


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
    """Add the moments of faces whose vertices ``project_vertices`` has projected to ``moments`` (h, w, 2).

    A face's corners are sorted by row: on each row it spans from its long edge (highest to lowest corner) to one of
    its short ones. In a face listed (highest, middle, lowest) or so turned, the short edges run down.
    """
    height, width, _ = moments.shape
    cy, per_fx, per_fy = lens[3], 1.0 / lens[0], 1.0 / lens[1]
    middle_x = -lens[2] * per_fx
    found = np.empty(faces.shape[0] + 1, dtype=np.int32)
    for at in range(_faces_with_pixels(faces, columns, ceilings, width, height, found)):
        face = found[at]
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        va, vb, vc = rows[a], rows[b], rows[c]
        order = int(va > vb) + 2 * int(vb > vc) + 4 * int(va > vc)
        top, middle = faces[face, _ORDER[order, 0]], faces[face, _ORDER[order, 1]]
        low, short_runs_down = faces[face, _ORDER[order, 2]], _ORDER[order, 3] == 1
        u_top, v_top, u_middle, v_middle = columns[top], rows[top], columns[middle], rows[middle]
        long_slope = (columns[low] - u_top) / (rows[low] - v_top)
        upper_slope = (u_middle - u_top) / (v_middle - v_top)
        lower_slope = (columns[low] - u_middle) / (rows[low] - v_middle)
        turning = ceilings[middle, 1]
        ax, ay, az = vertices_camera_mm[a, 0], vertices_camera_mm[a, 1], vertices_camera_mm[a, 2]
        bz, cz = vertices_camera_mm[b, 2], vertices_camera_mm[c, 2]
        px, py, pz = vertices_camera_mm[b, 0] - ax, vertices_camera_mm[b, 1] - ay, bz - az
        qx, qy, qz = vertices_camera_mm[c, 0] - ax, vertices_camera_mm[c, 1] - ay, cz - az
        nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        offset = nx * ax + ny * ay + nz * az
        nearest, farthest = min(az, bz, cz), max(az, bz, cz)
        slope = nx * per_fx
        start_facing = nz + nx * middle_x
        for row in range(max(ceilings[top, 1], 0), min(ceilings[low, 1], height)):
            along = u_top + (row - v_top) * long_slope
            above = row < turning
            from_u, from_v = (u_top, v_top) if above else (u_middle, v_middle)
            beside = from_u + (row - from_v) * (upper_slope if above else lower_slope)
            start = max(math.ceil(min(along, beside)), 0)
            stop = min(math.ceil(max(along, beside)), width)
            if start >= stop:
                continue
            sign = 1.0 if (along < beside) == short_runs_down else -1.0
            facing = start_facing + ny * ((row - cy) * per_fy)
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
