"""Register many frames (or hypotheses) at once on one device: the recipe of a single frame, side by side."""

import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from core.errors import RegistrationError
from core.geometry.rigid import Rigid, nearest_rotation, so3_exp
from core.registration.device_level import DeviceLevel, Drawable, Evaluations, allowed_departure_mm
from core.registration.frame import Descended, conclude, refused
from core.registration.level import Level, Poses, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body, Problem, Solution, Step, finish
from core.rendering.warp_device import check_device
from core.solvers.batched_levenberg_marquardt import Iterates, minimise_all
from core.solvers.levenberg_marquardt import Damping

FRAMES_AT_ONCE = 64
"""Enough to fill a graphics card, few enough for 2 GB at 512 px."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStep:
    """One report: how far the whole work is, and the frame that is done, if one is."""

    stage: str
    fraction: float
    index: int | None = None
    solution: Solution | None = None


def register_batch(
    problems: Sequence[Problem],
    starts: Sequence[Sequence[Rigid]],
    recipe: Recipe | None = None,
    device: str = "auto",
    *,
    frames_at_once: int = FRAMES_AT_ONCE,
    workers: int = 1,
) -> Generator[BatchStep, None, tuple[Solution, ...]]:
    """Register each problem from its starts, as ``register_frame`` does, many at once.

    The descent through the stages is computed on the device. The few frames that then need second starts or
    mirrored poses are finished one by one on the CPU by the same code as single frames. Yields after each joint
    evaluation and with each frame's solution; closing the generator cancels.

    Args:
        problems: of the same bodies (the same objects) and as many shots each.
        starts: for each problem world_from_body of each body.
        recipe: the schedule; by default that of a single frame.
        device: ``auto``, ``cpu`` or ``cuda``; ``cpu`` runs the same kernels as a check.
        frames_at_once: problems on the device at the same time.
        workers: threads that prepare pictures.

    Raises:
        RegistrationError: problems of different bodies or numbers of shots, or not one start a body.
        DeviceError: the device or Warp is not there.
    """
    recipe = Recipe() if recipe is None else recipe
    name = check_device(device)
    _check(problems, starts)
    solutions: dict[int, Solution] = {}
    waiting: list[int] = []
    for index, (problem, start) in enumerate(zip(problems, starts, strict=True)):
        refusal = refused(problem, start)
        if refusal is None:
            waiting.append(index)
        else:
            solutions[index] = refusal
            yield BatchStep(stage="refused", fraction=len(solutions) / len(problems), index=index, solution=refusal)
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for first in range(0, len(waiting), frames_at_once):
            part = waiting[first : first + frames_at_once]
            batch = _Batch([problems[k] for k in part], [tuple(starts[k]) for k in part], recipe, name, pool)
            done = len(solutions)
            for stage, share in batch.descend():
                yield BatchStep(stage=stage, fraction=(done + 0.9 * share * len(part)) / len(problems))
            for number, (index, solution) in enumerate(zip(part, batch.conclude(), strict=True), start=1):
                solutions[index] = solution
                share = 0.9 * len(part) + 0.1 * number
                fraction = len(solutions) / len(problems) if number == len(part) else (done + share) / len(problems)
                yield BatchStep(stage="done", fraction=fraction, index=index, solution=solution)
    return tuple(solutions[index] for index in range(len(problems)))


def _check(problems: Sequence[Problem], starts: Sequence[Sequence[Rigid]]) -> None:
    if len(problems) != len(starts):
        raise RegistrationError(f"{len(problems)} frames need as many starts, got {len(starts)}")
    for problem in problems[1:]:
        same = len(problem.bodies) == len(problems[0].bodies) and all(
            one is other for one, other in zip(problem.bodies, problems[0].bodies, strict=True)
        )
        if not same or len(problem.shots) != len(problems[0].shots):
            raise RegistrationError("frames are registered at once only with the same bodies and as many pictures each")


@final
class _Batch:
    """Problems on their way through the stages."""

    def __init__(
        self, problems: list[Problem], starts: list[Poses], recipe: Recipe, device: str, pool: ThreadPoolExecutor
    ) -> None:
        recipe = recipe.suited_to(problems[0].bodies)
        self._problems, self._starts, self._recipe = problems, starts, recipe
        self._device, self._pool = device, pool
        self._bodies: tuple[Body, ...] = problems[0].bodies
        self._pivots_mm = np.stack([body.pivot_mm for body in self._bodies])
        self._poses = _stacked(starts)
        self._attenuation = np.tile(recipe.first_attenuations(self._bodies), (len(problems), 1))
        self._traces: list[list[Step]] = [[] for _ in problems]
        self._evaluations = np.zeros(len(problems), dtype=np.int64)
        self._began = time.perf_counter()
        self._chosen = False
        self._last: Iterates[Rigid, Evaluations] | None = None

    def descend(self) -> Generator[tuple[str, float], None, None]:
        """All stages, coarse to fine; yields the stage's name and the share of the work."""
        stages = self._recipe.stages
        scale = np.tile([1.0, 1.0, 1.0, *[1 / self._recipe.lever_mm] * 3], len(self._bodies))
        for number, stage in enumerate(stages):
            level = self._level(stage)
            search = minimise_all(
                partial(_evaluated, level, self._attenuation),
                partial(_moved, self._pivots_mm),
                _chosen_poses,
                _chosen_models,
                self._poses,
                len(self._problems),
                scale,
                Damping(iterations=stage.iterations, settled=stage.settled),
            )
            name = f"fit {stage.picture_px} px"
            before = self._evaluations.copy()
            while True:
                try:
                    at = next(search)
                except StopIteration as stop:
                    self._last = stop.value
                    break
                share = (number + min(int(at.evaluations.max()) / stage.iterations, 1.0)) / len(stages)
                self._report(name, 0.7 * share, at, before)
                yield name, share
            self._poses = self._last.points
            if not self._chosen and stage.picture_px >= self._recipe.fewest_px_to_choose:
                self._choose_attenuation(level)

    def _level(self, stage: Stage) -> DeviceLevel:
        frames = _unstacked(self._poses)
        prepared = list(self._pool.map(lambda k: self._prepared(k, frames[k], stage), range(len(frames))))
        finest_mm = np.min([allowed for _, allowed in prepared], axis=0)
        return DeviceLevel(
            [Drawable.of(body, float(allowed)) for body, allowed in zip(self._bodies, finest_mm, strict=True)],
            [level.views for level, _ in prepared],
            supersample=stage.supersample,
            smoothing_px=self._recipe.smoothing_px,
            device=self._device,
        )

    def _prepared(self, index: int, poses: Poses, stage: Stage) -> tuple[Level, tuple[float, ...]]:
        pictures = pictures_of(self._problems[index])
        level = Level(self._bodies, pictures, poses, stage, self._recipe)
        return level, tuple(allowed_departure_mm(pictures, pose, stage) for pose in poses)

    def _report(
        self, stage: str, fraction: float, at: Iterates[Rigid, Evaluations], before: Int[np.ndarray, " b"]
    ) -> None:
        """Note the step of each frame that was just evaluated."""
        frames = _unstacked(at.points)
        evaluated = before + at.evaluations > self._evaluations
        for index in np.flatnonzero(evaluated):
            cost = float(at.models.cost[index])
            self._traces[index].append(Step(stage=stage, fraction=fraction, poses=frames[index], cost=cost))
        self._evaluations = before + at.evaluations

    def _choose_attenuation(self, level: DeviceLevel) -> None:
        """For each body in turn, the attenuation that explains each frame's pictures best at its poses."""
        everyone = np.ones(len(self._problems), dtype=bool)
        for body in range(len(self._bodies)):
            to_beat = self._recipe.clearly_better * level.evaluate(self._poses, self._attenuation, everyone).cost
            chosen = self._attenuation[:, body].copy()
            for value in self._recipe.attenuations_per_mm:
                tried = self._attenuation.copy()
                tried[:, body] = value
                cost = level.evaluate(self._poses, tried, everyone).cost
                better = cost < to_beat
                to_beat, chosen = np.where(better, cost, to_beat), np.where(better, value, chosen)
                self._evaluations += 1
            self._attenuation[:, body] = chosen
        self._chosen = True

    def conclude(self) -> Generator[Solution, None, None]:
        """The solution of each problem, in their order."""
        if self._last is None:
            raise RegistrationError("a registration needs at least one stage")
        seconds = (time.perf_counter() - self._began) / len(self._problems)
        frames = _unstacked(self._last.points)
        for index, problem in enumerate(self._problems):
            reached = Descended(
                poses=frames[index],
                last=self._last.models.of(index),
                settled=bool(self._last.settled[index]),
                attenuation_per_mm=tuple(float(value) for value in self._attenuation[index]),
                evaluations=int(self._evaluations[index]),
                trace=tuple(self._traces[index]),
            )
            solution = finish(conclude(problem, self._starts[index], self._recipe, reached))
            yield replace(solution, seconds=solution.seconds + seconds)


