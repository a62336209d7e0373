"""The cost, its plain definition, and its normal equations."""

import numpy as np
import pytest

from core.similarity.gradient_correlation import central_differences, normal_equations, target_of


def plain_cost(drawn: np.ndarray, seen: np.ndarray, counts: np.ndarray) -> float:
    m = central_differences(drawn[..., None].astype(np.float32))[..., 0][counts].ravel().astype(float)
    t = central_differences(seen[..., None].astype(np.float32))[..., 0][counts].ravel().astype(float)
    return 1 - (m @ t) ** 2 / (m @ m) / (t @ t)


@pytest.fixture
def pictures():
    generator = np.random.default_rng(2)
    v, u = np.mgrid[:48, :60]
    bump = np.exp(-((u - 28) ** 2 + (v - 22) ** 2) / 90.0)
    bump[bump < 1e-3] = 0.0
    seen = 5 - 3 * np.roll(bump, (1, 2), (0, 1)) + 0.05 * generator.normal(size=bump.shape)
    counts = np.ones(bump.shape, dtype=bool)
    counts[:, :6] = False
    return -bump, seen, counts


def derivatives(picture: np.ndarray) -> np.ndarray:
    """The picture and what it does when its content moves right or down by a pixel."""
    gradient = np.stack(np.gradient(picture), axis=-1)[..., ::-1]
    return np.concatenate([picture[..., None], -gradient], axis=-1).astype(np.float32)


def test_cost_is_one_minus_squared_correlation(pictures):
    drawn, seen, counts = pictures
    system = normal_equations(derivatives(drawn), target_of(seen.astype(np.float32), counts))
    assert system.cost == pytest.approx(plain_cost(drawn, seen, counts), abs=1e-5)
    assert system.correlation == pytest.approx(np.sqrt(1 - system.cost), abs=1e-6)
    assert system.pixels == counts.sum()


def test_gain_and_offset_do_not_matter(pictures):
    drawn, seen, counts = pictures
    one = normal_equations(derivatives(drawn), target_of(seen.astype(np.float32), counts))
    other = normal_equations(derivatives(drawn), target_of((40 + 7 * seen).astype(np.float32), counts))
    assert one.cost == pytest.approx(other.cost, abs=1e-5)


def test_inverted_pictures_cost_more(pictures):
    drawn, seen, counts = pictures
    inverted = normal_equations(derivatives(drawn), target_of((-seen).astype(np.float32), counts))
    assert inverted.correlation < 0
    assert inverted.cost > 1


def test_right_hand_side_is_half_the_downhill_gradient(pictures):
    drawn, seen, counts = pictures
    target = target_of(seen.astype(np.float32), counts)
    stack = derivatives(drawn).astype(np.float64)
    system = normal_equations(stack.astype(np.float32), target)
    for k in (1, 2):
        step = 1e-2
        costs = []
        for sign in (1, -1):
            tried = stack.copy()
            tried[..., 0] += sign * step * stack[..., k]
            costs.append(normal_equations(tried.astype(np.float32), target).cost)
        slope = (costs[0] - costs[1]) / (2 * step)
        assert system.rhs[k - 1] == pytest.approx(-slope / 2, rel=0.02)


def test_a_step_leads_downhill_to_the_shift(pictures):
    drawn, seen, counts = pictures
    system = normal_equations(derivatives(drawn), target_of(seen.astype(np.float32), counts))
    step = np.linalg.solve(system.hessian, system.rhs)
    np.testing.assert_allclose(step, [2, 1], atol=0.5)


def test_nothing_to_compare_costs_one(pictures):
    drawn, seen, counts = pictures
    for target in (
        target_of(seen.astype(np.float32), np.zeros_like(counts)),
        target_of(np.zeros(seen.shape, np.float32), counts),
    ):
        system = normal_equations(derivatives(drawn), target)
        assert system.cost == 1.0
        assert not system.hessian.any()
    assert normal_equations(derivatives(0 * drawn), target_of(seen.astype(np.float32), counts)).cost == 1.0


def test_clipping_tames_the_strongest_edges(pictures):
    _, seen, counts = pictures
    seen = seen.copy()
    seen[:, 50:] += 100
    free = target_of(seen.astype(np.float32), counts)
    clipped = target_of(seen.astype(np.float32), counts, clip_quantile=0.9)
    assert np.abs(clipped.gradient).max() < 0.1 * np.abs(free.gradient).max()
    assert clipped.energy < 0.1 * free.energy
