"""xvr's pose refinement: Adam on patch and gradient correlation, coarse to fine, rates lowered on plateaus.

Gopalakrishnan et al., "Rapid patient-specific neural networks for intraoperative X-ray to volume
registration", Methods M.6. What the paper leaves open is said in docs/methods.md.
"""

import math
import time
from collections.abc import Generator, Sequence

import torch

from core.geometry.rigid import Rigid
from core.registration.adam_fit import SeenView, pictures_at, seen_views, solution_at
from core.registration.frame import refused
from core.registration.level import Poses
from core.registration.pose_parameters import PoseParameters
from core.registration.published import XvrSchedule
from core.registration.recipe import Recipe
from core.registration.values import Body, Problem, Solution, Step
from core.similarity.torch_correlations import gradncc, mncc

_REPORT_EVERY = 5


def register_xvr(
    problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None = None
) -> Generator[Step, None, Solution]:
    """All bodies in all views jointly, scale by scale; the best step of a scale begins the next.

    Yields every few steps; closing the generator cancels.

    Raises:
        RegistrationError: not one start a body.
    """
    recipe = Recipe() if recipe is None else recipe
    began, schedule = time.perf_counter(), recipe.xvr
    hopeless = refused(problem, starts)
    if hopeless is not None:
        return hopeless
    poses: Poses = tuple(starts)
    trace: list[Step] = []
    evaluations, settled = 0, False
    longest = max(max(shot.view.width_px, shot.view.height_px) for shot in problem.shots)
    for index, (scale, divisor) in enumerate(zip(schedule.scales, schedule.divisors, strict=True)):
        picture_px = max(round(longest / scale), min(schedule.fewest_px, longest))
        views = seen_views(problem, poses, picture_px, schedule.margin_mm, recipe)
        work = _one_scale(problem.bodies, views, poses, schedule, divisor)
        while True:
            try:
                at, reached, loss = next(work)
            except StopIteration as end:
                poses, settled, count = end.value
                evaluations += count
                break
            done = (index + at / schedule.steps) / len(schedule.scales)
            step = Step(stage=f"xvr {picture_px} px", fraction=done, poses=reached, cost=loss)
            trace.append(step)
            yield step
    return solution_at(problem, poses, recipe, trace, evaluations, began, settled)


def _one_scale(
    bodies: Sequence[Body], views: Sequence[SeenView], starts: Poses, schedule: XvrSchedule, divisor: float
) -> Generator[tuple[int, Poses, float], None, tuple[Poses, bool, int]]:
    """Steps until the plateaus are used up: the best poses, whether a plateau ended it, and how many steps."""
    parameters = PoseParameters(bodies, starts, schedule.parameters)
    optimiser = torch.optim.Adam(
        [
            {"params": [parameters.turn], "lr": schedule.rate_rad / divisor},
            {"params": [parameters.shift_mm], "lr": schedule.rate_mm / divisor},
        ],
        maximize=True,
    )
    best, poses, waited, plateaus = -math.inf, starts, 0, 0
    for at in range(schedule.steps):
        optimiser.zero_grad()
        score = torch.stack(
            [
                _likeness(picture, view, schedule)
                for picture, view in zip(pictures_at(parameters, bodies, views), views, strict=True)
            ]
        ).mean()
        value = float(score.detach())
        waited = 0 if value > best + schedule.threshold * max(abs(best), 1e-6) or at == 0 else waited + 1
        if value > best:
            best, poses = value, parameters.poses()
        if waited > schedule.patience:
            waited, plateaus = 0, plateaus + 1
            if plateaus >= schedule.plateaus:
                return poses, True, at + 1
            for group in optimiser.param_groups:
                group["lr"] *= schedule.factor
        score.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if at % _REPORT_EVERY == 0:
            yield at, poses, 1.0 - best
    return poses, False, schedule.steps


def _likeness(picture: torch.Tensor, view: SeenView, schedule: XvrSchedule) -> torch.Tensor:
    share = schedule.gradncc_share
    return (1 - share) * mncc(picture, view.seen, view.counts, schedule.mncc_px) + share * gradncc(
        picture, view.seen, view.counts, schedule.gradncc_px
    )
