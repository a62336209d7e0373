"""Rotations that leave no place far from all of them: over all of SO(3), or around one rotation."""

import math

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

_PHI = math.sqrt(2.0)
_PSI = 1.533751168755204288118041
"""Root of psi^4 = psi + 4."""
_INEFFICIENCY = 3.1
"""How many more rotations the spiral needs than balls of that radius would fill SO(3)."""


def spiral(count: int) -> Float[np.ndarray, "n 3 3"]:
    """Evenly spread rotations: super-Fibonacci spirals (Alexa, CVPR 2022)."""
    at = np.arange(count) + 0.5
    inner, outer = np.sqrt(at / count), np.sqrt(1.0 - at / count)
    alpha, beta = 2.0 * np.pi * at / _PHI, 2.0 * np.pi * at / _PSI
    quaternions = np.stack(
        [inner * np.sin(alpha), inner * np.cos(alpha), outer * np.sin(beta), outer * np.cos(beta)], axis=1
    )
    return np.asarray(Rotation.from_quat(quaternions).as_matrix())


def count_for(spacing_deg: float) -> int:
    """How many rotations of the spiral leave none farther than the spacing from all.

    A ball of the radius a fills ``(a - sin a) / pi`` of SO(3).
    """
    radius = math.radians(spacing_deg)
    return math.ceil(_INEFFICIENCY * math.pi / (radius - math.sin(radius)))


def rotations_within(
    spacing_deg: float, around: Float[np.ndarray, "3 3"] | None = None, within_deg: float | None = None
) -> Float[np.ndarray, "n 3 3"]:
    """All rotations of the grid, or those within an angle of one rotation, which then comes first."""
    if around is None or within_deg is None:
        return spiral(count_for(spacing_deg))
    fine = min(spacing_deg, max(0.5 * within_deg, 2.0))
    grid = spiral(count_for(fine))
    cosines = np.clip(0.5 * (np.einsum("nij,ij->n", grid, around) - 1.0), -1.0, 1.0)
    near = grid[np.degrees(np.arccos(cosines)) <= within_deg]
    return np.concatenate([around[None], near])
