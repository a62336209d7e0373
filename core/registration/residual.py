"""What the pictures show that the drawn bodies do not explain: observed minus predicted log pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float32

from core.geometry.rigid import Rigid
from core.imaging.field_of_view import distance_to_edge_px
from core.imaging.smoothing import block_mean, smooth
from core.registration.level import Level, Pictures, log_intensity, shrink_factor
from core.registration.recipe import Recipe, Stage
from core.registration.values import Problem, Shot
from core.rendering.edge_distance import EdgeDistances, edge_distances

_BACKGROUND_DEGREE = 3
"""Of the polynomial in the picture's coordinates that stands for all that is smooth."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residual:
    """A cut of one view's log picture around the bodies and what is left of it.

    Pixel (i, j) of the cut covers the block of ``factor`` x ``factor`` pixels of the picture whose top left pixel
    is (``left_px + factor i``, ``top_px + factor j``).
    """

    difference: Float32[np.ndarray, "h w"]
    """Observed minus predicted, in natural logarithms of intensity; 0 where nothing is usable."""
    observed: Float32[np.ndarray, "h w"]
    predicted: Float32[np.ndarray, "h w"]
    """The drawn shadow with its best gain on the best smooth background."""
    usable: Bool[np.ndarray, "h w"]
    left_px: int
    top_px: int
    factor: int


def residuals(
    problem: Problem,
    poses: Sequence[Rigid],
    recipe: Recipe | None = None,
    attenuation_per_mm: Sequence[float] | None = None,
    *,
    picture_px: int = 512,
    margin_mm: float = 15.0,
) -> tuple[Residual, ...]:
    """Observed minus predicted log picture of every view, with all bodies at the poses.

    A view's shadow is drawn as the registration draws it; its gain and a smooth background (a polynomial of third
    degree) are fitted by least squares over the usable pixels.

    Args:
        problem: bodies and shots.
        poses: world_from_body of each body.
        recipe: the smoothing and the attenuation, unless the next argument gives it.
        attenuation_per_mm: of each body, as a solution says.
        picture_px: longest side of the whole picture at the resolution of the cut, approximately.
        margin_mm: how far around the bodies.
    """
    recipe = Recipe() if recipe is None else recipe
    stage = Stage(picture_px=picture_px, margin_mm=margin_mm)
    pictures = tuple(Pictures.of(shot) for shot in problem.shots)
    known = attenuation_per_mm or None
    level = Level(problem.bodies, pictures, tuple(poses), stage, recipe, known)
    return tuple(
        _residual(level, index, shot, tuple(poses), recipe, picture_px) for index, shot in enumerate(problem.shots)
    )


def outline_distances(problem: Problem, poses: Sequence[Rigid]) -> tuple[tuple[EdgeDistances, ...], ...]:
    """Distances of every body's outline to the edges of the pictures: ``[body][shot]``."""
    pictures = [Pictures.of(shot) for shot in problem.shots]
    return tuple(
        tuple(
            edge_distances(body.mesh, shot.view, pose, prepared.logarithm, shot.usable)
            for shot, prepared in zip(problem.shots, pictures, strict=True)
        )
        for body, pose in zip(problem.bodies, poses, strict=True)
    )


def _residual(
    level: Level, index: int, shot: Shot, poses: tuple[Rigid, ...], recipe: Recipe, picture_px: int
) -> Residual:
    view = level.views[index].view
    factor = shrink_factor(shot.view, picture_px)
    left, top = (
        round((principal + 0.5) / factor - 0.5 - cut)
        for principal, cut in zip(shot.view.principal_px, view.principal_px, strict=True)
    )
    rows = slice(top * factor, (top + view.height_px) * factor)
    columns = slice(left * factor, (left + view.width_px) * factor)
    white = np.asarray(log_intensity(shot.image, shot.usable)[rows, columns]) / np.float32(60.0)
    observed = smooth(block_mean(white, factor)[..., None], recipe.smoothing_px)[..., 0]
    middle = factor // 2
    distance = distance_to_edge_px(shot.usable)[rows, columns][middle::factor, middle::factor]
    usable = distance > factor * (recipe.smoothing_px + 1.0)
    predicted = _fitted(level.draw(view, poses)[..., 0], observed, usable)
    return Residual(
        difference=np.where(usable, observed - predicted, np.float32(0)).astype(np.float32),
        observed=observed,
        predicted=predicted,
        usable=usable,
        left_px=left * factor,
        top_px=top * factor,
        factor=factor,
    )


def _fitted(
    drawn: Float32[np.ndarray, "h w"], observed: Float32[np.ndarray, "h w"], usable: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """The drawn shadow times its best gain plus the best polynomial; zeros where nothing is usable."""
    basis = np.concatenate([drawn[..., None].astype(np.float64), _polynomials(drawn.shape)], axis=-1)
    if not usable.any():
        return np.zeros(drawn.shape, dtype=np.float32)
    inside = basis[usable]
    gains = np.linalg.lstsq(inside, observed[usable].astype(np.float64), rcond=None)[0]
    return np.asarray(basis @ gains, dtype=np.float32)


def _polynomials(shape: tuple[int, ...]) -> Float[np.ndarray, "h w k"]:
    v, u = np.meshgrid(*(np.linspace(-1.0, 1.0, size) for size in shape), indexing="ij")
    powers = [u**i * v**j for i in range(_BACKGROUND_DEGREE + 1) for j in range(_BACKGROUND_DEGREE + 1 - i)]
    return np.stack(powers, axis=-1)
