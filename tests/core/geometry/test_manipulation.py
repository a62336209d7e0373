"""Laws of moving by hand: the pivot under the cursor, the projection that stays, locks that hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import GeometryError
from core.geometry.manipulation import (
    NEAREST_PIVOT_MM,
    AxisLocks,
    Frame,
    drag_along_ray,
    drag_in_plane,
    frame_axes,
    nudge,
    ray_through,
    roll_about_ray,
    roll_by_drag,
    turn_about_view_axes,
    turn_by_drag,
    with_locks,
)
from core.geometry.rigid import Rigid, so3_exp, so3_log
from core.geometry.view import View

pixels = st.floats(-600, 600)
small = st.floats(-30, 30)
angles = st.floats(-1.2, 1.2)
points = st.tuples(small, small, small)


def view() -> View:
    return View(
        name="A",
        camera_from_world=Rigid.from_euler([20.0, -35.0, 70.0], [30.0, -20.0, 900.0]),
        focal_px=(4800.0, 4750.0),
        principal_px=(811.0, 790.0),
        width_px=1664,
        height_px=1600,
    )


@st.composite
def scenes(draw):
    turn = np.array([draw(st.floats(-1.7, 1.7)) for _ in range(3)])
    pose = Rigid(rotation=so3_exp(turn), translation_mm=np.array(draw(points)))
    return pose, np.array(draw(points))


def carried(before: Rigid, after: Rigid, point: np.ndarray) -> np.ndarray:
    return after.apply(before.inverse().apply(point[None]))[0]


@given(scenes(), pixels, pixels)
def test_pivot_follows_the_cursor_exactly_at_its_depth(scene, du, dv):
    pose, pivot = scene
    moved = drag_in_plane(view(), pose, pivot, du, dv)
    there = carried(pose, moved, pivot)
    seen = view().project(there[None])[0] - view().project(pivot[None])[0]
    np.testing.assert_allclose(seen, [du, dv], atol=1e-9)
    assert view().depth_mm(there) == pytest.approx(view().depth_mm(pivot), abs=1e-9)
    np.testing.assert_allclose(moved.rotation, pose.rotation, atol=1e-12)


@given(scenes(), st.floats(-300, 300))
def test_projection_stays_along_the_ray(scene, away):
    pose, pivot = scene
    moved = drag_along_ray(view(), pose, pivot, away)
    there = carried(pose, moved, pivot)
    np.testing.assert_allclose(view().project(there[None]), view().project(pivot[None]), atol=1e-8)
    source = view().source_world_mm
    assert np.linalg.norm(there - source) - np.linalg.norm(pivot - source) == pytest.approx(away, abs=1e-9)


def test_a_shift_along_the_ray_stops_before_the_source():
    pose, pivot = Rigid.identity(), np.array([5.0, -3.0, 8.0])
    moved = drag_along_ray(view(), pose, pivot, -5000.0)
    assert view().depth_mm(carried(pose, moved, pivot)) == pytest.approx(NEAREST_PIVOT_MM)
    np.testing.assert_allclose(
        view().project(carried(pose, moved, pivot)[None]), view().project(pivot[None]), atol=1e-6
    )


@given(scenes(), angles, angles)
def test_turns_leave_the_pivot_and_are_about_the_views_axes(scene, about_x, about_y):
    pose, pivot = scene
    moved = turn_about_view_axes(view(), pose, pivot, about_x, about_y)
    np.testing.assert_allclose(carried(pose, moved, pivot), pivot, atol=1e-9)
    turn = view().camera_from_world.rotation @ so3_log(moved.rotation @ pose.rotation.T)
    np.testing.assert_allclose(turn, [about_x, about_y, 0.0], atol=1e-7)


def test_turning_drags_pull_the_near_side_along():
    pose, pivot = Rigid.identity(), np.zeros(3)
    near = pivot - 40.0 * view().axis_world
    moved = turn_by_drag(view(), pose, pivot, 3.0, 0.0)
    went = view().project(carried(pose, moved, near)[None]) - view().project(near[None])
    assert went[0, 0] > 2.0
    assert abs(went[0, 1]) < 0.2
    moved = turn_by_drag(view(), pose, pivot, 0.0, 3.0)
    went = view().project(carried(pose, moved, near)[None]) - view().project(near[None])
    assert went[0, 1] > 2.0
    assert abs(went[0, 0]) < 0.2


@given(scenes(), angles)
def test_rolls_leave_every_point_of_the_ray(scene, angle):
    pose, pivot = scene
    moved = roll_about_ray(view(), pose, pivot, angle)
    for along in (-50.0, 0.0, 70.0):
        point = pivot + along * ray_through(view(), pivot)
        np.testing.assert_allclose(carried(pose, moved, point), point, atol=1e-8)
    assert pose.angle_deg_to(moved) == pytest.approx(abs(np.degrees(angle)), abs=1e-5)


def test_a_rolling_drag_goes_round_with_the_cursor():
    pose, pivot = Rigid.identity(), np.array([4.0, 2.0, -6.0])
    centre = view().project(pivot[None])[0]
    start, now = np.add(centre, (200.0, 0.0)), np.add(centre, (0.0, 90.0))  # a quarter turn, clockwise on the screen
    moved = roll_by_drag(view(), pose, pivot, tuple(start), tuple(now))
    mark = view().point_at_depth(start, view().depth_mm(pivot))
    went = view().project(carried(pose, moved, mark)[None])[0] - centre
    assert went[1] > 190.0
    assert abs(went[0]) < 20.0
    still = roll_by_drag(view(), pose, pivot, tuple(start), tuple(np.add(centre, (20.0, 0.0))))
    assert still.close_to(pose, mm=1e-9, deg=1e-6)


@given(scenes(), st.tuples(small, small, small), st.tuples(angles, st.just(0.0), st.just(0.0)))
def test_nudges_are_along_the_named_axes(scene, move, turn):
    pose, pivot = scene
    for frame, axes in ((Frame.WORLD, np.eye(3)), (Frame.BODY, pose.rotation)):
        moved = nudge(pose, pivot, frame=frame, move_mm=move, turn_rad=turn)
        np.testing.assert_allclose(carried(pose, moved, pivot) - pivot, axes @ move, atol=1e-8)
        np.testing.assert_allclose(so3_log(moved.rotation @ pose.rotation.T), axes @ turn, atol=1e-7)


def test_depth_nudges_of_a_view_go_along_the_ray():
    pose, pivot = Rigid.from_euler([10.0, 20.0, 30.0], [1.0, 2.0, 3.0]), np.array([30.0, -20.0, 10.0])
    moved = nudge(pose, pivot, frame=Frame.VIEW, view=view(), move_mm=(0.0, 0.0, 2.0))
    expected = drag_along_ray(view(), pose, pivot, 2.0)
    assert moved.close_to(expected)
    rolled = nudge(pose, pivot, frame=Frame.VIEW, view=view(), turn_rad=(0.0, 0.0, 0.2))
    assert rolled.close_to(roll_about_ray(view(), pose, pivot, 0.2))
    right = nudge(pose, pivot, frame=Frame.VIEW, view=view(), move_mm=(2.0, 0.0, 0.0))
    went = view().project(carried(pose, right, pivot)[None]) - view().project(pivot[None])
    assert went[0, 0] > 5.0
    assert abs(went[0, 1]) < 1e-9


@given(scenes(), scenes(), st.tuples(*[st.booleans()] * 3), st.tuples(*[st.booleans()] * 3))
def test_locked_components_stay_and_free_ones_do_not_change(scene, other, move, turn):
    pose, pivot = scene
    after, axes = other[0], frame_axes(Frame.BODY, pose)
    locked = with_locks(pose, after, pivot, axes, AxisLocks(move=move, turn=turn))
    if not any(turn) or all(turn):
        shift = axes.T @ (carried(pose, locked, pivot) - pivot)
        free = axes.T @ (carried(pose, after, pivot) - pivot)
        np.testing.assert_allclose(shift, np.where(move, 0.0, free), atol=1e-7)
    rotation = axes.T @ so3_log(locked.rotation @ pose.rotation.T)
    wanted = np.where(turn, 0.0, axes.T @ so3_log(after.rotation @ pose.rotation.T))
    if np.linalg.norm(wanted) < 3.1:
        np.testing.assert_allclose(rotation, wanted, atol=1e-6)


def test_everything_locked_is_no_movement_and_nothing_locked_is_all_of_it():
    pose = Rigid.from_euler([10.0, 20.0, 30.0], [1.0, 2.0, 3.0])
    after = Rigid.from_euler([30.0, -20.0, 50.0], [9.0, 2.0, -3.0])
    shut = AxisLocks(move=(True,) * 3, turn=(True,) * 3)
    assert with_locks(pose, after, (1.0, 2.0, 3.0), np.eye(3), shut).close_to(pose)
    assert with_locks(pose, after, (1.0, 2.0, 3.0), np.eye(3), AxisLocks()) is after
    moved = nudge(
        pose,
        (0.0, 0.0, 0.0),
        frame=Frame.WORLD,
        move_mm=(1.0, 2.0, 3.0),
        locks=AxisLocks(move=(False, True, False)),
    )
    np.testing.assert_allclose(moved.translation_mm - pose.translation_mm, [1.0, 0.0, 3.0], atol=1e-9)


def test_a_pivot_behind_the_source_is_refused():
    behind = view().source_world_mm - 50.0 * view().axis_world
    with pytest.raises(GeometryError, match="behind the X-ray source"):
        drag_in_plane(view(), Rigid.identity(), behind, 1.0, 0.0)
    with pytest.raises(GeometryError, match="need the view"):
        nudge(Rigid.identity(), (0.0, 0.0, 0.0), frame=Frame.VIEW)
