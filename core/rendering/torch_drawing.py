"""Drawn pictures as functions of poses that torch can differentiate, on our own kernels.

A kernel gives a picture together with its derivative with respect to a twist of each body (mm and radians
along the world's axes, about the body's pivot). The backward pass is then one sum over pixels. The poses
are rotations and translations, so any parameters of a pose may stand before them: torch chains on.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.geometry.volume import Volume
from core.rendering.ray_casting import path_length_and_derivatives
from core.rendering.volume_sampling import sampled_integrals


class Drawing(Protocol):
    """Draws bodies at world_from_body poses: channel 0 is the picture, then six derivatives a body."""

    def __call__(self, poses: tuple[Rigid, ...]) -> Float[np.ndarray, "h w c"]:
        """The picture and its derivatives with respect to world-axis twists about the pivots."""


class _Drawn(torch.autograd.Function):
    """The picture of a drawing, with the gradient of a loss carried back to rotations and translations.

    A body moves by ``dp = dR c + dt`` at its pivot c and turns by ``[dw] = dR R^T``, so a twist gradient
    (g_v, g_w) gives ``g_t = g_v`` and ``g_R = g_v c^T + [g_w] R / 2``. Only the part along SO(3) means anything.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own context
        rotation: torch.Tensor,
        translation_mm: torch.Tensor,
        pivots_body_mm: np.ndarray,
        drawing: Drawing,
    ) -> torch.Tensor:
        turns, shifts = rotation.detach().numpy(), translation_mm.detach().numpy()
        poses = tuple(Rigid(rotation=turn, translation_mm=shift) for turn, shift in zip(turns, shifts, strict=True))
        drawn = torch.from_numpy(drawing(poses))
        ctx.save_for_backward(rotation, drawn[..., 1:])
        ctx.pivots = torch.from_numpy(np.asarray(pivots_body_mm, dtype=np.float64))
        return drawn[..., 0].clone()

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401
        gradient: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        rotation, derivatives = ctx.saved_tensors
        twist = torch.einsum("hw,hwk->k", gradient, derivatives).to(rotation.dtype).reshape(-1, 6)
        shift, turn = twist[:, :3], twist[:, 3:]
        across = shift[:, :, None] * ctx.pivots.to(rotation.dtype)[:, None, :]
        return across + 0.5 * skew(turn) @ rotation, shift, None, None


def draw(
    rotation: Float[torch.Tensor, "b 3 3"],
    translation_mm: Float[torch.Tensor, "b 3"],
    pivots_body_mm: Float[np.ndarray, "b 3"],
    drawing: Drawing,
) -> Float[torch.Tensor, "h w"]:
    """The picture of bodies at world_from_body poses, differentiable with respect to them.

    The picture has the drawing's type, float32 or float64; poses are best float64.

    Raises:
        GeometryError: a matrix that is no rotation, or what the drawing raises.
    """
    picture: torch.Tensor = _Drawn.apply(rotation, translation_mm, pivots_body_mm, drawing)  # type: ignore[no-untyped-call]
    return picture


def skew(vectors: Float[torch.Tensor, "*b 3"]) -> Float[torch.Tensor, "*b 3 3"]:
    """The matrices [v] with ``[v] x = v cross x``."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def exact_path_length(meshes: Sequence[TriangleMesh], view: View, pivots_body_mm: Float[np.ndarray, "b 3"]) -> Drawing:
    """The reference drawing of surfaces: millimetres along each pixel's ray, float64, summed over the bodies."""

    def drawing(poses: tuple[Rigid, ...]) -> Float[np.ndarray, "h w c"]:
        parts = [
            path_length_and_derivatives(mesh, view, pose, pivot)
            for mesh, pose, pivot in zip(meshes, poses, pivots_body_mm, strict=True)
        ]
        return joined(parts)

    return drawing


def exact_line_integrals(
    volumes: Sequence[Volume], view: View, pivots_body_mm: Float[np.ndarray, "b 3"], step_mm: float | None = None
) -> Drawing:
    """The reference drawing of volumes: attenuation summed along each pixel's ray, float64."""

    def drawing(poses: tuple[Rigid, ...]) -> Float[np.ndarray, "h w c"]:
        parts = [
            sampled_integrals(volume, view, pose, pivot, step_mm)
            for volume, pose, pivot in zip(volumes, poses, pivots_body_mm, strict=True)
        ]
        return joined(parts)

    return drawing


def joined(parts: Sequence[Float[np.ndarray, "h w 7"]]) -> Float[np.ndarray, "h w c"]:
    """One picture of pictures that add up, with the derivatives of each body side by side."""
    total = sum((part[..., :1] for part in parts[1:]), parts[0][..., :1])
    return np.ascontiguousarray(np.concatenate([total, *(part[..., 1:] for part in parts)], axis=-1))
