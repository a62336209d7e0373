"""Register the bodies of one instant from a start pose, coarse to fine, and say how it went."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
from jaxtyping import Float

from core.errors import RegistrationError
from core.geometry.rigid import Rigid
from core.registration.candidates import mirrored_and_turned, perturbed
from core.registration.level import Evaluation, Level, Pictures, Poses, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.risk import LIMIT, risks_of
from core.registration.uncertainty import whole_covariance
from core.registration.values import Body, Outcome, Problem, Solution, Step
from core.registration.visibility import seen_share, shows_nothing
from core.solvers.levenberg_marquardt import Damping, Iterate, minimise

LEAST_SEEN = 0.25
"""With a smaller share of a body inside the usable pictures its pose is not looked for."""
_SAME_COST = 0.01
"""Costs closer than this cannot tell two poses apart."""
_DIFFERENT_DEG = 8.0
_RIVAL_COST = 0.02
"""A candidate whose coarse cost exceeds the fit's by more is not followed."""
_FINALISTS = 4
_RIVALS = 2
_ROUNDS = 5
_ROBUST_ROUNDS = 2
_BETTER = 1e-4
_NEAR_MM, _NEAR_DEG = 2.0, 3.0
"""Candidates closer than this are one."""


@final
@dataclass(slots=True)
class _Run:
    """What accumulates while one registration runs."""

    problem: Problem
    recipe: Recipe
    pictures: tuple[Pictures, ...]
    began: float
    trace: list[Step]
    attenuation_per_mm: tuple[float, ...]
    chosen: bool = False
    evaluations: int = 0

    @property
    def bodies(self) -> tuple[Body, ...]:
        return self.problem.bodies

    def level(self, poses: Poses, stage: Stage) -> Level:
        return Level(self.bodies, self.pictures, poses, stage, self.recipe, self.attenuation_per_mm)

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
    level: Level | None = None
    """At which the last evaluation was made, if it was made here with all bodies free."""


def register_frame(
    problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None = None
) -> Generator[Step, None, Solution]:
    """Find the poses of all bodies jointly from starts within about 10 mm and 10 degrees.

    Gauss-Newton on the correlation of log-image gradients in every view, coarse to fine. Nearly
    symmetric bodies are also tried mirrored and turned; a fit in doubt (a cost above
    the gate, or a risk above its limit) is given second starts.
    Yields after every evaluation; closing the generator cancels.

    Args:
        problem: bodies and shots of one instant.
        starts: world_from_body of each body, in the problem's order.
        recipe: the schedule; the default is the one measured best on real pictures.

    Raises:
        RegistrationError: not one start a body.
    """
    recipe = (Recipe() if recipe is None else recipe).suited_to(problem.bodies)
    if len(starts) != len(problem.bodies):
        raise RegistrationError(f"{len(problem.bodies)} bodies need as many start poses, got {len(starts)}")
    began = time.perf_counter()
    poses = tuple(starts)
    refusal = _refusal(problem, poses)
    if refusal is not None:
        return _refused(problem, poses, refusal, began)
    run = _Run(problem, recipe, pictures_of(problem), began, [], recipe.first_attenuations(problem.bodies))
    fit = yield from _descend(run, poses, recipe.stages, "fit", (0.0, 0.7))
    return (yield from _concluded(run, poses, fit))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Descended:
    """Where a descent through all stages that was made elsewhere ended."""

    poses: Poses
    last: Evaluation
    settled: bool
    attenuation_per_mm: tuple[float, ...]
    evaluations: int
    trace: tuple[Step, ...]


def refused(problem: Problem, starts: Sequence[Rigid]) -> Solution | None:
    """The solution of a problem that cannot be registered at all; None if it can.

    Raises:
        RegistrationError: not one start a body.
    """
    if len(starts) != len(problem.bodies):
        raise RegistrationError(f"{len(problem.bodies)} bodies need as many start poses, got {len(starts)}")
    refusal = _refusal(problem, tuple(starts))
    return None if refusal is None else _refused(problem, tuple(starts), refusal, time.perf_counter())


