"""Laws of cone-beam views."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CalibrationError, GeometryError
from core.geometry.rigid import Rigid
from core.geometry.view import View, epipolar_line, triangulate
from tests.scenes import rig, rig_view

coordinate = st.floats(-120, 120)
points = st.tuples(coordinate, coordinate, coordinate).map(np.array)
pixels = st.tuples(st.floats(-50, 300), st.floats(-50, 300)).map(np.array)


@given(points)
def test_a_point_lies_on_the_ray_of_its_pixel(point):
    view = rig()[1]
    pixel = view.project(point[None])[0]
    np.testing.assert_allclose(view.point_at_depth(pixel, view.depth_mm(point)), point, atol=1e-8)
    direction = view.rays_world(pixel[None])[0]
    np.testing.assert_allclose(np.cross(direction, point - view.source_world_mm), 0, atol=1e-8)


@given(points)
def test_triangulation_finds_the_point(point):
    views = rig()
    found, residual = triangulate(views, np.stack([view.project(point[None])[0] for view in views]))
    np.testing.assert_allclose(found, point, atol=1e-7)
    assert residual < 1e-8


@given(points, st.integers(-80, 80), st.integers(-80, 80))
def test_cropping_shifts_pixels(point, left, top):
    view = rig()[0]
    np.testing.assert_allclose(
        view.cropped(left, top, 50, 60).project(point[None])[0], view.project(point[None])[0] - [left, top], atol=1e-9
    )


@given(points, st.sampled_from([1, 2, 3, 4, 8]))
def test_scaling_keeps_the_picture_under_the_pixels(point, factor):
    view = rig()[0]
    small = view.scaled(view.width_px // factor * factor // factor, view.height_px // factor)
    sx = small.width_px / view.width_px
    expected = (view.project(point[None])[0] + 0.5) * [sx, small.height_px / view.height_px] - 0.5
    np.testing.assert_allclose(small.project(point[None])[0], expected, atol=1e-9)
    assert small.detector_distance_mm == pytest.approx(view.detector_distance_mm, rel=0.02)


@given(points)
def test_epipolar_line_runs_through_the_other_projection(point):
    a, b = rig()
    ends = epipolar_line(a, a.project(point[None])[0], b, 900.0, 1500.0)
    seen = b.project(point[None])[0]
    along = ends[1] - ends[0]
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    assert abs(across @ (seen - ends[0])) < 1e-6


def test_detector_corners_project_to_the_corners_of_the_picture():
    view = rig()[0]
    corners = view.corners_world_mm()
    np.testing.assert_allclose(
        view.project(corners), [[-0.5, -0.5], [255.5, -0.5], [255.5, 255.5], [-0.5, 255.5]], atol=1e-9
    )
    depths = view.camera_from_world.apply(corners)[:, 2]
    np.testing.assert_allclose(depths, view.detector_distance_mm)
    assert np.linalg.norm(corners[1] - corners[0]) == pytest.approx(360, rel=0.01)


def test_points_behind_the_source_have_no_pixel():
    view = rig()[0]
    behind = view.source_world_mm - 10 * view.axis_world
    assert np.isnan(view.project(behind[None])).all()


def test_corners_without_a_spacing_need_a_distance():
    view = View(
        name="A",
        camera_from_world=Rigid.identity(),
        focal_px=(100, 100),
        principal_px=(50, 50),
        width_px=100,
        height_px=100,
    )
    with pytest.raises(GeometryError, match="give a distance"):
        view.corners_world_mm()


@pytest.mark.parametrize(
    "wrong", [{"focal_px": (0.0, 100.0)}, {"width_px": 0}, {"pixel_spacing_mm": -1.0}, {"principal_px": (np.nan, 0.0)}]
)
def test_impossible_views_are_refused(wrong):
    good = {
        "name": "A",
        "camera_from_world": Rigid.identity(),
        "focal_px": (100.0, 100.0),
        "principal_px": (50.0, 50.0),
        "width_px": 100,
        "height_px": 100,
    }
    View(**good)
    with pytest.raises(CalibrationError, match="view 'A'"):
        View(**(good | wrong))


def test_one_view_cannot_be_triangulated():
    view = rig_view("A", 0)
    with pytest.raises(GeometryError, match="two views"):
        triangulate([view], np.zeros((1, 2)))
    with pytest.raises(GeometryError, match="parallel"):
        triangulate([view, view], np.zeros((2, 2)))
