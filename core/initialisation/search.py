"""Find the poses of all bodies at one instant from masks of their shadows, without a start."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import final

import numpy as np

from core.errors import RegistrationError
from core.geometry.rigid import Rigid
from core.initialisation.assignment import BodyMasks, masks_for
from core.initialisation.recipe import SearchRecipe
from core.initialisation.rotations import rotations_within
from core.initialisation.shadows import SmallMask, first_place, laid_on, placed, small_mask
from core.registration.candidates import mirrored_and_turned
from core.registration.frame import register_frame
from core.registration.level import Level, Poses, pictures_of
from core.registration.recipe import Recipe
from core.registration.values import Body, Outcome, Problem, Solution, Step

__all__ = ["BodyMasks", "find_poses"]

_REPORT_EVERY = 40
_NEAR_DEG = 12.0
"""Candidates closer than this are one."""
_SAME_COST = 0.01
_DIFFERENT_DEG = 8.0


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Candidate:
    """One body's pose and its cost against the pictures, alone."""

    pose: Rigid
    cost: float


def find_poses(
    problem: Problem,
    masks: Sequence[BodyMasks | None] | None = None,
    *,
    prior: Sequence[Rigid] | None = None,
    prior_deg: float | None = None,
    recipe: SearchRecipe | None = None,
    registration: Recipe | None = None,
) -> Generator[Step, None, Solution]:
    """Find poses from masks: triangulated centroids, rotations, refinement; the X-ray pictures decide.

    Each body is laid on its masks in every rotation of a grid; the best few are registered alone on small
    pictures; the combinations of the best of all bodies are registered jointly, compared on one cut, and the
    winner is registered as from any start (mirrored poses, second starts, doubt).

    Args:
        problem: bodies and shots of one instant.
        masks: for each body, in the problem's order, its mask in each shot; None where nobody drew one: the
            metal is then proposed by its darkness.
        prior: rough poses, of which the rotations count.
        prior_deg: how far the rotations may be from the prior's; all rotations without.
        recipe: the settings of the search.
        registration: the settings of the registration at the end.

    Yields a step after every piece of work; closing the generator cancels.

    Raises:
        RegistrationError: masks or priors that do not belong to the problem, or no mask and nothing dark to propose.
    """
    recipe = SearchRecipe() if recipe is None else recipe
    registration = Recipe() if registration is None else registration
    if prior is not None and len(prior) != len(problem.bodies):
        raise RegistrationError(f"{len(problem.bodies)} bodies need as many prior poses, got {len(prior)}")
    small = [
        _usable_masks(body, problem, of_body, recipe)
        for body, of_body in zip(problem.bodies, masks_for(problem, masks), strict=True)
    ]
    poses: Poses = tuple(
        placed(body, np.eye(3), first_place(body, there)) for body, there in zip(problem.bodies, small, strict=True)
    )
    candidates: list[tuple[_Candidate, ...]] = []
    for index in range(len(problem.bodies)):
        around = None if prior is None or prior_deg is None else prior[index].rotation
        grid = rotations_within(recipe.spacing_deg, around, prior_deg)
        search = _of_one_body(problem, index, small[index], grid, poses, recipe, registration)
        found = yield from _as_share(search, 0.75 * index / len(small), 0.75 / len(small))
        candidates.append(found)
        poses = (*poses[:index], found[0].pose, *poses[index + 1 :])
    return (yield from _decide(problem, candidates, recipe, registration))


