"""Levenberg-Marquardt on a manifold: the caller says how a point is moved and what its cost is."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, final

import numpy as np
from jaxtyping import Float

Point = TypeVar("Point")


class Quadratic(Protocol):
    """A cost with its Gauss-Newton model: ``cost(x) ~ cost - 2 rhs.x + x.hessian.x``."""

    @property
    def cost(self) -> float:
        """The cost at the point itself."""
        ...

    @property
    def hessian(self) -> Float[np.ndarray, "k k"]:
        """Half the second derivative."""
        ...

    @property
    def rhs(self) -> Float[np.ndarray, " k"]:
        """Minus half the gradient."""
        ...


Model = TypeVar("Model", bound=Quadratic)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Damping:
    """How far and how long to go; steps are measured after scaling."""

    iterations: int
    settled: float
    """A step shorter than this ends the search."""
    longest: float = 15.0
    start: float = 1e-2
    down: float = 5.0
    up: float = 6.0
    floor: float = 1e-5
    ceiling: float = 1e3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Iterate(Generic[Point, Model]):
    """Where the search stands."""

    point: Point
    model: Model
    evaluations: int
    settled: bool


def minimise(
    evaluate: Callable[[Point], Model],
    move: Callable[[Point, Float[np.ndarray, " k"]], Point],
    start: Point,
    scale: Float[np.ndarray, " k"],
    damping: Damping,
) -> Generator[Iterate[Point, Model], None, Iterate[Point, Model]]:
    """Go downhill from ``start``; yields after each evaluation, returns the best point.

    ``scale`` makes parameters comparable (a step of 1 after scaling is one unit each). Damping after
    Marquardt (1963) with a floor on the diagonal so that blind directions stay put.
    """
    point, model = start, evaluate(start)
    evaluations, damp, settled = 1, damping.start, False
    yield Iterate(point=point, model=model, evaluations=evaluations, settled=False)
    for _ in range(damping.iterations):
        step = _damped_step(model, scale, damp, damping.longest)
        length = float(np.abs(step).max())
        moved = move(point, step * scale)
        tried = evaluate(moved)
        evaluations += 1
        if tried.cost < model.cost:
            point, model = moved, tried
            damp = max(damp / damping.down, damping.floor)
        else:
            damp *= damping.up
        settled = length < damping.settled
        yield Iterate(point=point, model=model, evaluations=evaluations, settled=settled)
        if settled or damp > damping.ceiling:
            break
    return Iterate(point=point, model=model, evaluations=evaluations, settled=settled)


def _damped_step(
    model: Quadratic, scale: Float[np.ndarray, " k"], damp: float, longest: float
) -> Float[np.ndarray, " k"]:
    hessian = model.hessian * np.outer(scale, scale)
    diagonal = np.diag(hessian)
    floor = 0.05 * diagonal.max() + 1e-12
    step = np.linalg.solve(hessian + damp * np.diag(np.maximum(diagonal, floor)), model.rhs * scale)
    length = float(np.abs(step).max())
    return step * (longest / length) if length > longest else step
