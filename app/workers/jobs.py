"""The long jobs as generators: prepare bodies, register a frame, track; the calls the command line makes too."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final

from app.workers.priority import usable_cores
from core.errors import DuoscopeError
from core.geometry.rigid import Rigid
from core.initialisation.search import BodyMasks, find_poses
from core.registration.level import Level, pictures_of
from core.registration.methods import DEFAULT, register_by
from core.registration.recipe import Recipe
from core.registration.sequence import FrameResult, track
from core.registration.values import Body, Problem, Shot, Solution, Step


class Source(Protocol):
    """Where jobs get pictures and bodies from; safe to be asked from any thread."""

    def shots(self, trial: str, frame: int) -> tuple[Shot, ...]:
        """The pictures of a frame with their usable pixels."""

    def body(self, name: str) -> Body:
        """A prepared body."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """One body is ready, or why it is not."""

    name: str
    body: Body | None
    error: str = ""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """What a registration or a track is about."""

    trial: str
    bodies: tuple[str, ...]
    frames: tuple[int, ...]
    starts: Mapping[int, tuple[Rigid, ...]]
    recipe: Recipe
    method: str = DEFAULT
    """Id of the registration method."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Moving:
    """A running job's report: where the bodies are now in the frame in work."""

    frame: int
    poses: tuple[Rigid, ...]
    fraction: float
    cost: float
    stage: str


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Registered:
    """One frame's result beside what was there before; no solution where the frame failed."""

    asked: Asked
    frame: int
    solution: Solution | None
    start: tuple[Rigid, ...]
    start_scores: tuple[float, ...]
    """Of the start in each view; empty where there was none."""
    rival_scores: tuple[tuple[float, ...], ...] = ()
    """Of each rival of the solution in each view."""
    error: str = ""


def scores_of(problem: Problem, poses: tuple[Rigid, ...], recipe: Recipe) -> tuple[float, ...]:
    """Score of each view at the stage that decides a registration, so that old and new can be compared."""
    level = Level(problem.bodies, pictures_of(problem), poses, recipe.stages[-1], recipe)
    return tuple(view.correlation for view in level.evaluate(poses).per_view)


def prepare(source: Source, names: Sequence[str]) -> Generator[Prepared, None, None]:
    """Prepare bodies one after the other; one that fails does not stop the others."""
    for name in names:
        try:
            body = source.body(name)
        except DuoscopeError as error:
            yield Prepared(name=name, body=None, error=str(error))
        else:
            yield Prepared(name=name, body=body)


def register(source: Source, asked: Asked) -> Generator[Moving | Registered, None, None]:
    """Register the one frame that is asked for."""
    frame = asked.frames[0]
    starts = asked.starts[frame]
    problem = Problem(bodies=tuple(source.body(name) for name in asked.bodies), shots=source.shots(asked.trial, frame))
    start_scores = scores_of(problem, starts, asked.recipe)
    work = register_by(asked.method, problem, starts, asked.recipe)
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            solution: Solution = end.value
            break
        yield _moving(frame, step, step.fraction)
    yield Registered(
        asked=asked,
        frame=frame,
        solution=solution,
        start=starts,
        start_scores=start_scores,
        rival_scores=_rival_scores(problem, solution, asked.recipe),
    )


def find(
    source: Source,
    asked: Asked,
    masks: Sequence[BodyMasks | None] | None = None,
    prior_deg: float | None = None,
) -> Generator[Moving | Registered, None, None]:
    """Find the one frame that is asked for from masks, without a start.

    Args:
        source: pictures and bodies.
        asked: the frame; its start, if it has one, is the prior and what the result is compared with.
        masks: for each body its mask in each view (h w); None where nobody drew one.
        prior_deg: how far the rotations may be from the start's; without, all rotations are tried.
    """
    frame = asked.frames[0]
    prior = asked.starts.get(frame)
    problem = Problem(bodies=tuple(source.body(name) for name in asked.bodies), shots=source.shots(asked.trial, frame))
    start_scores = () if prior is None else scores_of(problem, prior, asked.recipe)
    work = find_poses(problem, masks, prior=prior, prior_deg=prior_deg)
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            solution: Solution = end.value
            break
        yield _moving(frame, step, step.fraction)
    yield Registered(
        asked=asked,
        frame=frame,
        solution=solution,
        start=solution.poses if prior is None else prior,
        start_scores=start_scores,
        rival_scores=_rival_scores(problem, solution, asked.recipe),
    )


def follow(
    source: Source, asked: Asked, shown: Mapping[int, tuple[Rigid, ...]], *, stop_when_lost: bool = False
) -> Generator[Moving | Registered, None, None]:
    """Track through the frames that are asked for; every frame is reported when it is done.

    Args:
        source: pictures and bodies.
        asked: the frames in their order and the known poses to begin with.
        shown: what each frame shows now, to compare the results with.
        stop_when_lost: end at the first frame in doubt.
    """
    bodies = tuple(source.body(name) for name in asked.bodies)
    work = track(
        lambda frame: source.shots(asked.trial, frame),
        bodies,
        asked.frames,
        asked.starts,
        asked.recipe,
        workers=usable_cores(),
        stop_when_lost=stop_when_lost,
        method=asked.method,
    )
    for report in work:
        if report.result is not None:
            yield _tracked(source, asked, bodies, report.result, shown)
        elif report.step is not None:
            yield _moving(report.frame, report.step, report.fraction)


def _tracked(
    source: Source,
    asked: Asked,
    bodies: tuple[Body, ...],
    result: FrameResult,
    shown: Mapping[int, tuple[Rigid, ...]],
) -> Registered:
    old = shown.get(result.frame)
    scores: tuple[float, ...] = ()
    rivals: tuple[tuple[float, ...], ...] = ()
    if result.solution is not None and (old is not None or result.solution.rivals):
        problem = Problem(bodies=bodies, shots=source.shots(asked.trial, result.frame))
        scores = () if old is None else scores_of(problem, old, asked.recipe)
        rivals = _rival_scores(problem, result.solution, asked.recipe)
    start = old if old is not None else (result.solution.poses if result.solution is not None else ())
    return Registered(
        asked=asked,
        frame=result.frame,
        solution=result.solution,
        start=start,
        start_scores=scores,
        rival_scores=rivals,
        error=result.error,
    )


def _rival_scores(problem: Problem, solution: Solution, recipe: Recipe) -> tuple[tuple[float, ...], ...]:
    return tuple(scores_of(problem, poses, recipe) for poses in solution.rivals)


def _moving(frame: int, step: Step, fraction: float) -> Moving:
    return Moving(frame=frame, poses=step.poses, fraction=fraction, cost=step.cost, stage=step.stage)
