"""Tell a rotation that a file holds in full from one that it rounded, so that exact ones come back to the bit."""

import numpy as np
from jaxtyping import Float

from core.geometry.rigid import Rigid

EXACT = 1e-12
"""Departure of R^T R from the identity up to which a rotation was written in full."""


def rigid_from_file(rotation: Float[np.ndarray, "3 3"], translation_mm: Float[np.ndarray, "3"]) -> Rigid:
    """The motion a file means: as it stands if written in full, else with the nearest rotation.

    Raises:
        GeometryError: not finite, mirrored, or further from a rotation than rounding explains.
    """
    rotation = np.asarray(rotation, dtype=np.float64)
    if np.isfinite(rotation).all() and departure(rotation) <= EXACT and np.linalg.det(rotation) > 0:
        return Rigid(rotation=rotation, translation_mm=translation_mm)
    return Rigid.from_rounded(rotation, translation_mm)


def departure(rotation: Float[np.ndarray, "3 3"]) -> float:
    """Largest element of ``R^T R - I``."""
    return float(np.abs(rotation.T @ rotation - np.eye(3)).max())
