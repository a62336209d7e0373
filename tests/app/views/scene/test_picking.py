"""Rays against bodies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.views.scene.picking import nearest_body, ray_meets_mesh
from core.geometry.rigid import Rigid, so3_exp

from .scene_samples import box

CUBE = box(20, 20, 20)


def test_a_ray_meets_the_near_face():
    assert ray_meets_mesh(np.array([-100.0, 1, 2]), np.array([1.0, 0, 0]), CUBE) == pytest.approx(90.0)


def test_what_is_behind_or_beside_is_not_met():
    assert ray_meets_mesh(np.array([-100.0, 0, 0]), np.array([-1.0, 0, 0]), CUBE) is None
    assert ray_meets_mesh(np.array([-100.0, 11, 0]), np.array([1.0, 0, 0]), CUBE) is None


def test_from_inside_the_far_face_is_met():
    assert ray_meets_mesh(np.zeros(3), np.array([0.0, 0, 1.0]), CUBE) == pytest.approx(10.0)


@given(st.tuples(*[st.floats(-3, 3)] * 3).map(np.array), st.tuples(*[st.floats(-9, 9)] * 3).map(np.array))
def test_the_body_that_a_ray_aims_at_is_met_wherever_it_is(turn, inside):
    pose = Rigid(rotation=so3_exp(turn), translation_mm=np.array([30.0, -20, 50]))
    aim = pose.apply(inside[None])[0]
    origin = np.array([-300.0, 10.0, 5.0])
    direction = (aim - origin) / np.linalg.norm(aim - origin)
    name, point = nearest_body(origin, direction, [("cube", CUBE, pose)])
    assert name == "cube"
    local = pose.inverse().apply(point[None])[0]
    assert np.abs(local).max() == pytest.approx(10.0, abs=1e-6)


def test_the_nearer_of_two_bodies_wins():
    near, far = (Rigid(rotation=np.eye(3), translation_mm=np.array([x, 0.0, 0])) for x in (0.0, 100.0))
    shown = [("far", CUBE, far), ("near", CUBE, near)]
    name, point = nearest_body(np.array([-200.0, 0, 0]), np.array([1.0, 0, 0]), shown)
    assert name == "near"
    assert np.allclose(point, [-10, 0, 0])
    assert nearest_body(np.array([-200.0, 0, 50]), np.array([1.0, 0, 0]), shown) is None
