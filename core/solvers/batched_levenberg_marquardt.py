"""Levenberg-Marquardt for many problems side by side: the rules of one, vectorised."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, final

import numpy as np
from jaxtyping import Bool, Float, Int

from core.solvers.levenberg_marquardt import Damping

Points = TypeVar("Points")


class Quadratics(Protocol):
    """Costs of all problems with their Gauss-Newton models: ``cost - 2 rhs.x + x.hessian.x`` each."""

    @property
    def cost(self) -> Float[np.ndarray, " b"]:
        """The costs at the points themselves."""
        ...

    @property
    def hessian(self) -> Float[np.ndarray, "b k k"]:
        """Half the second derivatives."""
        ...

    @property
    def rhs(self) -> Float[np.ndarray, "b k"]:
        """Minus half the gradients."""
        ...


Models = TypeVar("Models", bound=Quadratics)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Iterates(Generic[Points, Models]):
    """Where all searches stand."""

    points: Points
    models: Models
    evaluations: Int[np.ndarray, " b"]
    settled: Bool[np.ndarray, " b"]
    running: Bool[np.ndarray, " b"]


def minimise_all(
    evaluate: Callable[[Points, Bool[np.ndarray, " b"]], Models],
    move: Callable[[Points, Float[np.ndarray, "b k"]], Points],
    choose: Callable[[Bool[np.ndarray, " b"], Points, Points], Points],
    merge: Callable[[Bool[np.ndarray, " b"], Models, Models], Models],
    start: Points,
    count: int,
    scale: Float[np.ndarray, " k"],
    damping: Damping,
) -> Generator[Iterates[Points, Models], None, Iterates[Points, Models]]:
    """Go downhill from all starts at once; each problem moves exactly as ``minimise`` would move it.

    ``evaluate`` gets the points and the mask of the problems that still run and may return anything for the others;
    ``choose`` and ``merge`` take the second argument where the mask is True, else the third.
    Yields after each joint evaluation, returns the best points.
    """
    running, settled = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)
    points, models = start, evaluate(start, running)
    evaluations, damp = np.ones(count, dtype=np.int64), np.full(count, damping.start)
    yield Iterates(points=points, models=models, evaluations=evaluations.copy(), settled=settled, running=running)
    for _ in range(damping.iterations):
        steps = _damped_steps(models, scale, damp, damping.longest)
        lengths = np.abs(steps).max(axis=1)
        moved = move(points, np.where(running[:, None], steps * scale, 0.0))
        tried = evaluate(moved, running)
        evaluations += running
        better = running & (tried.cost < models.cost)
        points, models = choose(better, moved, points), merge(better, tried, models)
        eased, raised = np.maximum(damp / damping.down, damping.floor), damp * damping.up
        damp = np.where(better, eased, np.where(running, raised, damp))
        settled = np.where(running, lengths < damping.settled, settled)
        running = running & ~settled & (damp <= damping.ceiling)
        yield Iterates(points=points, models=models, evaluations=evaluations.copy(), settled=settled, running=running)
        if not running.any():
            break
    return Iterates(points=points, models=models, evaluations=evaluations, settled=settled, running=running)


def _damped_steps(
    models: Quadratics, scale: Float[np.ndarray, " k"], damp: Float[np.ndarray, " b"], longest: float
) -> Float[np.ndarray, "b k"]:
    hessian = models.hessian * np.outer(scale, scale)
    diagonal = np.einsum("bii->bi", hessian)
    floor = 0.05 * diagonal.max(axis=1, keepdims=True) + 1e-12
    weights = damp[:, None] * np.maximum(diagonal, floor)
    damped = hessian + weights[:, :, None] * np.eye(len(scale))
    steps = np.linalg.solve(damped, (models.rhs * scale)[..., None])[..., 0]
    lengths = np.abs(steps).max(axis=1, keepdims=True)
    return np.asarray(np.where(lengths > longest, steps * (longest / np.maximum(lengths, 1e-300)), steps))
