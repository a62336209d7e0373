"""Whether a surface crosses itself: rays must enter and leave it in turn."""

import numba as nb
import numpy as np

from core.geometry.mesh import TriangleMesh

_DIRECTIONS = np.array([[0.61, 0.23, 0.76], [-0.37, 0.89, 0.27], [0.17, -0.41, 0.90]])
"""Away from the axes along which implants are flat."""


@nb.njit(nogil=True, cache=True)
def _crossings(corners: np.ndarray, u: float, v: float, signs: np.ndarray, depths: np.ndarray) -> int:
    """Signed hits of the ray along the third axis through (u, v), unordered."""
    count = 0
    for face in range(corners.shape[0]):
        c = corners[face]
        if max(c[0, 0], c[1, 0], c[2, 0]) < u or min(c[0, 0], c[1, 0], c[2, 0]) > u:
            continue
        if max(c[0, 1], c[1, 1], c[2, 1]) < v or min(c[0, 1], c[1, 1], c[2, 1]) > v:
            continue
        a = (c[1, 0] - u) * (c[2, 1] - v) - (c[1, 1] - v) * (c[2, 0] - u)
        b = (c[2, 0] - u) * (c[0, 1] - v) - (c[2, 1] - v) * (c[0, 0] - u)
        d = (c[0, 0] - u) * (c[1, 1] - v) - (c[0, 1] - v) * (c[1, 0] - u)
        total = a + b + d
        if total == 0.0 or (a > 0) != (total > 0) or (b > 0) != (total > 0) or (d > 0) != (total > 0):
            continue
        if count == depths.shape[0]:
            return count
        depths[count] = (a * c[0, 2] + b * c[1, 2] + d * c[2, 2]) / total
        signs[count] = 1.0 if total > 0 else -1.0
        count += 1
    return count


def crossing_share(mesh: TriangleMesh, rays: int = 300) -> float:
    """Share of random parallel rays along which a closed surface is not entered and left in turn.

    More than a few per cent means that it crosses itself, so that material counts twice.
    """
    generator = np.random.default_rng(0)
    corners = mesh.vertices_mm[mesh.faces]
    signs, depths = np.empty(4096), np.empty(4096)
    wrong = 0
    for direction in _DIRECTIONS / np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True):
        across = np.linalg.svd(direction[None])[2][1:]
        turned = np.ascontiguousarray(corners @ np.vstack([across, direction]).T)
        picks = generator.integers(0, len(corners), rays)
        weights = generator.dirichlet(np.ones(3), rays)
        targets = (turned[picks, :, :2] * weights[..., None]).sum(axis=1)
        for target in targets:
            hits = _crossings(turned, target[0], target[1], signs, depths)
            winding = np.cumsum(signs[:hits][np.argsort(depths[:hits])])
            wrong += int(hits > 0 and np.ptp(np.append(winding, 0.0)) > 1)
    return wrong / (rays * len(_DIRECTIONS))