def conclude(
    problem: Problem, starts: Sequence[Rigid], recipe: Recipe, reached: Descended
) -> Generator[Step, None, Solution]:
    """What ``register_frame`` does after its descent: second starts, mirrored poses, the solution."""
    run = _Run(
        problem,
        recipe.suited_to(problem.bodies),
        pictures_of(problem),
        time.perf_counter(),
        list(reached.trace),
        reached.attenuation_per_mm,
        chosen=True,
        evaluations=reached.evaluations,
    )
    fit = _Fit(poses=reached.poses, last=reached.last, settled=reached.settled)
    return (yield from _concluded(run, tuple(starts), fit))


def _concluded(run: _Run, starts: Poses, fit: _Fit) -> Generator[Step, None, Solution]:
    if _doubted(run, fit) and run.recipe.second_starts:
        fit = yield from _second_start(run, starts, fit)
    fit, rivals = yield from _try_mirrored(run, fit)
    if run.recipe.robust_scale > 0:
        fit = yield from _without_outliers(run, fit)
    return _solution(run, fit, rivals)


def _doubted(run: _Run, fit: _Fit) -> bool:
    risks = _risks(run, fit)
    return fit.last.cost > run.recipe.gate or any(risk > LIMIT for risk in risks)


def _risks(run: _Run, fit: _Fit) -> tuple[float, ...]:
    return risks_of(run.problem, fit.poses, fit.last, run.recipe.stages[-1].picture_px)


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
    poses: Poses,
    stages: Sequence[Stage],
    name: str,
    span: tuple[float, float],
    free: Sequence[int] | None = None,
) -> Generator[Step, None, _Fit]:
    """Through the stages from coarse to fine, moving the ``free`` bodies (all by default).

    Reports progress between the two ends of ``span``.
    """
    free = range(len(run.bodies)) if free is None else free
    fit: _Fit | None = None
    for index, stage in enumerate(stages):
        level = run.level(poses, stage)
        width = (span[1] - span[0]) / len(stages)
        part = (span[0] + index * width, span[0] + (index + 1) * width)
        last = yield from _settle(run, level, poses, stage, f"{name} {stage.picture_px} px", part, free)
        poses = last.point
        if not run.chosen and stage.picture_px >= run.recipe.fewest_px_to_choose:
            _choose_attenuation(run, level, poses)
        fit = _Fit(poses=poses, last=last.model, settled=last.settled, level=level)
    if fit is None:
        raise RegistrationError("a registration needs at least one stage")
    return fit


def _settle(
    run: _Run, level: Level, poses: Poses, stage: Stage, name: str, span: tuple[float, float], free: Sequence[int]
) -> Generator[Step, None, Iterate[Poses, Evaluation]]:
    """To the minimum at one level."""
    search = minimise(
        partial(_evaluated, level, free),
        lambda point, twist: _moved(run.bodies, point, twist, free),
        poses,
        np.tile([1.0, 1.0, 1.0, *[1 / run.recipe.lever_mm] * 3], len(free)),
        Damping(iterations=stage.iterations, settled=stage.settled),
    )
    tried = 0
    while True:
        try:
            at = next(search)
        except StopIteration as stop:
            reached: Iterate[Poses, Evaluation] = stop.value
            return reached
        run.evaluations += 1
        tried += 1
        done = span[0] + min(tried / stage.iterations, 1.0) * (span[1] - span[0])
        yield run.report(name, done, at.point, at.model.cost)


def _without_outliers(run: _Run, fit: _Fit) -> Generator[Step, None, _Fit]:
    """The fit with less weight on what it does not explain; judged as any other, on all pixels."""
    stage, poses = run.recipe.stages[-1], fit.poses
    for _ in range(_ROBUST_ROUNDS):
        level = run.level(poses, stage)
        level.discount_outliers(poses, run.recipe.robust_scale)
        last = yield from _settle(run, level, poses, stage, "without outliers", (0.98, 1.0), range(len(poses)))
        poses = last.point
    run.evaluations += 1
    return _Fit(poses=poses, last=run.level(poses, stage).evaluate(poses), settled=last.settled)


