"""The automated registration of the Veriserum data set: Adam on the correlation of drawn and seen pictures.

Wang et al., MICCAI 2025, section 3.2. What the paper leaves open is said in docs/methods.md.
"""

import math
import time
from collections.abc import Generator, Sequence

import torch

from core.geometry.rigid import Rigid
from core.registration.adam_fit import pictures_at, seen_views, solution_at
from core.registration.frame import refused
from core.registration.pose_parameters import PoseParameters
from core.registration.published import Parameters
from core.registration.recipe import Recipe
from core.registration.values import Problem, Solution, Step
from core.similarity.torch_correlations import ncc

_REPORT_EVERY = 5
_STILL_FALLING = 1e-3
"""A loss that fell by more than this over the last tenth of the steps had not arrived."""


def register_veriserum(
    problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None = None
) -> Generator[Step, None, Solution]:
    """All bodies in all views jointly by a fixed number of Adam's steps; the best step is kept.

    Yields every few steps; closing the generator cancels.

    Raises:
        RegistrationError: not one start a body.
    """
    recipe = Recipe() if recipe is None else recipe
    began, schedule = time.perf_counter(), recipe.veriserum
    hopeless = refused(problem, starts)
    if hopeless is not None:
        return hopeless
    views = seen_views(problem, tuple(starts), schedule.picture_px, schedule.margin_mm, recipe)
    parameters = PoseParameters(problem.bodies, starts, Parameters.TANGENT, math.radians(1.0))
    optimiser = torch.optim.Adam([parameters.turn, parameters.shift_mm], lr=schedule.rate)
    trace: list[Step] = []
    losses: list[float] = []
    best, poses = math.inf, tuple(starts)
    for at in range(schedule.steps):
        optimiser.zero_grad()
        drawn = pictures_at(parameters, problem.bodies, views)
        loss = torch.stack(
            [1 - ncc(picture, view.seen, view.counts) for picture, view in zip(drawn, views, strict=True)]
        ).mean()
        losses.append(float(loss.detach()))
        if losses[-1] < best:
            best, poses = losses[-1], parameters.poses()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if at % _REPORT_EVERY == 0:
            step = Step(stage="veriserum", fraction=at / schedule.steps, poses=poses, cost=best)
            trace.append(step)
            yield step
    tenth = max(1, schedule.steps // 10)
    settled = min(losses[:-tenth], default=losses[-1]) - best < _STILL_FALLING
    return solution_at(problem, poses, recipe, trace, len(losses), began, settled)
