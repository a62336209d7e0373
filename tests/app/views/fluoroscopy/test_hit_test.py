"""Which body a click means."""

import numpy as np
import pytest

from app.views.fluoroscopy import OverlayStyle
from app.views.fluoroscopy.hit_test import body_at, covers, distance_to_segments, grabbed_body, winding_number
from tests.app.views.fluoroscopy.conftest import box, polygon_overlay

FEMUR, TIBIA = polygon_overlay("femur", box(0, 0, 100, 100)), polygon_overlay("tibia", box(80, 80, 200, 200))


def test_the_nearest_outline_within_reach_wins_then_the_topmost_shadow():
    both = [FEMUR, TIBIA]
    assert body_at(both, (50, 99), 5) == "femur"
    assert body_at(both, (82, 90), 5) == "tibia"
    assert body_at(both, (97, 90), 5) == "femur"
    assert body_at(both, (90, 90), 3) == "tibia", "inside both: the one on top"
    assert body_at(both[::-1], (90, 90), 3) == "femur"
    assert body_at(both, (-4, 50), 5) == "femur"
    assert body_at(both, (-6, 50), 5) is None
    assert body_at(both, (150, 20), 5) is None


def test_bodies_that_are_off_cannot_be_hit():
    off = polygon_overlay("femur", box(0, 0, 100, 100), style=OverlayStyle.OFF)
    assert body_at([off], (50, 50), 5) is None
    assert grabbed_body([off], (50, 50), 5) is None


def test_a_drag_prefers_the_selected_body_where_it_is_under_the_cursor():
    chosen = polygon_overlay("femur", box(0, 0, 100, 100), selected=True)
    assert grabbed_body([chosen, TIBIA], (90, 90), 3) == "femur"
    assert grabbed_body([chosen, TIBIA], (150, 150), 3) == "tibia"
    assert grabbed_body([chosen, TIBIA], (300, 300), 3) is None


def test_distance_to_segments_counts_their_ends():
    segments = np.array([[[0.0, 0.0], [10.0, 0.0]], [[5.0, 5.0], [5.0, 5.0]]])
    assert distance_to_segments(segments, (3, 2)) == pytest.approx(2)
    assert distance_to_segments(segments, (13, 4)) == pytest.approx(5)
    assert distance_to_segments(segments, (5, 4)) == pytest.approx(1)
    assert distance_to_segments(np.empty((0, 2, 2)), (5, 4)) == np.inf


def test_winding_counts_layers_and_holes():
    outer, inner = box(0, 0, 30, 30), box(10, 10, 20, 20)
    assert abs(winding_number([outer, inner], (15, 15))) == 2
    assert winding_number([outer, inner[::-1]], (15, 15)) == 0
    assert not covers([outer, inner[::-1]], (15, 15))
    assert covers([outer, inner[::-1]], (5, 15))
    assert not covers([], (5, 15))