def _as_share(
    work: Generator[Step, None, tuple[_Candidate, ...]], begin: float, length: float
) -> Generator[Step, None, tuple[_Candidate, ...]]:
    """The same work with its fraction as a part of the whole."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            found: tuple[_Candidate, ...] = end.value
            return found
        yield replace(step, fraction=begin + length * step.fraction)


def _usable_masks(body: Body, problem: Problem, masks: BodyMasks, recipe: SearchRecipe) -> tuple[SmallMask, ...]:
    found = [
        small_mask(shot.view, mask, recipe.mask_px)
        for shot, mask in zip(problem.shots, masks, strict=True)
        if mask is not None
    ]
    there = tuple(mask for mask in found if mask is not None)
    if not there:
        raise RegistrationError(f"the region of {body.name} holds no pixel; draw it around the body's shadow")
    return there


def _of_one_body(
    problem: Problem,
    index: int,
    masks: Sequence[SmallMask],
    grid: np.ndarray,
    poses: Poses,
    recipe: SearchRecipe,
    registration: Recipe,
) -> Generator[Step, None, tuple[_Candidate, ...]]:
    """The distinct poses of one body that fit its masks, then the small pictures, best."""
    body = problem.bodies[index]
    place = first_place(body, masks)
    ranked: list[tuple[float, Rigid]] = []
    for at, rotation in enumerate(grid):
        pose, overlap = laid_on(body, placed(body, rotation, place), masks, 2)
        ranked.append((overlap, pose))
        if at % _REPORT_EVERY == 0:
            best = max(ranked, key=lambda item: item[0])
            yield _step(f"rotations of {body.name}", 0.6 * at / len(grid), poses, index, best[1], 1.0 - best[0])
    ranked.sort(key=lambda item: -item[0])
    starts = list(_distinct((pose for _, pose in ranked), recipe.refined))
    views = [shot.view for shot in problem.shots]
    starts += [laid_on(body, other, masks)[0] for other in mirrored_and_turned(body, starts[0], views)]
    alone = Problem(bodies=(body,), shots=problem.shots)
    quick = replace(registration, stages=registration.stages[:2], second_starts=0, mirrored=False)
    refined: list[_Candidate] = []
    for at, start in enumerate(starts):
        solution = yield from _registered(alone, (start,), quick, poses, index, (0.6 + 0.4 * at / len(starts)))
        refined.append(_Candidate(pose=solution.poses[0], cost=solution.cost))
    return _best_on_one_cut(alone, refined, quick, recipe.candidates)


def _registered(
    alone: Problem, starts: Poses, quick: Recipe, poses: Poses, index: int, fraction: float
) -> Generator[Step, None, Solution]:
    """One body registered; its steps are shown within the poses of all."""
    work = register_frame(alone, starts, quick)
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            solution: Solution = end.value
            return solution
        yield _step(f"candidates of {alone.bodies[0].name}", fraction, poses, index, step.poses[0], step.cost)


def _best_on_one_cut(alone: Problem, found: Sequence[_Candidate], quick: Recipe, count: int) -> tuple[_Candidate, ...]:
    """Costs on the same pixels, without which they say nothing; the best of each that differ."""
    around = [(candidate.pose,) for candidate in found]
    level = Level(alone.bodies, pictures_of(alone), around[0], quick.stages[-1], quick, also_around=around[1:])
    costed = sorted(
        (_Candidate(pose=pose[0], cost=level.evaluate(pose, ()).cost) for pose in around), key=lambda item: item.cost
    )
    kept: list[_Candidate] = []
    for candidate in costed:
        if all(candidate.pose.angle_deg_to(other.pose) > _NEAR_DEG for other in kept):
            kept.append(candidate)
        if len(kept) == count:
            break
    return tuple(kept)


def _distinct(poses: Iterator[Rigid], count: int) -> Iterator[Rigid]:
    kept: list[Rigid] = []
    for pose in poses:
        if all(pose.angle_deg_to(other) > _NEAR_DEG for other in kept):
            kept.append(pose)
            yield pose
        if len(kept) == count:
            return


def _decide(
    problem: Problem, candidates: Sequence[tuple[_Candidate, ...]], recipe: SearchRecipe, registration: Recipe
) -> Generator[Step, None, Solution]:
    """Register the likeliest combinations jointly, take the best on one cut, and register it as from any start."""
    ordered = sorted(product(*candidates), key=lambda chosen: sum(candidate.cost for candidate in chosen))
    combinations = ordered[: recipe.combined] if len(candidates) > 1 else ordered[: recipe.candidates]
    plain = replace(registration, second_starts=0, mirrored=False)
    fits: list[Solution] = []
    for at, chosen in enumerate(combinations):
        begin, length = 0.75 + 0.15 * at / len(combinations), 0.15 / len(combinations)
        fits.append((yield from _whole(problem, tuple(one.pose for one in chosen), plain, begin, length)))
    around = [fit.poses for fit in fits]
    level = Level(
        problem.bodies, pictures_of(problem), around[0], registration.stages[-1], registration, also_around=around[1:]
    )
    costs = [level.evaluate(poses, ()).cost for poses in around]
    best = int(np.argmin(costs))
    solution = yield from _whole(problem, around[best], registration, 0.9, 0.1)
    return _with_rivals(solution, [p for p, cost in zip(around, costs, strict=True) if cost < costs[best] + _SAME_COST])


def _whole(
    problem: Problem, starts: Poses, recipe: Recipe, begin: float, length: float
) -> Generator[Step, None, Solution]:
    work = register_frame(problem, starts, recipe)
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            solution: Solution = end.value
            return solution
        yield replace(step, fraction=begin + length * step.fraction)


def _with_rivals(solution: Solution, others: Sequence[Poses]) -> Solution:
    """The solution with those other combinations that fit as well and differ from it and from each other."""
    rivals = list(solution.rivals)
    for poses in others:
        if all(_differ(poses, known) for known in (solution.poses, *rivals)):
            rivals.append(poses)
    if len(rivals) == len(solution.rivals):
        return solution
    outcome = Outcome.AMBIGUOUS if solution.outcome is Outcome.CONVERGED else solution.outcome
    return replace(solution, rivals=tuple(rivals), outcome=outcome)


def _differ(one: Poses, other: Poses) -> bool:
    return any(float(a.angle_deg_to(b)) >= _DIFFERENT_DEG for a, b in zip(one, other, strict=True))


def _step(stage: str, fraction: float, poses: Poses, index: int, pose: Rigid, cost: float) -> Step:
    shown = (*poses[:index], pose, *poses[index + 1 :])
    return Step(stage=stage, fraction=fraction, poses=shown, cost=cost)
