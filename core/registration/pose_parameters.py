"""Numbers in which torch moves poses from their starts: tangent, Euler angles or quaternions, about the pivots."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch

from core.geometry.rigid import Rigid, nearest_rotation
from core.registration.published import Parameters
from core.registration.values import Body
from core.rendering.torch_drawing import skew


@final
class PoseParameters:
    """``turn`` and ``shift_mm`` are the leaves that an optimiser changes; both begin at no change."""

    def __init__(
        self, bodies: Sequence[Body], starts: Sequence[Rigid], kind: Parameters, turn_unit_rad: float = 1.0
    ) -> None:
        """``turn_unit_rad`` is what 1 means for tangent and Euler angles: 1 radian, or a degree."""
        self._kind = kind
        self._unit = turn_unit_rad
        self._starts = torch.from_numpy(np.stack([pose.rotation for pose in starts]))
        self._pivots = torch.from_numpy(np.stack([body.pivot_mm for body in bodies]))
        self._places = torch.from_numpy(
            np.stack([pose.apply(body.pivot_mm[None])[0] for body, pose in zip(bodies, starts, strict=True)])
        )
        count = len(bodies)
        if kind is Parameters.QUATERNION:
            self.turn = torch.tensor([[1.0, 0.0, 0.0, 0.0]] * count, dtype=torch.float64, requires_grad=True)
        else:
            self.turn = torch.zeros((count, 3), dtype=torch.float64, requires_grad=True)
        self.shift_mm = torch.zeros((count, 3), dtype=torch.float64, requires_grad=True)

    def motions(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotations (b, 3, 3) and translations (b, 3) of the bodies, differentiable."""
        rotation = self._turned() @ self._starts
        place = self._places + self.shift_mm
        return rotation, place - (rotation @ self._pivots[..., None])[..., 0]

    def poses(self) -> tuple[Rigid, ...]:
        """The same as values."""
        with torch.no_grad():
            rotation, translation = self.motions()
        return tuple(
            Rigid(rotation=nearest_rotation(turn.numpy()), translation_mm=shift.numpy())
            for turn, shift in zip(rotation, translation, strict=True)
        )

    def _turned(self) -> torch.Tensor:
        if self._kind is Parameters.QUATERNION:
            return _of_quaternion(self.turn / self.turn.norm(dim=-1, keepdim=True))
        angles = self.turn * self._unit
        if self._kind is Parameters.TANGENT:
            return torch.linalg.matrix_exp(skew(angles))
        axes = torch.eye(3, dtype=torch.float64)
        about_z, about_x, about_y = (
            torch.linalg.matrix_exp(skew(angles[:, at : at + 1] * axes[axis])) for at, axis in enumerate((2, 0, 1))
        )
        return about_z @ about_x @ about_y


def _of_quaternion(unit: torch.Tensor) -> torch.Tensor:
    """Rotation matrices of unit quaternions (w, x, y, z): ``I + 2 w [v] + 2 [v]^2``."""
    across = skew(unit[:, 1:])
    return torch.eye(3, dtype=unit.dtype) + 2 * unit[:, :1, None] * across + 2 * across @ across
