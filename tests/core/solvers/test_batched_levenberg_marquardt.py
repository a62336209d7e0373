"""Many searches side by side take the very steps that each takes alone."""

from dataclasses import dataclass

import numpy as np

from core.registration.values import finish
from core.solvers.batched_levenberg_marquardt import minimise_all
from core.solvers.levenberg_marquardt import Damping, minimise

STARTS = np.array([[-1.2, 1.0], [2.0, 2.0], [0.9, 0.8], [-3.0, -4.0], [1.0, 1.0]])
SCALE = np.array([1.0, 0.5])
DAMPING = Damping(iterations=25, settled=1e-6, longest=0.7)


@dataclass(frozen=True)
class Valley:
    """Rosenbrock's valley as a sum of two squares, at one point or at many."""

    cost: np.ndarray
    hessian: np.ndarray
    rhs: np.ndarray


def valley(point):
    x, y = point[..., 0], point[..., 1]
    residual = np.stack([1 - x, 10 * (y - x * x)], axis=-1)
    jacobian = np.stack([np.stack([-np.ones_like(x), 0 * x], -1), np.stack([-20 * x, 10 + 0 * x], -1)], -2)
    turned = np.swapaxes(jacobian, -1, -2)
    return Valley((residual**2).sum(-1), turned @ jacobian, -(turned @ residual[..., None])[..., 0])


def merged(take, one, other):
    return Valley(
        np.where(take, one.cost, other.cost),
        np.where(take[:, None, None], one.hessian, other.hessian),
        np.where(take[:, None], one.rhs, other.rhs),
    )


def test_together_as_alone():
    asked = []

    def evaluate(points, running):
        asked.append(running.sum())
        return valley(points)

    together = finish(
        minimise_all(
            evaluate,
            lambda points, steps: points + steps,
            lambda take, one, other: np.where(take[:, None], one, other),
            merged,
            STARTS,
            len(STARTS),
            SCALE,
            DAMPING,
        )
    )
    for index, start in enumerate(STARTS):
        alone = finish(minimise(valley, lambda point, step: point + step, start, SCALE, DAMPING))
        np.testing.assert_allclose(together.points[index], alone.point, atol=1e-12)
        assert together.evaluations[index] == alone.evaluations
        assert together.settled[index] == alone.settled
    assert sum(asked) == together.evaluations.sum()
    assert len(set(together.evaluations)) > 1