def _evaluated(
    level: DeviceLevel, attenuation_per_mm: Float[np.ndarray, "b bodies"], poses: Rigid, active: Bool[np.ndarray, " b"]
) -> Evaluations:
    return level.evaluate(poses, attenuation_per_mm, active)


def _chosen_models(take: Bool[np.ndarray, " b"], one: Evaluations, other: Evaluations) -> Evaluations:
    return one.merged(take, other)


def _moved(pivots_mm: Float[np.ndarray, "bodies 3"], poses: Rigid, twists: Float[np.ndarray, "b k"]) -> Rigid:
    """``Rigid.perturbed`` of poses[frame, body]: six numbers a body, in the order of the bodies."""
    parts = twists.reshape(*poses.translation_mm.shape[:2], 6)
    turns = so3_exp(parts[..., 3:])
    at_mm = poses.apply(np.broadcast_to(pivots_mm[:, None], (*parts.shape[:2], 1, 3)))[..., 0, :]
    arms = poses.translation_mm - at_mm
    return Rigid(
        rotation=nearest_rotation(turns @ poses.rotation),
        translation_mm=(turns @ arms[..., None])[..., 0] + at_mm + parts[..., :3],
    )


def _chosen_poses(take: Bool[np.ndarray, " b"], one: Rigid, other: Rigid) -> Rigid:
    return Rigid(
        rotation=np.where(take[:, None, None, None], one.rotation, other.rotation),
        translation_mm=np.where(take[:, None, None], one.translation_mm, other.translation_mm),
    )


def _stacked(frames: Sequence[Poses]) -> Rigid:
    return Rigid(
        rotation=np.stack([[pose.rotation for pose in poses] for poses in frames]),
        translation_mm=np.stack([[pose.translation_mm for pose in poses] for poses in frames]),
    )


def _unstacked(poses: Rigid) -> list[Poses]:
    return [
        tuple(Rigid(rotation=r, translation_mm=t) for r, t in zip(rotations, shifts, strict=True))
        for rotations, shifts in zip(poses.rotation, poses.translation_mm, strict=True)
    ]
