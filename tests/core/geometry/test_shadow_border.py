"""The border of crossing loops: against closed forms, and pixel by pixel against what the loops cover."""

import numpy as np
import pytest

from core.geometry.shadow_border import shadow_border


def square(left: float, top: float, side: float) -> np.ndarray:
    return np.array([[left, top], [left + side, top], [left + side, top + side], [left, top + side]])


def length(segments: np.ndarray) -> float:
    return float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())


def crossings(segments: np.ndarray, *, signed: bool) -> np.ndarray:
    """For each pixel of 256 x 256 how many segments the ray to its right crosses."""
    v, u = np.mgrid[:256, :256]
    total = np.zeros((256, 256), dtype=int)
    for (ax, ay), (bx, by) in segments:
        meets = (ay <= v) != (by <= v)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = ax + (v - ay) / (by - ay) * (bx - ax)
        total += (meets & (at > u)) * (-1 if signed and by < ay else 1)
    return total


def area_inside(segments: np.ndarray) -> float:
    a, b = segments[:, 0], segments[:, 1]
    return 0.5 * float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())


def test_two_overlapping_squares_are_their_union():
    border = shadow_border([square(0, 0, 10), square(6, 4, 10)])
    assert length(border) == pytest.approx(80 - 2 * (4 + 6))
    assert area_inside(border) == pytest.approx(200 - 4 * 6)


def test_inner_loops_of_the_same_sense_vanish_and_holes_stay():
    outer, inner = square(0, 0, 30), square(10, 10, 5)
    assert length(shadow_border([outer, inner])) == pytest.approx(120)
    with_hole = shadow_border([outer, inner[::-1]])
    assert length(with_hole) == pytest.approx(140)
    assert area_inside(with_hole) == pytest.approx(900 - 25)


def test_a_loop_walked_twice_has_one_border_of_each_walk():
    border = shadow_border([square(0, 0, 10), square(0, 0, 10)])
    assert length(border) == pytest.approx(80)
    np.testing.assert_allclose(np.unique(border.reshape(-1, 2), axis=0), np.unique(square(0, 0, 10), axis=0))


def test_edges_keep_their_corners_exactly_and_chain():
    loop = square(0.1, 0.2, 10.3)
    border = shadow_border([loop])
    np.testing.assert_array_equal(border[:, 0], loop)
    np.testing.assert_array_equal(border[:, 1], np.roll(loop, -1, axis=0))


def test_nothing_and_flat_things_have_no_border():
    assert shadow_border([]).shape == (0, 2, 2)
    assert shadow_border([np.array([[0.0, 5.0], [3.0, 5.0]])]).shape == (0, 2, 2)


@pytest.mark.parametrize("seed", range(6))
def test_random_tangles_are_bordered_as_they_are_covered(seed):
    """The border, filled even-odd, is what the loops cover with nonzero winding."""
    generator = np.random.default_rng(seed)
    loops = []
    for _ in range(5):
        angle = np.linspace(0, 2 * np.pi, 41)[:-1]
        radius = 40 + 25 * np.sin(3 * angle + generator.uniform(0, 6)) + generator.uniform(-6, 6, 40)
        centre = generator.uniform(80, 176, 2)
        loops.append(centre + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    border = shadow_border(loops)
    edges = [np.stack([loop, np.roll(loop, -1, axis=0)], axis=1) for loop in loops]
    covered = sum(crossings(each, signed=True) != 0 for each in edges) > 0
    inside = crossings(border, signed=False) % 2 == 1
    assert (inside != covered).sum() <= 1, "only a pixel within rounding of the border may differ"
    assert 0.1 < inside.mean() < 0.9
