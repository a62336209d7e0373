"""Six numbers in a frame of reference: there and back, steps about the pivot, locks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.presenters.reference_frames import KEYS, reference_frame
from core.geometry.rigid import Rigid
from tests.app.shell.conftest import small_view

NUMBERS = st.lists(st.floats(-80, 80), min_size=6, max_size=6)
VIEWS = (small_view("A", 10.0), small_view("B", 75.0))
BASE = Rigid.from_euler([12.0, -30.0, 55.0], [3.0, -8.0, 20.0])


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("order", ["ZXY", "XYZ", "YZX"])
@given(numbers=NUMBERS)
def test_numbers_make_the_pose_that_shows_them(key, order, numbers):
    frame = reference_frame(key, VIEWS, BASE, order)
    pose = frame.pose(numbers)
    assert frame.pose(frame.values(pose)).close_to(pose, mm=1e-6, deg=1e-5)


def test_in_a_view_x_is_right_and_z_is_away_from_its_source():
    view = VIEWS[1]
    frame = reference_frame("view B", VIEWS, BASE, "ZXY")
    right, away = (frame.stepped(BASE, index, 5.0, np.zeros(3)) for index in (0, 2))
    before = view.project(BASE.translation_mm[None])[0]
    moved = view.project(right.translation_mm[None])[0]
    assert moved[0] > before[0] + 5
    assert moved[1] == pytest.approx(before[1], abs=1e-6)
    assert view.depth_mm(away.translation_mm) == pytest.approx(view.depth_mm(BASE.translation_mm) + 5.0)


def test_in_the_bodys_frame_the_numbers_are_the_change():
    frame = reference_frame("body", VIEWS, BASE, "ZXY")
    assert frame.values(BASE) == pytest.approx([0.0] * 6, abs=1e-9)
    moved = frame.stepped(BASE, 1, 2.0, np.zeros(3))
    np.testing.assert_allclose(moved.translation_mm - BASE.translation_mm, 2.0 * BASE.rotation[:, 1], atol=1e-9)


@pytest.mark.parametrize("key", KEYS)
def test_a_turning_step_changes_its_number_and_keeps_the_pivot(key):
    pivot = np.array([10.0, 40.0, -20.0])
    frame = reference_frame(key, VIEWS, BASE, "ZXY")
    moved = frame.stepped(BASE, 4, 3.0, pivot)
    np.testing.assert_allclose(moved.apply(pivot[None]), BASE.apply(pivot[None]), atol=1e-9)
    before, after = np.array(frame.values(BASE)[3:]), np.array(frame.values(moved)[3:])
    np.testing.assert_allclose(after - before, [0.0, 3.0, 0.0], atol=1e-6)


def test_typing_a_number_leaves_the_others_alone():
    frame = reference_frame("world", VIEWS, BASE, "ZXY")
    after = frame.values(frame.with_value(BASE, 3, 7.0))
    expected = list(frame.values(BASE))
    expected[3] = 7.0
    assert after == pytest.approx(expected, abs=1e-6)


@given(numbers=NUMBERS)
def test_locked_axes_keep_their_share(numbers):
    pivot = np.array([5.0, -3.0, 2.0])
    frame = reference_frame("view A", VIEWS, BASE, "ZXY")
    moved = BASE.perturbed([*numbers[:3], *np.radians(numbers[3:])], pivot)
    kept = frame.locked_motion(BASE, moved, pivot, [True, False, True, True, True, True])
    shift = frame.axes_world.T @ (kept.apply(pivot[None])[0] - BASE.apply(pivot[None])[0])
    wanted = frame.axes_world.T @ (moved.apply(pivot[None])[0] - BASE.apply(pivot[None])[0])
    assert shift == pytest.approx([0.0, wanted[1], 0.0], abs=1e-6)
    assert kept.angle_deg_to(BASE) == pytest.approx(0.0, abs=1e-6)
    same = frame.locked_motion(BASE, moved, pivot, [False] * 6)
    assert same.close_to(moved)


def test_deviations_follow_the_axes():
    frame = reference_frame("view B", VIEWS, BASE, "ZXY")
    axis = frame.axes_world[:, 2]
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = 4.0 * np.outer(axis, axis)
    assert frame.deviations(covariance) == pytest.approx([0, 0, 2.0, 0, 0, 0], abs=1e-6)
