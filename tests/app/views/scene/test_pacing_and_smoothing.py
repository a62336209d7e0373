"""When and how fine the scene is drawn."""

import numpy as np
import pytest

from app.views.scene.pacing import BUDGET_MS, INTERVAL_MS, SCALES, Pacing
from app.views.scene.smoothing import JITTERS_PX, Mean


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def draw(self, pacing, ms, *, representative=True):
        pacing.begin()
        self.now += ms / 1e3
        pacing.end(representative=representative)


def test_the_first_drawing_is_due_at_once_and_the_next_after_the_interval():
    clock = Clock()
    pacing = Pacing(clock)
    assert pacing.wait_ms() == 0.0
    clock.draw(pacing, 10)
    assert pacing.wait_ms() == pytest.approx(INTERVAL_MS - 10)
    clock.now += 1
    assert pacing.wait_ms() == 0.0


def test_a_slow_drawing_leaves_time_for_the_rest():
    clock = Clock()
    pacing = Pacing(clock)
    clock.draw(pacing, 200)
    assert pacing.wait_ms() >= 100


def test_resolution_goes_down_until_the_budget_is_kept_and_comes_back():
    clock = Clock()
    pacing = Pacing(clock)
    for _ in range(20):
        clock.draw(pacing, 150 * pacing.scale**2)
    assert 150 * pacing.scale**2 <= BUDGET_MS
    assert pacing.scale in SCALES
    low = pacing.scale
    for _ in range(20):
        clock.draw(pacing, 8 * pacing.scale**2)
    assert low < pacing.scale == 1.0


def test_one_slow_drawing_that_sets_things_up_does_not_lower_the_resolution():
    clock = Clock()
    pacing = Pacing(clock)
    clock.draw(pacing, 500, representative=False)
    clock.draw(pacing, 20)
    assert pacing.scale == 1.0


@pytest.mark.parametrize("full_ms", [20.0, 46.0, 60.0, 90.0, 130.0, 400.0])
def test_resolution_settles_instead_of_flickering(full_ms):
    clock = Clock()
    pacing = Pacing(clock)
    scales = []
    for _ in range(60):
        clock.draw(pacing, full_ms * pacing.scale**2)
        scales.append(pacing.scale)
    assert len(set(scales[20:])) == 1


def test_the_mean_of_pictures_is_their_mean():
    pictures = np.random.default_rng(3).integers(0, 256, (4, 5, 6, 4), dtype=np.uint8)
    mean = Mean()
    for count, picture in enumerate(pictures, start=1):
        shown = mean.add(picture)
        assert shown.dtype == np.uint8
        assert np.abs(shown - pictures[:count].mean(axis=0)).max() <= 0.5
        assert mean.count == count
    mean.clear()
    assert np.array_equal(mean.add(pictures[2]), pictures[2])


def test_shifts_average_to_nothing():
    assert np.allclose(np.mean(JITTERS_PX, axis=0), 0.0)
    assert len(set(np.array(JITTERS_PX)[:, 0])) == len(JITTERS_PX)
