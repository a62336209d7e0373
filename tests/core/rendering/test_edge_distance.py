"""Distances of an outline to the picture's edges, exact on a ball's shadow."""

import numpy as np
import pytest
import trimesh

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.rendering.edge_distance import edge_distances
from tests.scenes import of_trimesh

SIZE = 300
RADIUS_MM, DEPTH_MM, FOCAL_PX = 20.0, 1000.0, 3000.0
BALL = of_trimesh(trimesh.creation.icosphere(subdivisions=5, radius=RADIUS_MM))
CENTRE_PX = np.array([150.0, 148.0])
OUTLINE_PX = FOCAL_PX * RADIUS_MM / np.sqrt(DEPTH_MM**2 - RADIUS_MM**2)
"""Of a ball's shadow: the tangent cone cut by the picture."""
VIEW = View(
    name="A",
    camera_from_world=Rigid.identity().shifted([0.0, 0.0, DEPTH_MM]),
    focal_px=(FOCAL_PX, FOCAL_PX),
    principal_px=(150.0, 148.0),
    width_px=SIZE,
    height_px=SIZE,
)
EVERYWHERE = np.ones((SIZE, SIZE), dtype=bool)


def disc(radius_px: float, centre=CENTRE_PX) -> np.ndarray:
    """Dark inside, bright outside, with an edge 1.2 px wide."""
    v, u = np.mgrid[:SIZE, :SIZE]
    distance = np.hypot(u - centre[0], v - centre[1])
    return (60.0 / (1.0 + np.exp(-(distance - radius_px) / 0.6))).astype(np.float32)


@pytest.mark.parametrize("larger_px", [-2.3, 0.0, 0.4, 5.0])
def test_a_disc_that_is_larger_is_so_much_farther_out(larger_px):
    found = edge_distances(BALL, VIEW, Rigid.identity(), disc(OUTLINE_PX + larger_px), EVERYWHERE)
    assert found.found_share == 1.0
    np.testing.assert_allclose(found.distance_px, larger_px, atol=0.06)
    np.testing.assert_allclose(found.distance_mm, found.distance_px / 3.0, rtol=1e-9)
    assert (found.strength > 0).all()


def test_normals_point_out_and_segments_run_along_the_outline():
    found = edge_distances(BALL, VIEW, Rigid.identity(), disc(OUTLINE_PX), EVERYWHERE)
    outward = (found.points_px - CENTRE_PX) / OUTLINE_PX
    assert ((found.normals * outward).sum(axis=1) > 0.99).all()
    lengths = np.linalg.norm(np.diff(found.segments_px, axis=1)[:, 0], axis=1)
    assert lengths.sum() == pytest.approx(2 * np.pi * OUTLINE_PX, rel=0.01)
    assert np.linalg.norm(found.segments_px.mean(axis=1) - found.points_px, axis=1).max() < 1.0


def test_a_shifted_disc_shows_the_shift_along_each_normal():
    shift = np.array([1.5, -0.7])
    found = edge_distances(BALL, VIEW, Rigid.identity(), disc(OUTLINE_PX, CENTRE_PX + shift), EVERYWHERE)
    np.testing.assert_allclose(found.distance_px, found.normals @ shift, atol=0.1)


def test_a_mesh_turned_inside_out_gives_the_same():
    inside_out = edge_distances(BALL.flipped(), VIEW, Rigid.identity(), disc(OUTLINE_PX + 2.0), EVERYWHERE)
    np.testing.assert_allclose(inside_out.distance_px, 2.0, atol=0.06)


def test_where_there_is_no_edge_nothing_is_measured():
    flat = edge_distances(BALL, VIEW, Rigid.identity(), np.zeros((SIZE, SIZE), dtype=np.float32), EVERYWHERE)
    assert np.isnan(flat.distance_px).all()
    assert flat.found_share == 0.0
    bright = edge_distances(BALL, VIEW, Rigid.identity(), -disc(OUTLINE_PX), EVERYWHERE)
    assert bright.found_share < 0.05  # an edge that darkens outward is not metal's
    left = EVERYWHERE.copy()
    left[:, 150:] = False
    half = edge_distances(BALL, VIEW, Rigid.identity(), disc(OUTLINE_PX), left)
    assert np.isnan(half.distance_px[half.points_px[:, 0] > 151]).all()
    assert np.isfinite(half.distance_px[half.points_px[:, 0] < 149]).all()


def test_a_body_outside_the_picture_has_no_edges():
    away = edge_distances(BALL, VIEW, Rigid.identity().shifted([500.0, 0.0, 0.0]), disc(OUTLINE_PX), EVERYWHERE)
    assert away.found_share == 0.0
    behind = edge_distances(BALL, VIEW, Rigid.identity().shifted([0.0, 0.0, -2000.0]), disc(OUTLINE_PX), EVERYWHERE)
    assert len(behind.distance_px) == 0
