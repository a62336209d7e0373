"""Laws of the scene's camera."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.views.scene.viewpoint import LEAST_FRAMED_MM, Viewpoint, framing, looking
from core.geometry.rigid import so3_exp

SIZE = (640.0, 480.0)
UP = np.array([0.0, 0.0, 1.0])
coordinates = st.floats(-200, 200)
points = st.tuples(coordinates, coordinates, coordinates).map(np.array)
pixels = st.tuples(st.floats(0, 640), st.floats(0, 480)).map(np.array)
turns = st.tuples(st.floats(-3, 3), st.floats(-1.5, 1.5))


@st.composite
def viewpoints(draw):
    turn = draw(st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2)).map(np.array))
    return Viewpoint(
        target_mm=draw(points),
        world_from_eye=so3_exp(turn),
        distance_mm=draw(st.floats(300, 3000)),
        angle_deg=draw(st.floats(5, 60)),
    )


@given(viewpoints(), pixels, points)
def test_a_ray_is_seen_at_the_pixel_it_was_cast_through(viewpoint, at, like):
    assume(viewpoint.depth_mm(like) > 20)
    assert np.allclose(viewpoint.project(viewpoint.point_at(at, like, SIZE)[None], SIZE)[0], at, atol=1e-6)
    along = viewpoint.eye_mm + 123.0 * viewpoint.ray(at, SIZE)
    assert np.allclose(viewpoint.project(along[None], SIZE)[0], at, atol=1e-6)


def test_the_target_is_seen_in_the_middle_and_up_is_up():
    viewpoint = Viewpoint(target_mm=np.array([1.0, 2, 3]), world_from_eye=looking([1, 0, 0], UP), distance_mm=500)
    assert np.allclose(viewpoint.project(viewpoint.target_mm[None], SIZE)[0], [320, 240])
    above = viewpoint.project(viewpoint.target_mm[None] + 10 * UP, SIZE)[0]
    assert above[1] < 240
    assert above[0] == pytest.approx(320)
    # looking along +x with z up, +y is to the left
    assert viewpoint.project(viewpoint.target_mm[None] + [[0, 10, 0]], SIZE)[0, 0] < 320


def test_points_behind_the_eye_have_no_pixel():
    viewpoint = Viewpoint(target_mm=np.zeros(3), world_from_eye=np.eye(3), distance_mm=100)
    assert np.isnan(viewpoint.project(np.array([[0.0, 0, 150]]), SIZE)).all()


@given(viewpoints(), points, st.floats(0.3, 3))
def test_zoom_keeps_the_point_where_it_is_seen(viewpoint, keep, factor):
    assume(viewpoint.depth_mm(keep) > 20)
    closer = viewpoint.zoomed(factor, keep)
    assume(closer.depth_mm(keep) > 5)
    before, after = (one.project(keep[None], SIZE)[0] for one in (viewpoint, closer))
    assume(np.abs(before).max() < 1e4)
    assert np.allclose(before, after, atol=1e-5)
    assert closer.depth_mm(keep) == pytest.approx(viewpoint.depth_mm(keep) / factor)


@given(viewpoints(), pixels, pixels)
def test_pan_carries_the_point_under_the_cursor_along(viewpoint, before, after):
    grabbed = viewpoint.point_at(before, viewpoint.target_mm, SIZE)
    panned = viewpoint.panned(before, after, SIZE)
    assert np.allclose(panned.project(grabbed[None], SIZE)[0], after, atol=1e-6)


@given(viewpoints(), points, turns)
def test_orbit_keeps_the_pivot_where_it_is(viewpoint, pivot, turn):
    assume(viewpoint.depth_mm(pivot) > 20)
    orbited = viewpoint.orbited(*turn, pivot, UP)
    before, after = (one.project(pivot[None], SIZE)[0] for one in (viewpoint, orbited))
    assume(np.abs(before).max() < 1e4)
    assert np.allclose(before, after, atol=1e-4)
    assert np.linalg.det(orbited.world_from_eye) == pytest.approx(1.0)


@given(st.lists(turns, min_size=1, max_size=30))
def test_an_upright_camera_stays_upright_through_any_orbit(steps):
    viewpoint = Viewpoint(target_mm=np.zeros(3), world_from_eye=looking([1, 0, 0], UP), distance_mm=500)
    for step in steps:
        viewpoint = viewpoint.orbited(*step, np.zeros(3), UP)
    assert abs(viewpoint.right @ UP) < 1e-9
    assert viewpoint.up @ UP > 0


def test_dragging_up_to_the_pole_stops_there_and_comes_back():
    start = Viewpoint(target_mm=np.zeros(3), world_from_eye=looking([1, 0, 0], UP), distance_mm=500)
    top = start.orbited(0.0, 10.0, np.zeros(3), UP)
    assert top.back @ UP == pytest.approx(1.0, abs=1e-4)
    assert top.orbited(0.0, -np.pi / 2, np.zeros(3), UP).back @ UP == pytest.approx(0.0, abs=2e-3)


@given(st.lists(points, min_size=1, max_size=12), st.floats(-3, 3), st.floats(0.3, 3))
def test_framing_sees_all_points_with_a_margin_and_is_tight(seen, azimuth, aspect):
    size = (480.0 * aspect, 480.0)
    rotation = looking([np.cos(azimuth), np.sin(azimuth), -0.4], UP)
    viewpoint = framing(np.array(seen), rotation, size, margin=0.05)
    px = viewpoint.project(np.array(seen), size)
    assert np.isfinite(px).all()
    outermost = np.abs(px / np.array(size) - 0.5).max() * 2
    assert outermost <= 0.9 + 1e-9
    if viewpoint.depth_mm(np.array(seen)).min() > LEAST_FRAMED_MM + 1:
        assert outermost == pytest.approx(0.9, abs=1e-6)


@given(viewpoints(), points)
def test_a_new_target_changes_nothing_to_be_seen(viewpoint, point):
    moved = viewpoint.retargeted(point)
    assert np.allclose(moved.eye_mm, viewpoint.eye_mm, atol=1e-6)


def test_looking_straight_along_up_is_still_a_rotation():
    rotation = looking(-UP, UP)
    assert np.allclose(rotation.T @ rotation, np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1.0)
