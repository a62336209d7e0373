"""Register the bodies of one instant from a start pose, coarse to fine, and say how it went."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float

from core.errors import RegistrationError
from core.geometry.rigid import Rigid
from core.registration.candidates import mirrored_and_turned, perturbed
from core.registration.level import Evaluation, Level, Pictures, Poses, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.uncertainty import covariance_from
from core.registration.values import Body, Outcome, Problem, Solution, Step
from core.registration.visibility import seen_share, shows_nothing
from core.solvers.levenberg_marquardt import Damping, minimise

LEAST_SEEN = 0.25
"""With a smaller share of a body inside the usable pictures its pose is not looked for."""
_SAME_COST = 0.01
"""Costs closer than this cannot tell two poses apart."""
_DIFFERENT_DEG = 8.0
_FINALISTS = 3


@final
@dataclass(slots=True)
class _Run:
    """What accumulates while one registration runs."""

    problem: Problem
    recipe: Recipe
    pictures: tuple[Pictures, ...]
    began: float
    trace: list[Step]
    evaluations: int = 0

    @property
    def bodies(self) -> tuple[Body, ...]:
        return self.problem.bodies

    def report(self, stage: str, fraction: float, poses: Poses, cost: float) -> Step:
        step = Step(stage=stage, fraction=min(fraction, 1.0), poses=poses, cost=cost)
        self.trace.append(step)
        return step


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    poses: Poses
    last: Evaluation
    settled: bool


def register_frame(
    problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None = None
) -> Generator[Step, None, Solution]:
    """Find the poses of all bodies jointly from starts within about 10 mm and 10 degrees.

    Gauss-Newton on the correlation of log-image gradients in every view, coarse to fine. Nearly
    symmetric bodies are also tried mirrored and turned; a cost above the gate is given second starts.
    Yields after every evaluation; closing the generator cancels.

    Args:
        problem: bodies and shots of one instant.
        starts: world_from_body of each body, in the problem's order.
        recipe: the schedule; the default is the one measured best on real pictures.

    Raises:
        RegistrationError: not one start a body.
    """
    recipe = Recipe() if recipe is None else recipe
    if len(starts) != len(problem.bodies):
        raise RegistrationError(f"{len(problem.bodies)} bodies need as many start poses, got {len(starts)}")
    began = time.perf_counter()
    poses = tuple(starts)
    refusal = _refusal(problem, poses)
    if refusal is not None:
        return _refused(problem, poses, refusal, began)
    run = _Run(problem, recipe, pictures_of(problem), began, [])
    fit = yield from _descend(run, run.bodies, poses, recipe.stages, "fit", 0.0, 0.7)
    fit, rival = yield from _try_mirrored(run, fit)
    if fit.last.cost > recipe.gate and recipe.second_starts:
        fit = yield from _second_start(run, fit)
    return _solution(run, fit, rival)


def _refusal(problem: Problem, poses: Poses) -> Outcome | None:
    if any(shows_nothing(shot) for shot in problem.shots):
        return Outcome.NO_CONTRAST
    for body, pose in zip(problem.bodies, poses, strict=True):
        if max(seen_share(body, pose, shot) for shot in problem.shots) < LEAST_SEEN:
            return Outcome.OUT_OF_VIEW
    return None


def _refused(problem: Problem, poses: Poses, outcome: Outcome, began: float) -> Solution:
    unknown = np.full((6 * len(poses), 6 * len(poses)), np.nan)
    return Solution(
        poses=poses,
        covariance=unknown,
        outcome=outcome,
        cost=1.0,
        view_scores=(0.0,) * len(problem.shots),
        trace=(),
        evaluations=0,
        seconds=time.perf_counter() - began,
    )


def _descend(
    run: _Run,
    bodies: tuple[Body, ...],
    poses: Poses,
    stages: Sequence[Stage],
    name: str,
    begin: float,
    end: float,
) -> Generator[Step, None, _Fit]:
    """Through the stages from coarse to fine; reports between ``begin`` and ``end`` of the whole."""
    scale = np.tile([1.0, 1.0, 1.0, *[1 / run.recipe.lever_mm] * 3], len(bodies))
    fit: _Fit | None = None
    for index, stage in enumerate(stages):
        level = Level(bodies, run.pictures, poses, stage, run.recipe)
        search = minimise(
            level.evaluate,
            lambda point, twist: _moved(bodies, point, twist),
            poses,
            scale,
            Damping(iterations=stage.iterations, settled=stage.settled),
        )
        tried = 0
        while True:
            try:
                at = next(search)
            except StopIteration as stop:
                last = stop.value
                break
            run.evaluations += 1
            tried += 1
            share = (index + min(tried / stage.iterations, 1.0)) / len(stages)
            yield run.report(f"{name} {stage.picture_px} px", begin + share * (end - begin), at.point, at.model.cost)
        poses = last.point
        fit = _Fit(poses=poses, last=last.model, settled=last.settled)
    if fit is None:
        raise RegistrationError("a registration needs at least one stage")
    return fit


def _moved(bodies: tuple[Body, ...], poses: Poses, twist: Float[np.ndarray, " k"]) -> Poses:
    return tuple(
        pose.perturbed(twist[6 * index : 6 * index + 6], body.pivot_mm)
        for index, (body, pose) in enumerate(zip(bodies, poses, strict=True))
    )


def _try_mirrored(run: _Run, fit: _Fit) -> Generator[Step, None, tuple[_Fit, bool]]:
    """Whether a mirrored or turned pose fits better; and whether one fits as well."""
    if not run.recipe.mirrored:
        return fit, False
    views = [shot.view for shot in run.problem.shots]
    ambiguous = False
    for index, body in enumerate(run.bodies):
        others = mirrored_and_turned(body, fit.poses[index], views)
        if not others:
            continue
        best = yield from _best_of(run, fit, index, others)
        if best is None:
            continue
        rival = yield from _descend(run, run.bodies, best, run.recipe.stages[-2:], f"mirrored {body.name}", 0.75, 0.85)
        if rival.poses[index].angle_deg_to(fit.poses[index]) < _DIFFERENT_DEG:
            if rival.last.cost < fit.last.cost:
                fit = rival
            continue
        ambiguous = ambiguous or abs(rival.last.cost - fit.last.cost) < _SAME_COST
        if rival.last.cost < fit.last.cost:
            fit = rival
    return fit, ambiguous


def _best_of(run: _Run, fit: _Fit, index: int, others: Sequence[Rigid]) -> Generator[Step, None, Poses | None]:
    """The candidate of one body that, refined a little, comes near the cost of the fit at that level."""
    stage = replace(run.recipe.stages[0], iterations=6, settled=0.3)
    body = run.bodies[index]
    level = Level((body,), run.pictures, (fit.poses[index],), stage, run.recipe)
    yardstick = level.evaluate((fit.poses[index],)).cost
    found: tuple[float, Rigid] | None = None
    for pose in others:
        refined = yield from _descend(run, (body,), (pose,), (stage,), f"mirrored {body.name}", 0.7, 0.75)
        cost = level.evaluate(refined.poses).cost
        run.evaluations += 1
        apart = float(refined.poses[0].angle_deg_to(fit.poses[index]))
        if apart > _DIFFERENT_DEG and cost < yardstick + 0.1 and (found is None or cost < found[0]):
            found = (cost, refined.poses[0])
    if found is None:
        return None
    return tuple(found[1] if at == index else pose for at, pose in enumerate(fit.poses))


def _second_start(run: _Run, fit: _Fit) -> Generator[Step, None, _Fit]:
    """Perturb every body by itself at the coarsest level, keep the best, and fit jointly again."""
    generator = np.random.default_rng(run.recipe.seed)
    poses = list(fit.poses)
    ranking = run.recipe.stages[min(1, len(run.recipe.stages) - 1)]
    for index, body in enumerate(run.bodies):
        starts = [poses[index], *perturbed(body, poses[index], run.recipe, generator)]
        level = Level((body,), run.pictures, (poses[index],), replace(ranking, margin_mm=20.0), run.recipe)
        ranked: list[tuple[float, Rigid]] = []
        for clip in (0.9, None):
            stage = replace(run.recipe.stages[0], clip_quantile=clip, settled=0.1)
            for start in starts:
                coarse = yield from _descend(run, (body,), (start,), (stage,), f"second start {body.name}", 0.85, 0.9)
                run.evaluations += 1
                ranked.append((level.evaluate(coarse.poses).cost, coarse.poses[0]))
        poses[index] = yield from _refined_best(run, body, ranked, ranking)
    again = yield from _descend(run, run.bodies, tuple(poses), run.recipe.stages[-2:], "second start", 0.9, 1.0)
    return again if again.last.cost < fit.last.cost else fit


def _refined_best(
    run: _Run, body: Body, ranked: list[tuple[float, Rigid]], stage: Stage
) -> Generator[Step, None, Rigid]:
    """Refine the best distinct candidates of one body and return the best of them."""
    distinct: list[Rigid] = []
    for _, pose in sorted(ranked, key=lambda item: item[0]):
        if all(not _near(body, pose, kept) for kept in distinct):
            distinct.append(pose)
        if len(distinct) == _FINALISTS:
            break
    best: tuple[float, Rigid] | None = None
    for pose in distinct:
        fit = yield from _descend(run, (body,), (pose,), (stage,), f"second start {body.name}", 0.9, 0.95)
        if best is None or fit.last.cost < best[0]:
            best = (fit.last.cost, fit.poses[0])
    return ranked[0][1] if best is None else best[1]


def _near(body: Body, one: Rigid, other: Rigid) -> bool:
    shift = one.apply(body.pivot_mm[None])[0] - other.apply(body.pivot_mm[None])[0]
    return bool(np.linalg.norm(shift) < 0.7 and one.angle_deg_to(other) < 1.0)


def _solution(run: _Run, fit: _Fit, ambiguous: bool) -> Solution:
    problem, recipe = run.problem, run.recipe
    outcome = Outcome.CONVERGED
    if any(
        max(seen_share(body, pose, shot) for shot in problem.shots) < LEAST_SEEN
        for body, pose in zip(problem.bodies, fit.poses, strict=True)
    ):
        outcome = Outcome.OUT_OF_VIEW
    elif fit.last.cost > recipe.gate:
        outcome = Outcome.DOUBTFUL
    elif ambiguous:
        outcome = Outcome.AMBIGUOUS
    return Solution(
        poses=fit.poses,
        covariance=covariance_from(fit.last),
        outcome=outcome,
        cost=fit.last.cost,
        view_scores=tuple(system.correlation for system in fit.last.per_view),
        trace=tuple(run.trace),
        evaluations=run.evaluations,
        seconds=time.perf_counter() - run.began,
    )
