"""Track bodies through a sequence: predict, register, and doubt a frame whose score drops."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from core.errors import ImageError, RegistrationError
from core.geometry.rigid import Rigid, nearest_rotation, so3_exp, so3_log
from core.registration.level import Poses
from core.registration.methods import DEFAULT, register_by
from core.registration.read_ahead import ReadAhead
from core.registration.recipe import Recipe
from core.registration.values import Body, Outcome, Problem, Shot, Solution, Step

_COST_JUMP = 0.1
"""A cost this much above the median of the track so far is doubted even below the gate."""
_HISTORY = 15


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class FrameResult:
    """What became of one frame: a solution, or the reason why there is none."""

    frame: int
    solution: Solution | None
    error: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the frame's poses can be trusted without a second look."""
        return self.solution is not None and self.solution.outcome.succeeded


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TrackStep:
    """A report: the step of the frame in work, or the result of a frame just done."""

    frame: int
    index: int
    count: int
    step: Step | None = None
    result: FrameResult | None = None

    @property
    def fraction(self) -> float:
        """Share of the whole work done, 0..1."""
        within = 1.0 if self.result is not None else (self.step.fraction if self.step else 0.0)
        return (self.index + within) / self.count


def track(
    shots_of: Callable[[int], tuple[Shot, ...]],
    bodies: tuple[Body, ...],
    frames: Sequence[int],
    starts: Mapping[int, Poses],
    recipe: Recipe | None = None,
    *,
    stop_when_lost: bool = False,
    workers: int = 1,
    method: str = DEFAULT,
) -> Generator[TrackStep, None, tuple[FrameResult, ...]]:
    """Register frame after frame, each from where constant velocity puts the bodies.

    Args:
        shots_of: pictures of a frame number; an ImageError marks the frame and tracking goes on.
        bodies: to be tracked jointly.
        frames: numbers in the order of tracking; descending tracks backward.
        starts: poses at the first frame; poses at frames just before it, if any, give its velocity.
        recipe: as for a single frame.
        stop_when_lost: end at the first doubtful frame instead of flagging it.
        workers: threads; with more than one, the next frames' pictures are read and prepared meanwhile. The results
            are the same to the bit. ``shots_of`` must then be safe to be called from another thread.
        method: id of the registration method.

    The results hold no traces of their steps, which have been yielded: a long sequence would fill the memory.

    Raises:
        RegistrationError: no frames, no start at the first frame, or no such method.
    """
    recipe = Recipe() if recipe is None else recipe
    if not frames:
        raise RegistrationError("there are no frames to track")
    if frames[0] not in starts:
        raise RegistrationError(f"frame {frames[0]} has no start pose to track from; place the bodies there first")
    trusted: list[tuple[int, Poses]] = _before(frames, starts)
    results: list[FrameResult] = []
    costs: list[float] = []
    with ReadAhead(shots_of, frames, recipe, workers) as shots:
        for index, frame in enumerate(frames):
            guess = starts[frame] if index == 0 else predict(trusted, frame, bodies)
            settings = recipe if index == 0 else replace(recipe, mirrored=False)
            result = yield from _one(shots, bodies, frame, guess, settings, method, costs, (index, len(frames)))
            results.append(result)
            yield TrackStep(frame=frame, index=index, count=len(frames), result=result)
            if result.solution is not None and (result.succeeded or index == 0):
                trusted = [*trusted[-1:], (frame, result.solution.poses)]
                costs = [*costs[1 - _HISTORY :], result.solution.cost]
            elif not trusted:
                trusted.append((frame, guess))
            if stop_when_lost and not result.succeeded:
                break
    return tuple(results)


def _before(frames: Sequence[int], starts: Mapping[int, Poses]) -> list[tuple[int, Poses]]:
    """The known pose just before the first frame, seen in the direction of tracking."""
    direction = 1 if len(frames) < 2 or frames[1] > frames[0] else -1
    earlier = [number for number in starts if (number - frames[0]) * direction < 0]
    if not earlier:
        return []
    nearest = max(earlier, key=lambda number: number * direction)
    return [(nearest, starts[nearest])]


def _one(
    shots_of: Callable[[int], tuple[Shot, ...]],
    bodies: tuple[Body, ...],
    frame: int,
    guess: Poses,
    recipe: Recipe,
    method: str,
    costs: Sequence[float],
    place: tuple[int, int],
) -> Generator[TrackStep, None, FrameResult]:
    try:
        problem = Problem(bodies=bodies, shots=shots_of(frame))
    except ImageError as error:
        return FrameResult(frame=frame, solution=None, error=str(error))
    work = register_by(method, problem, guess, recipe)
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            solution: Solution = end.value
            break
        yield TrackStep(frame=frame, index=place[0], count=place[1], step=step)
    if solution.outcome is Outcome.CONVERGED and costs:
        usual = float(np.median(costs))
        if solution.cost > usual + _COST_JUMP:
            solution = replace(solution, outcome=Outcome.DOUBTFUL)
    return FrameResult(frame=frame, solution=replace(solution, trace=()))


def predict(known: Sequence[tuple[int, Poses]], frame: int, bodies: Sequence[Body]) -> Poses:
    """Poses at a frame from the last two known ones, at constant velocity of pivot and rotation.

    Velocities count frame numbers, so gaps are bridged in proportion; a gap of more than three times
    the known one is bridged by the last pose alone.
    """
    last_frame, last = known[-1]
    if len(known) < 2:
        return last
    previous_frame, previous = known[-2]
    ratio = (frame - last_frame) / (last_frame - previous_frame)
    if not 0 < ratio <= 3:
        return last
    return tuple(
        _extrapolated(body, before, after, ratio) for body, before, after in zip(bodies, previous, last, strict=True)
    )


def _extrapolated(body: Body, before: Rigid, after: Rigid, ratio: float) -> Rigid:
    turn = so3_exp(ratio * so3_log(after.rotation @ before.rotation.T))
    rotation = nearest_rotation(turn @ after.rotation)
    pivots = [pose.apply(body.pivot_mm[None])[0] for pose in (before, after)]
    pivot_mm = pivots[1] + ratio * (pivots[1] - pivots[0])
    return Rigid(rotation=rotation, translation_mm=pivot_mm - rotation @ body.pivot_mm)
