"""What the published methods share: pictures and drawings for torch, and a solution of what Adam reached."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from core.geometry.rigid import Rigid
from core.registration.level import Level, LevelView, Poses, pictures_of
from core.registration.pose_parameters import PoseParameters
from core.registration.recipe import Recipe, Stage
from core.registration.risk import LIMIT, risks_of
from core.registration.uncertainty import whole_covariance
from core.registration.values import Body, Outcome, Problem, Solution, Step
from core.rendering.torch_drawing import Drawing, draw


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SeenView:
    """One cut of a picture as torch compares it, and the drawing it is compared with."""

    seen: torch.Tensor
    """The log picture (h, w), dark is low."""
    counts: torch.Tensor
    """Pixels (h, w) inside the image circle and outside exclusions."""
    drawing: Drawing
    """The shadow ``exp(-mu T) - 1`` with its derivatives."""


def seen_views(problem: Problem, starts: Poses, picture_px: int, margin_mm: float, recipe: Recipe) -> list[SeenView]:
    """The pictures at about the given size, cut around the bodies at their start."""
    stage = Stage(picture_px=picture_px, margin_mm=margin_mm)
    level = Level(problem.bodies, pictures_of(problem), starts, stage, recipe)
    return [
        SeenView(
            seen=torch.from_numpy(cut.picture.astype(np.float64)),
            counts=torch.from_numpy(cut.target.counts),
            drawing=_drawing(level, cut),
        )
        for cut in level.views
    ]


def _drawing(level: Level, cut: LevelView) -> Drawing:
    turn = cut.view.camera_from_world.rotation

    def drawing(poses: tuple[Rigid, ...]) -> np.ndarray:
        drawn = level.draw(cut.view, poses).astype(np.float64)
        for first in range(1, drawn.shape[-1], 3):
            drawn[..., first : first + 3] = drawn[..., first : first + 3] @ turn
        return drawn

    return drawing


def pictures_at(parameters: PoseParameters, bodies: Sequence[Body], views: Sequence[SeenView]) -> list[torch.Tensor]:
    """The drawn pictures of all views at the parameters' poses, differentiable."""
    rotation, translation = parameters.motions()
    pivots = np.stack([body.pivot_mm for body in bodies])
    return [draw(rotation, translation, pivots, view.drawing) for view in views]


def solution_at(
    problem: Problem, poses: Poses, recipe: Recipe, trace: Sequence[Step], evaluations: int, began: float, settled: bool
) -> Solution:
    """The solution at poses found elsewhere; cost, scores and covariance are those of our own last stage there."""
    recipe = recipe.suited_to(problem.bodies)
    level = Level(problem.bodies, pictures_of(problem), poses, recipe.stages[-1], recipe)
    last = level.evaluate(poses)
    outcome = Outcome.CONVERGED if settled else Outcome.STALLED
    risks = risks_of(problem, poses, last, recipe.stages[-1].picture_px)
    if last.cost > recipe.gate or any(risk > LIMIT for risk in risks):
        outcome = Outcome.DOUBTFUL
    return Solution(
        poses=poses,
        covariance=whole_covariance(level, poses, last, recipe.first_attenuations(problem.bodies), recipe),
        outcome=outcome,
        cost=last.cost,
        view_scores=tuple(system.correlation for system in last.per_view),
        trace=tuple(trace),
        evaluations=evaluations,
        seconds=time.perf_counter() - began,
        attenuation_per_mm=recipe.first_attenuations(problem.bodies),
        risk=risks,
    )
