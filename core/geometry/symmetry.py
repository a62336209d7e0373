"""Near mirror symmetry of a surface: the shape whose mirrored or turned pose casts the same shadow."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import so3_exp

NEARLY = 0.015
"""Mean distance of the mirrored surface from the surface, over the largest extent."""
_SAMPLES = 3000


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Symmetry:
    """The plane that mirrors a shape onto itself, and the axis about which it changes least."""

    mirror_normal: Float[np.ndarray, "3"]
    """Unit normal in the body frame; the plane runs through ``centre_mm``."""
    turn_axis: Float[np.ndarray, "3"]
    """Unit axis in the plane (the stem of a tibial tray), through ``centre_mm``."""
    centre_mm: Float[np.ndarray, "3"]
    departure_mm: float
    """Mean distance of the mirrored surface from the surface."""


def find_symmetry(mesh: TriangleMesh) -> Symmetry | None:
    """The near mirror symmetry of a surface, or None.

    Candidates are the principal planes of the surface's area, which contain every exact mirror plane
    of a body with three different moments.
    """
    points, weights = _surface_points(mesh)
    centre = weights @ points
    spread = points - centre
    _, axes = np.linalg.eigh((spread * weights[:, None]).T @ spread)
    tree = KDTree(spread)
    generator = np.random.default_rng(0)
    sample = spread[generator.choice(len(spread), _SAMPLES, p=weights)]
    gaps = [_gap(tree, sample - 2 * np.outer(sample @ axis, axis)) for axis in axes.T]
    best = int(np.argmin(gaps))
    if gaps[best] > NEARLY * float(mesh.extent_mm.max()):
        return None
    others = [axes[:, k] for k in range(3) if k != best]
    turning = [
        np.mean([_gap(tree, sample @ so3_exp(np.radians(a) * axis).T) for a in (45, 90, 135)]) for axis in others
    ]
    return Symmetry(
        mirror_normal=axes[:, best],
        turn_axis=others[int(np.argmin(turning))],
        centre_mm=centre,
        departure_mm=gaps[best],
    )


def _surface_points(mesh: TriangleMesh) -> tuple[Float[np.ndarray, "m 3"], Float[np.ndarray, " m"]]:
    corners = mesh.vertices_mm[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(normals, axis=1)
    generator = np.random.default_rng(1)
    picks = generator.choice(len(corners), 40_000, p=areas / areas.sum())
    shares = generator.dirichlet(np.ones(3), len(picks))
    points = (corners[picks] * shares[..., None]).sum(axis=1)
    return points, np.full(len(points), 1.0 / len(points))


def _gap(tree: KDTree, points: Float[np.ndarray, "n 3"]) -> float:
    return float(tree.query(points)[0].mean())
