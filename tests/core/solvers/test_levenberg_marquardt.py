"""Levenberg-Marquardt on problems with known answers."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from core.registration.values import finish
from core.solvers.levenberg_marquardt import Damping, minimise


@dataclass
class Model:
    cost: float
    hessian: np.ndarray
    rhs: np.ndarray


def least_squares(residual, jacobian):
    def evaluate(x):
        r, j = residual(x), jacobian(x)
        return Model(cost=float(r @ r), hessian=j.T @ j, rhs=-j.T @ r)

    return evaluate


ROSENBROCK = least_squares(
    lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), lambda x: np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])
)


def add(x, step):
    return x + step


def test_rosenbrock_is_solved():
    end = finish(minimise(ROSENBROCK, add, np.array([-1.2, 1.0]), np.ones(2), Damping(iterations=100, settled=1e-9)))
    np.testing.assert_allclose(end.point, [1, 1], atol=1e-6)
    assert end.settled


def test_cost_never_rises():
    costs = [
        step.model.cost
        for step in minimise(ROSENBROCK, add, np.array([-1.2, 1.0]), np.ones(2), Damping(iterations=40, settled=0))
    ]
    assert all(after <= before for before, after in itertools.pairwise(costs))
    assert costs[-1] < costs[0]


def test_blind_directions_stay_put():
    evaluate = least_squares(lambda x: x[:1] - 3, lambda x: np.array([[1.0, 0.0]]))
    end = finish(minimise(evaluate, add, np.array([0.0, 7.0]), np.ones(2), Damping(iterations=30, settled=1e-9)))
    np.testing.assert_allclose(end.point, [3, 7], atol=1e-6)


def test_steps_are_limited():
    evaluate = least_squares(lambda x: x - 1000, lambda x: np.eye(1))
    steps = minimise(evaluate, add, np.zeros(1), np.ones(1), Damping(iterations=1, settled=0, longest=15))
    assert finish(steps).point[0] == pytest.approx(15)


def test_out_of_iterations_is_not_settled():
    end = finish(minimise(ROSENBROCK, add, np.array([-1.2, 1.0]), np.ones(2), Damping(iterations=2, settled=1e-9)))
    assert not end.settled
    assert end.evaluations == 3