def _choose_attenuation(run: _Run, level: Level, poses: Poses) -> None:
    """For each body in turn, the attenuation that explains the pictures best at these poses."""
    chosen = list(run.attenuation_per_mm)
    for index in range(len(chosen)):
        to_beat = run.recipe.clearly_better * level.cost_with(poses, chosen)
        for value in run.recipe.attenuations_of(run.bodies[index]):
            cost = level.cost_with(poses, [*chosen[:index], value, *chosen[index + 1 :]])
            if cost < to_beat:
                to_beat, chosen[index] = cost, value
            run.evaluations += 1
    run.attenuation_per_mm = tuple(chosen)
    run.chosen = True


def _evaluated(level: Level, free: Sequence[int], poses: Poses) -> Evaluation:
    return level.evaluate(poses, free)


def _moved(bodies: tuple[Body, ...], poses: Poses, twist: Float[np.ndarray, " k"], free: Sequence[int]) -> Poses:
    moved = list(poses)
    for at, index in enumerate(free):
        moved[index] = poses[index].perturbed(twist[6 * at : 6 * at + 6], bodies[index].pivot_mm)
    return tuple(moved)


def _with(poses: Poses, index: int, pose: Rigid) -> Poses:
    return (*poses[:index], pose, *poses[index + 1 :])


def _try_mirrored(run: _Run, fit: _Fit) -> Generator[Step, None, tuple[_Fit, tuple[Poses, ...]]]:
    """The best of the fit and its mirrored and turned poses, and the others that fit as well.

    A pose that was taken over has mirrored poses of its own: they are tried in turn.
    """
    rivals: tuple[Poses, ...] = ()
    for _ in range(_ROUNDS if run.recipe.mirrored else 0):
        better, rivals = yield from _one_round(run, fit)
        if better is fit:
            break
        fit = better
    return fit, rivals


def _one_round(run: _Run, fit: _Fit) -> Generator[Step, None, tuple[_Fit, tuple[Poses, ...]]]:
    views = [shot.view for shot in run.problem.shots]
    equal: tuple[Poses, ...] = ()
    for index, body in enumerate(run.bodies):
        others = mirrored_and_turned(body, fit.poses[index], views)
        rivals = yield from _best_of(run, fit, index, others)
        for start in rivals:
            rival = yield from _descend(run, start, run.recipe.stages[-2:], f"mirrored {body.name}", (0.75, 0.85))
            ours, theirs = _compared(run, fit, rival)
            different = rival.poses[index].angle_deg_to(fit.poses[index]) >= _DIFFERENT_DEG
            better = theirs < ours - _BETTER
            if different and abs(theirs - ours) < _SAME_COST:
                equal = (*equal, fit.poses if better else rival.poses)
            if better:
                fit = rival
    return fit, equal


def _compared(run: _Run, one: _Fit, other: _Fit) -> tuple[float, float]:
    """Costs of two fits on the same cut of the pictures, at the last stage."""
    stage = run.recipe.stages[-1]
    level = Level(
        run.bodies, run.pictures, one.poses, stage, run.recipe, run.attenuation_per_mm, also_around=(other.poses,)
    )
    run.evaluations += 2
    return level.evaluate(one.poses, ()).cost, level.evaluate(other.poses, ()).cost


def _best_of(run: _Run, fit: _Fit, index: int, others: Sequence[Rigid]) -> Generator[Step, None, list[Poses]]:
    """The candidates of one body that, refined a little, come near the cost of the fit at that level."""
    if not others:
        return []
    stage = replace(run.recipe.stages[min(1, len(run.recipe.stages) - 1)], iterations=3, settled=0.3, margin_mm=6.0)
    around = [_with(fit.poses, index, pose) for pose in others]
    level = Level(run.bodies, run.pictures, fit.poses, stage, run.recipe, run.attenuation_per_mm, also_around=around)
    yardstick = level.evaluate(fit.poses, ()).cost
    name = f"mirrored {run.bodies[index].name}"
    ranked: list[tuple[float, Rigid]] = []
    for start in around:
        refined = yield from _descend(run, start, (stage,), name, (0.7, 0.75), (index,))
        cost = level.evaluate(refined.poses, ()).cost
        run.evaluations += 1
        apart = float(refined.poses[index].angle_deg_to(fit.poses[index]))
        if apart > _DIFFERENT_DEG and cost < yardstick + _RIVAL_COST:
            ranked.append((cost, refined.poses[index]))
    return [_with(fit.poses, index, pose) for pose in _distinct(run.bodies[index], ranked)[:_RIVALS]]


