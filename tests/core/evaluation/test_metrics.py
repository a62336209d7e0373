"""The papers' error measures on motions whose errors can be told by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CalibrationError, PoseError
from core.evaluation.metrics import (
    Rates,
    double_geodesic_mm,
    geodesic_deg,
    in_plane_l1_mm,
    projection_errors_mm,
    reprojection_errors_mm,
    target_errors_mm,
)
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.view import View

VIEW = View(
    name="A",
    camera_from_world=Rigid(rotation=np.eye(3), translation_mm=[0, 0, 800.0]),
    focal_px=(2500.0, 2500.0),
    principal_px=(256.0, 250.0),
    width_px=512,
    height_px=512,
    pixel_spacing_mm=0.4,
)
LANDMARKS = np.array([[10.0, 0, 0], [-10, 5, 0], [0, -5, 0]])
HERE = Rigid.identity()


def shifted(*by_mm):
    return Rigid(rotation=np.eye(3), translation_mm=list(by_mm))


def test_a_shift_across_the_picture_in_every_measure():
    found, truth = [shifted(0.3, -0.4, 0)], [HERE]
    assert target_errors_mm(found, truth, LANDMARKS) == pytest.approx([0.5])
    assert projection_errors_mm(found, truth, LANDMARKS, VIEW) == pytest.approx([0.5 * 1000 / 800])
    # the detector moves against the body by the shift, and the picture on it the other way by more
    assert reprojection_errors_mm(found, truth, LANDMARKS, VIEW) == pytest.approx([0.5 * (1000 / 800 - 1)])
    assert in_plane_l1_mm(found, truth, np.zeros(3), VIEW) == pytest.approx([0.35])
    assert geodesic_deg(found, truth) == pytest.approx([0.0], abs=1e-9)
    assert double_geodesic_mm(found, truth, VIEW) == pytest.approx([0.5])


def test_a_shift_along_the_ray_is_seen_in_space_only():
    found, truth = [shifted(0, 0, 4.0)], [HERE]
    assert target_errors_mm(found, truth, LANDMARKS) == pytest.approx([4.0])
    assert projection_errors_mm(found, truth, LANDMARKS, VIEW)[0] < 0.1
    assert reprojection_errors_mm(found, truth, LANDMARKS, VIEW) == pytest.approx([4.0], rel=0.01)
    assert in_plane_l1_mm(found, truth, np.zeros(3), VIEW) == pytest.approx([0.0])


def test_the_double_geodesic_weighs_turns_with_half_the_detector_distance():
    turned = Rigid(rotation=so3_exp(np.array([0, 0, np.radians(2.0)])), translation_mm=[3.0, 0, 0])
    assert geodesic_deg([turned], [HERE]) == pytest.approx([2.0])
    assert double_geodesic_mm([turned], [HERE], VIEW) == pytest.approx([np.hypot(500 * np.radians(2.0), 3.0)])


@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.lists(st.floats(-40, 40), min_size=3, max_size=3),
    st.lists(st.floats(-0.2, 0.2), min_size=6, max_size=6),
)
def test_measures_are_symmetric_and_vanish_for_equal_poses(omega, at, by):
    truth = Rigid(rotation=so3_exp(np.array(omega)), translation_mm=at)
    found = truth.perturbed(np.array(by), np.zeros(3))
    measures = [
        lambda a, b: target_errors_mm(a, b, LANDMARKS),
        lambda a, b: projection_errors_mm(a, b, LANDMARKS, VIEW),
        lambda a, b: reprojection_errors_mm(a, b, LANDMARKS, VIEW),
        lambda a, b: double_geodesic_mm(a, b, VIEW),
        lambda a, b: in_plane_l1_mm(a, b, LANDMARKS[0], VIEW),
        geodesic_deg,
    ]
    for measure in measures:
        assert measure([truth], [truth])[0] == pytest.approx(0.0, abs=1e-5)
        assert measure([found], [truth]) == pytest.approx(measure([truth], [found]), abs=1e-6)


def test_rates_count_failures_without_a_pose():
    rates = Rates.of(np.array([0.2, 0.6, 0.9, 1.5, 3.0, 12.0, np.nan, 0.4, 0.7, 0.8]))
    assert rates.submillimetre == pytest.approx(0.6)
    assert rates.gross_failure == pytest.approx(0.2)
    assert rates.percentiles_mm == (0.2, 0.6, 0.8, 3.0, np.inf)
    assert rates.interquartile_mm == pytest.approx(2.4)


def test_bad_input_is_refused():
    with pytest.raises(PoseError, match="2 poses cannot be compared with 1"):
        geodesic_deg([HERE, HERE], [HERE])
    with pytest.raises(PoseError, match="one or more points"):
        target_errors_mm([HERE], [HERE], np.zeros((0, 3)))
    with pytest.raises(PoseError, match="behind the source"):
        projection_errors_mm([shifted(0, 0, -900.0)], [HERE], LANDMARKS, VIEW)
    with pytest.raises(CalibrationError, match="pixel spacing"):
        double_geodesic_mm([HERE], [HERE], replace(VIEW, pixel_spacing_mm=None))
    with pytest.raises(PoseError, match="no errors"):
        Rates.of(np.array([]))
