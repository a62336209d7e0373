"""Where planes stand, and what the presets show."""

from dataclasses import replace

import numpy as np
import pytest

from app.views.scene.image import body_corners_mm
from app.views.scene.rig import (
    PRESETS,
    plane_distance_mm,
    preset_viewpoint,
    rig_focus_mm,
    rig_points_mm,
    rig_up,
)

from .scene_samples import SIZE, bodies, camera, cameras, poses

CORNERS = body_corners_mm(bodies(), poses())


def test_the_plane_stands_where_asked_else_at_the_detector_else_behind_the_bodies():
    plain = camera("A", 0, "#ffffff")
    focus = np.array([20.0, 0, 0])
    assert plane_distance_mm(replace(plain, plane_distance_mm=700.0), focus) == 700.0
    known = camera("A", 0, "#ffffff", pixel_spacing_mm=0.9)
    assert plane_distance_mm(known, focus) == pytest.approx(1350.0)
    assert plane_distance_mm(plain, focus) == pytest.approx(1.3 * 1020)
    assert plane_distance_mm(plain, None) > 0


def test_the_optical_axes_meet_in_the_focus():
    assert np.allclose(rig_focus_mm(cameras()), 0.0, atol=1e-6)
    assert rig_focus_mm(cameras()[:1]) is None
    assert rig_focus_mm((cameras()[0], cameras()[0])) is None


def test_up_is_up_in_the_pictures():
    assert np.allclose(rig_up(cameras()), [0, 0, 1])
    assert np.linalg.norm(rig_up(())) == pytest.approx(1.0)


@pytest.mark.parametrize("size", [(900, 600), (1600, 400), (300, 800)])
def test_fit_shows_both_sources_all_pictures_and_the_bodies(size):
    viewpoint = preset_viewpoint("fit", cameras(), CORNERS, size)
    everything = np.concatenate([rig_points_mm(cameras(), np.zeros(3)), CORNERS])
    seen = viewpoint.project(everything, size)
    assert np.isfinite(seen).all()
    assert (seen >= 0).all()
    assert (seen <= size).all()


@pytest.mark.parametrize("preset", ["model", "front", "side", "top"])
def test_the_bodies_fill_the_view(preset):
    viewpoint = preset_viewpoint(preset, cameras(), CORNERS, SIZE)
    seen = viewpoint.project(CORNERS, SIZE)
    assert (seen >= 0).all()
    assert (seen <= SIZE).all()
    assert (np.ptp(seen, axis=0) / SIZE).max() > 0.6


def test_fit_looks_at_both_pictures_from_their_front():
    viewpoint = preset_viewpoint("fit", cameras(), CORNERS, SIZE)
    for one in cameras():
        assert viewpoint.back @ one.view.axis_world < 0


@pytest.mark.parametrize("preset", ["A", "B"])
@pytest.mark.parametrize("size", [(900, 600), (500, 900)])
def test_from_a_source_the_scene_is_the_picture_up_to_scale_and_shift(preset, size):
    one = cameras()["AB".index(preset)]
    viewpoint = preset_viewpoint(preset, cameras(), CORNERS, size)
    assert np.allclose(viewpoint.eye_mm, one.view.source_world_mm, atol=1e-6)
    seen, pixels = viewpoint.project(CORNERS, size), one.view.project(CORNERS)
    design = np.column_stack([pixels, np.ones(len(pixels))])
    fitted, *_ = np.linalg.lstsq(design, seen, rcond=None)
    assert np.abs(design @ fitted - seen).max() < 0.5
    assert fitted[0, 0] > 0
    assert np.allclose(fitted[:2], fitted[0, 0] * np.eye(2), atol=0.01 * fitted[0, 0])
    corners = viewpoint.project(one.view.corners_world_mm(1300.0), size)
    assert (corners >= 0).all()
    assert (corners <= size).all()


def test_side_and_top_are_at_right_angles_to_front():
    front, side, top = (preset_viewpoint(p, cameras(), CORNERS, SIZE) for p in ("front", "side", "top"))
    assert front.back @ side.back == pytest.approx(0.0, abs=1e-9)
    assert top.back @ front.back == pytest.approx(0.0, abs=1e-9)
    assert top.back @ [0, 0, 1] == pytest.approx(1.0)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_every_preset_works_with_anything_missing(preset, count):
    for corners in (CORNERS, np.zeros((0, 3))):
        viewpoint = preset_viewpoint(preset, cameras()[:count], corners, SIZE)
        assert np.isfinite(viewpoint.eye_mm).all()
        assert np.linalg.det(viewpoint.world_from_eye) == pytest.approx(1.0)


def test_opposite_and_inverted_cameras_still_give_a_view():
    opposite = (camera("A", 0, "#ffffff"), camera("B", 180, "#ffffff"))
    viewpoint = preset_viewpoint("fit", opposite, CORNERS, SIZE)
    assert np.isfinite(viewpoint.eye_mm).all()
