"""Errors of poses against reference poses, in millimetres at a point and degrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from jaxtyping import Float

from core.errors import PoseError
from core.geometry.rigid import Rigid


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoseErrors:
    """One error a pose: distance of the body's pivot and geodesic angle of the rotation."""

    mm: Float[np.ndarray, " n"]
    deg: Float[np.ndarray, " n"]

    @classmethod
    def between(cls, poses: Sequence[Rigid], reference: Sequence[Rigid], pivot_body_mm: Float[np.ndarray, "3"]) -> Self:
        """Compare poses pairwise.

        Raises:
            PoseError: not as many poses as references, or none.
        """
        if len(poses) != len(reference) or not poses:
            raise PoseError(f"{len(poses)} poses cannot be compared with {len(reference)} reference poses")
        pivot = np.asarray(pivot_body_mm, dtype=np.float64)[None]
        shifts = [a.apply(pivot)[0] - b.apply(pivot)[0] for a, b in zip(poses, reference, strict=True)]
        return cls(
            mm=np.linalg.norm(shifts, axis=1),
            deg=np.array([float(a.angle_deg_to(b)) for a, b in zip(poses, reference, strict=True)]),
        )

    def within(self, mm: float, deg: float) -> float:
        """Share of poses closer than both limits."""
        return float(np.mean((self.mm < mm) & (self.deg < deg)))

    def percentile(self, q: float) -> tuple[float, float]:
        """The q-th percentile of distance and angle."""
        return float(np.percentile(self.mm, q)), float(np.percentile(self.deg, q))
