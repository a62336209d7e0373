"""The gizmo's mathematics: what is meant by a press, and what a drag does."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.views.scene.gizmo_drag import GizmoDrag
from app.views.scene.gizmo_geometry import (
    ARROW_PX,
    RING_PX,
    VIEW_RING_PX,
    Gizmo,
    Handle,
    axis_shift_mm,
    handle_shapes,
    hit,
    turn_is_edge_on,
)
from app.views.scene.gizmo_hands import GizmoHands
from app.views.scene.values import GizmoMode
from app.views.scene.viewpoint import Viewpoint, looking
from core.geometry.rigid import so3_exp

SIZE = (640.0, 480.0)
UP = np.array([0.0, 0.0, 1.0])
FRONT = Viewpoint(target_mm=np.zeros(3), world_from_eye=looking([1, 0, 0], UP), distance_mm=800)
OBLIQUE = Viewpoint(target_mm=np.zeros(3), world_from_eye=looking([1, 0.8, -0.6], UP), distance_mm=800)
units = st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)).map(np.array)


def gizmo(mode=GizmoMode.TRANSLATE, pivot=(0.0, 0.0, 0.0), axes=None):
    return Gizmo(mode=mode, pivot_mm=np.array(pivot), axes=np.eye(3) if axes is None else axes)


def shape_of(handle, shapes):
    return next(shape for shape in shapes if shape.handle is handle)


def test_handles_know_their_axes():
    assert [h.axis for h in (Handle.MOVE_X, Handle.MOVE_Y, Handle.MOVE_Z)] == [0, 1, 2]
    assert [h.axis for h in (Handle.TURN_X, Handle.TURN_Y, Handle.TURN_Z)] == [0, 1, 2]
    assert Handle.MOVE_SCREEN.axis is None
    assert Handle.TURN_SCREEN.axis is None
    assert [h for h in Handle if h.turns] == [
        Handle.TURN_X, Handle.TURN_Y, Handle.TURN_Z, Handle.TURN_SCREEN,
    ]  # fmt: skip


@pytest.mark.parametrize("distance_mm", [150.0, 800.0, 5000.0])
def test_the_gizmo_has_the_same_size_on_the_screen_at_every_distance(distance_mm):
    viewpoint = Viewpoint(target_mm=np.zeros(3), world_from_eye=FRONT.world_from_eye, distance_mm=distance_mm)
    tip = shape_of(Handle.MOVE_Z, handle_shapes(gizmo(), viewpoint, SIZE)).points_px[-1]
    assert np.allclose(tip, [320, 240 - ARROW_PX])
    ring = shape_of(Handle.TURN_X, handle_shapes(gizmo(GizmoMode.ROTATE), viewpoint, SIZE)).points_px
    assert np.allclose(np.linalg.norm(ring - [320, 240], axis=1), RING_PX)


def test_no_gizmo_without_a_mode_or_behind_the_eye():
    assert handle_shapes(gizmo(GizmoMode.NONE), FRONT, SIZE) == ()
    assert handle_shapes(gizmo(pivot=(-900.0, 0, 0)), FRONT, SIZE) == ()


@pytest.mark.parametrize("handle", [Handle.MOVE_X, Handle.MOVE_Y, Handle.MOVE_Z])
@pytest.mark.parametrize("off_px", [0.0, 7.0])
def test_a_press_near_an_arrow_grabs_it(handle, off_px):
    shapes = handle_shapes(gizmo(), OBLIQUE, SIZE)
    start, tip = shape_of(handle, shapes).points_px[[0, -1]]
    along = (tip - start) / np.linalg.norm(tip - start)
    cursor = start + 0.75 * (tip - start) + off_px * np.array([-along[1], along[0]])
    assert hit(shapes, cursor) is handle


def test_a_press_beside_everything_grabs_nothing():
    for mode in (GizmoMode.TRANSLATE, GizmoMode.ROTATE):
        assert hit(handle_shapes(gizmo(mode), OBLIQUE, SIZE), np.array([30.0, 30.0])) is None


def test_the_centre_is_the_free_handle():
    assert hit(handle_shapes(gizmo(), OBLIQUE, SIZE), np.array([323.0, 243.0])) is Handle.MOVE_SCREEN


def test_an_arrow_that_points_at_the_viewer_is_gone():
    shapes = handle_shapes(gizmo(), FRONT, SIZE)
    assert shape_of(Handle.MOVE_X, shapes).strength == 0.0
    assert shape_of(Handle.MOVE_Y, shapes).strength == 1.0
    assert hit(shapes, np.array([320.0, 240.0])) is Handle.MOVE_SCREEN


def test_only_the_near_half_of_a_ring_is_grabbed():
    shapes = handle_shapes(gizmo(GizmoMode.ROTATE), OBLIQUE, SIZE)
    ring = shape_of(Handle.TURN_Z, shapes)
    near = ring.points_px[ring.front].mean(axis=0)
    near_most = ring.points_px[np.argmin(np.linalg.norm(ring.points_px - near, axis=1))]
    assert hit((ring,), near_most) is Handle.TURN_Z
    far = ring.points_px[~ring.front]
    distances = np.linalg.norm(far[:, None] - ring.points_px[ring.front][None], axis=2).min(axis=1)
    assert hit((ring,), far[np.argmax(distances)]) is None


def test_the_outer_ring_turns_about_the_line_of_sight():
    shapes = handle_shapes(gizmo(GizmoMode.ROTATE), OBLIQUE, SIZE)
    angle = np.radians(200)
    cursor = np.array([320.0, 240.0]) + VIEW_RING_PX * np.array([np.cos(angle), np.sin(angle)])
    assert hit(shapes, cursor) is Handle.TURN_SCREEN


@given(units, units, st.floats(-120, 120))
def test_a_cursor_on_the_axis_gives_exactly_the_point_under_it(direction, where, mm):
    assume(np.linalg.norm(direction) > 0.2)
    axis = direction / np.linalg.norm(direction)
    pivot = 40.0 * where
    toward = FRONT.eye_mm - pivot
    assume(abs(axis @ toward) / np.linalg.norm(toward) < 0.97)
    cursor = FRONT.project((pivot + axis * mm)[None], SIZE)[0]
    assert axis_shift_mm(pivot, axis, FRONT, SIZE, cursor) == pytest.approx(mm, abs=1e-6)


@given(st.floats(-2000, 2000), st.floats(-2000, 2000), units)
def test_an_axis_never_runs_away_behind_the_viewer(x, y, direction):
    assume(np.linalg.norm(direction) > 0.2)
    axis = direction / np.linalg.norm(direction)
    shift = axis_shift_mm(np.zeros(3), axis, FRONT, SIZE, np.array([x, y]))
    assert np.isfinite(shift)
    assert FRONT.depth_mm(axis * shift) > 0


def test_an_axis_straight_at_the_viewer_does_not_move():
    toward = FRONT.back
    assert axis_shift_mm(np.zeros(3), toward, FRONT, SIZE, np.array([400.0, 100.0])) == 0.0


def drag(handle, start, viewpoint=OBLIQUE, axes=None, pivot=(0.0, 0.0, 0.0)):
    mode = GizmoMode.ROTATE if handle.turns else GizmoMode.TRANSLATE
    return GizmoDrag("femur", handle, gizmo(mode, pivot, axes), viewpoint, SIZE, np.asarray(start))


@pytest.mark.parametrize("handle", [Handle.MOVE_X, Handle.MOVE_Y, Handle.MOVE_Z])
def test_an_arrow_moves_along_its_axis_only_and_under_the_cursor(handle):
    axes = so3_exp(np.array([0.3, -0.2, 0.5]))
    axis = axes[:, handle.axis]
    start = OBLIQUE.project((30.0 * axis)[None], SIZE)[0]
    now = OBLIQUE.project((55.0 * axis)[None], SIZE)[0]
    motion = drag(handle, start, axes=axes).motion_at(now)
    assert np.allclose(motion.translation_world_mm, 25.0 * axis)
    assert np.allclose(motion.rotation_vector_world_rad, 0.0)
    assert motion.body == "femur"


def test_the_free_handle_keeps_the_pivot_under_the_cursor_at_its_depth():
    pivot = np.array([10.0, -5.0, 20.0])
    start = OBLIQUE.project(pivot[None], SIZE)[0]
    now = start + np.array([37.0, -21.0])
    motion = drag(Handle.MOVE_SCREEN, start, pivot=pivot).motion_at(now)
    moved = pivot + motion.translation_world_mm
    assert np.allclose(OBLIQUE.project(moved[None], SIZE)[0], now)
    assert OBLIQUE.depth_mm(moved) == pytest.approx(float(OBLIQUE.depth_mm(pivot)))


@given(st.lists(st.tuples(st.floats(0, 640), st.floats(0, 480)), max_size=5))
def test_a_shift_depends_on_where_the_cursor_is_not_on_its_way(way):
    one, other = (drag(Handle.MOVE_Y, [380.0, 250.0]) for _ in range(2))
    for at in way:
        one.motion_at(np.array(at))
    end = np.array([350.0, 280.0])
    assert np.array_equal(one.motion_at(end).translation_world_mm, other.motion_at(end).translation_world_mm)


@pytest.mark.parametrize("handle", [Handle.TURN_X, Handle.TURN_Y, Handle.TURN_Z])
@pytest.mark.parametrize("degrees", [25.0, -80.0, 170.0, 300.0, -500.0])
def test_a_ring_turns_by_the_angle_gone_around_it_past_half_a_turn_too(handle, degrees):
    far = Viewpoint(target_mm=np.zeros(3), world_from_eye=OBLIQUE.world_from_eye, distance_mm=1e5, angle_deg=0.3)
    axis = np.eye(3)[handle.axis]
    first = np.cross(axis, [0.2, 0.5, 0.7])
    radius = RING_PX * far.mm_per_px(np.zeros(3), SIZE)
    first *= radius / np.linalg.norm(first)
    way = np.radians(np.linspace(0.0, degrees, 60))
    seen = [far.project((so3_exp(axis * a) @ first)[None], SIZE)[0] for a in way]
    turning = drag(handle, seen[0], viewpoint=far)
    for at in seen:
        motion = turning.motion_at(at)
    assert np.allclose(motion.rotation_vector_world_rad, axis * np.radians(degrees), atol=2e-3)
    assert np.allclose(motion.translation_world_mm, 0.0)


def test_near_perspective_changes_the_turn_of_a_ring_only_a_little():
    first = np.array([0.0, 30.0, 0.0])
    seen = [OBLIQUE.project((so3_exp(np.array([0, 0, a])) @ first)[None], SIZE)[0] for a in np.linspace(0, 1.2, 20)]
    turning = drag(Handle.TURN_Z, seen[0])
    for at in seen:
        motion = turning.motion_at(at)
    assert motion.rotation_vector_world_rad[2] == pytest.approx(1.2, abs=0.1)


def test_a_ring_seen_edge_on_rolls_with_the_cursor():
    assert turn_is_edge_on(np.zeros(3), UP, FRONT)
    turning = drag(Handle.TURN_Z, [320.0, 240.0], viewpoint=FRONT)
    motion = turning.motion_at(np.array([320.0 + 0.5 * RING_PX, 240.0]))
    # the near side of the ring goes to the right of the screen: counter-clockwise seen from above
    assert np.allclose(motion.rotation_vector_world_rad, [0, 0, 0.5])
    near = FRONT.back * 10
    moved = so3_exp(motion.rotation_vector_world_rad) @ near
    assert moved @ FRONT.right > 0
    across = turning.motion_at(np.array([320.0, 240.0 + 50]))
    assert np.allclose(across.rotation_vector_world_rad, 0.0)


def test_crossing_the_very_centre_of_a_ring_does_not_jump():
    turning = drag(Handle.TURN_SCREEN, [320.0 + VIEW_RING_PX, 240.0])
    before = turning.motion_at(np.array([330.0, 240.0])).rotation_vector_world_rad
    centre = turning.motion_at(np.array([320.5, 240.0])).rotation_vector_world_rad
    assert np.allclose(before, centre)


def test_turning_clockwise_on_the_screen_turns_clockwise():
    turning = drag(Handle.TURN_SCREEN, [320.0 + VIEW_RING_PX, 240.0])
    motion = turning.motion_at(np.array([320.0, 240.0 + VIEW_RING_PX]))
    assert motion.rotation_vector_world_rad @ OBLIQUE.back == pytest.approx(-np.pi / 2, abs=1e-6)


def hands(mode=GizmoMode.TRANSLATE):
    made = GizmoHands()
    made.place(mode, "femur", np.zeros(3), np.eye(3))
    return made


def test_hover_lights_one_handle_and_says_when_it_changes():
    gizmo_hands = hands()
    tip = shape_of(Handle.MOVE_Y, gizmo_hands.shapes(OBLIQUE, SIZE)).points_px[-2]
    assert gizmo_hands.hover(tip, OBLIQUE, SIZE)
    assert gizmo_hands.hot is Handle.MOVE_Y
    assert not gizmo_hands.hover(tip + 1, OBLIQUE, SIZE)
    assert gizmo_hands.hover(None, OBLIQUE, SIZE)
    assert gizmo_hands.hot is None


def test_a_drag_goes_on_as_begun_while_the_gizmo_follows_the_body():
    gizmo_hands = hands()
    shape = shape_of(Handle.MOVE_Z, gizmo_hands.shapes(OBLIQUE, SIZE))
    start, end = shape.points_px[-2], shape.points_px[-2] + [0.0, -30.0]
    assert gizmo_hands.press(start, OBLIQUE, SIZE) == "femur"
    expected = gizmo_hands.move(end)
    gizmo_hands.place(GizmoMode.TRANSLATE, "femur", np.array([0, 0, 25.0]), so3_exp(np.array([1.0, 0, 0])))
    again = gizmo_hands.move(end)
    assert np.allclose(expected.translation_world_mm, again.translation_world_mm)
    assert gizmo_hands.readout(again) == f"{again.translation_world_mm[2]:+.2f} mm"
    assert not gizmo_hands.let_go().translation_world_mm.any()
    assert gizmo_hands.move(end) is None


def test_axes_of_any_length_are_taken_as_directions():
    gizmo_hands = GizmoHands()
    gizmo_hands.place(GizmoMode.TRANSLATE, "femur", np.zeros(3), 3.0 * np.eye(3))
    tips = [shape.points_px[-1] for shape in gizmo_hands.shapes(OBLIQUE, SIZE)]
    assert np.allclose(tips, [shape.points_px[-1] for shape in hands().shapes(OBLIQUE, SIZE)])


def test_no_body_no_gizmo():
    gizmo_hands = hands()
    gizmo_hands.place(GizmoMode.ROTATE, None, np.zeros(3), np.eye(3))
    assert gizmo_hands.shapes(OBLIQUE, SIZE) == ()
    assert gizmo_hands.press(np.array([320.0, 240.0]), OBLIQUE, SIZE) is None
