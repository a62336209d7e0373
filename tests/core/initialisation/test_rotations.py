"""The grid of rotations leaves no gap, and a cone around a prior holds just what is near it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from core.initialisation.rotations import rotations_within, spiral


def _nearest_deg(grid: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    cosines = 0.5 * (np.einsum("nij,mij->mn", grid, rotations).max(axis=1) - 1.0)
    return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))


@pytest.mark.parametrize("spacing_deg", [15.0, 20.0, 30.0, 45.0])
def test_no_rotation_is_farther_than_the_spacing(spacing_deg: float) -> None:
    grid = rotations_within(spacing_deg)
    anywhere = Rotation.random(1500, random_state=3).as_matrix()
    farthest = _nearest_deg(grid, anywhere).max()
    assert farthest <= spacing_deg
    assert farthest > 0.6 * spacing_deg  # and none are wasted


def test_all_are_rotations() -> None:
    grid = spiral(200)
    np.testing.assert_allclose(grid @ np.swapaxes(grid, 1, 2), np.broadcast_to(np.eye(3), grid.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(grid), 1.0)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.floats(10.0, 90.0))
def test_a_cone_holds_the_prior_and_covers_what_is_near(seed: int, within_deg: float) -> None:
    prior = Rotation.random(random_state=seed)
    grid = rotations_within(20.0, prior.as_matrix(), within_deg)
    np.testing.assert_array_equal(grid[0], prior.as_matrix())
    away = np.degrees((Rotation.from_matrix(grid) * prior.inv()).magnitude())
    assert away.max() <= within_deg + 1e-6
    generator = np.random.default_rng(seed)
    axis = generator.standard_normal((40, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.radians(within_deg) * 0.6 * generator.uniform(size=40) ** (1 / 3)
    inside = (Rotation.from_rotvec(axis * angle[:, None]) * prior).as_matrix()
    assert _nearest_deg(grid, inside).max() <= 20.0