def _second_start(run: _Run, starts: Poses, fit: _Fit) -> Generator[Step, None, _Fit]:
    """Perturb every body around its start with the others held, keep the best, and fit jointly again."""
    generator = np.random.default_rng(run.recipe.seed)
    views = [shot.view for shot in run.problem.shots]
    poses = fit.poses
    for index, body in enumerate(run.bodies):
        tries = [poses[index], starts[index], *perturbed(body, starts[index], run.recipe, generator)]
        tries += mirrored_and_turned(body, poses[index], views)
        found = yield from _best_start(run, starts, poses, index, tries)
        poses = _with(poses, index, found)
    again = yield from _descend(run, poses, run.recipe.stages[-2:], "second start", (0.95, 1.0))
    ours, theirs = _compared(run, fit, again)
    return again if theirs < ours else fit


def _best_start(
    run: _Run, starts: Poses, poses: Poses, index: int, tries: Sequence[Rigid]
) -> Generator[Step, None, Rigid]:
    """Where one body fits best from many starts: coarse with and without clipping, then the finalists."""
    body = run.bodies[index]
    ranking = replace(run.recipe.stages[min(1, len(run.recipe.stages) - 1)], margin_mm=run.recipe.ranking_margin_mm)
    level = run.level(_with(poses, index, starts[index]), ranking)
    name = f"second start {body.name}"
    ranked: list[tuple[float, Rigid]] = []
    for clip in (0.9, None):
        stage = replace(run.recipe.stages[0], clip_quantile=clip, settled=0.1)
        for start in tries:
            coarse = yield from _descend(run, _with(poses, index, start), (stage,), name, (0.85, 0.9), (index,))
            run.evaluations += 1
            ranked.append((level.evaluate(coarse.poses, ()).cost, coarse.poses[index]))
    finals: list[tuple[float, Rigid]] = []
    for pose in _distinct(body, ranked):
        fit = yield from _descend(run, _with(poses, index, pose), (ranking,), name, (0.9, 0.95), (index,))
        finals.append((level.evaluate(fit.poses, ()).cost, fit.poses[index]))
    return min(finals, key=lambda item: item[0])[1]


def _distinct(body: Body, ranked: list[tuple[float, Rigid]]) -> list[Rigid]:
    """The best few candidates that differ from each other."""
    kept: list[Rigid] = []
    for _, pose in sorted(ranked, key=lambda item: item[0]):
        if all(not _near(body, pose, other) for other in kept):
            kept.append(pose)
        if len(kept) == _FINALISTS:
            break
    return kept


def _near(body: Body, one: Rigid, other: Rigid) -> bool:
    shift = one.apply(body.pivot_mm[None])[0] - other.apply(body.pivot_mm[None])[0]
    return bool(np.linalg.norm(shift) < _NEAR_MM and one.angle_deg_to(other) < _NEAR_DEG)


def _solution(run: _Run, fit: _Fit, rivals: tuple[Poses, ...]) -> Solution:
    problem, recipe = run.problem, run.recipe
    level = run.level(fit.poses, recipe.stages[-1]) if fit.level is None else fit.level
    outcome = Outcome.CONVERGED
    if any(
        max(seen_share(body, pose, shot) for shot in problem.shots) < LEAST_SEEN
        for body, pose in zip(problem.bodies, fit.poses, strict=True)
    ):
        outcome = Outcome.OUT_OF_VIEW
    elif _doubted(run, fit):
        outcome = Outcome.DOUBTFUL
    elif rivals:
        outcome = Outcome.AMBIGUOUS
    return Solution(
        poses=fit.poses,
        covariance=whole_covariance(level, fit.poses, fit.last, run.attenuation_per_mm, recipe),
        outcome=outcome,
        cost=fit.last.cost,
        view_scores=tuple(system.correlation for system in fit.last.per_view),
        trace=tuple(run.trace),
        evaluations=run.evaluations,
        seconds=time.perf_counter() - run.began,
        attenuation_per_mm=run.attenuation_per_mm,
        rivals=rivals,
        risk=_risks(run, fit),
    )
