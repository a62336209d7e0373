"""The walking knee: angles as in gait, both condyles on the insert, smooth and the same for the same seed."""

import numpy as np
import pytest
from scipy.signal import find_peaks

from core.errors import CalibrationError, GeometryError
from core.simulation.implants import Side, femoral_component, tibial_component
from core.simulation.motion import INSERT_MM, flexion_deg, gait, gait_phases, random_walker
from core.simulation.rig import SOURCE_TO_DETECTOR_MM, dual_plane_rig

FEMORAL = femoral_component(1.5)
SEEDS = pytest.mark.parametrize("seed", [0, 1, 7])


@SEEDS
def test_flexion_has_the_two_peaks_of_gait(seed):
    flexion = np.array([flexion_deg(random_walker(seed), phase) for phase in np.linspace(0, 1, 201)])
    peaks, _ = find_peaks(flexion)
    assert len(peaks) == 2
    stance, swing = peaks / 200
    assert 0.12 < stance < 0.18
    assert 0.70 < swing < 0.76
    assert 12 < flexion[peaks[0]] < 20
    assert 60 < flexion[peaks[1]] < 66
    assert 0 <= flexion.min() < 4


@SEEDS
def test_angles_reported_are_those_of_the_poses(seed):
    for knee in gait(FEMORAL, gait_phases(24), seed):
        turn, tilt, bend = knee.tibia_from_femur.euler_deg("YZX")
        assert bend == pytest.approx(-knee.flexion_deg, abs=1e-6)
        assert turn == pytest.approx(-knee.internal_rotation_deg, abs=1e-6)
        assert tilt == pytest.approx(knee.adduction_deg, abs=0.02)


@SEEDS
def test_the_tibia_turns_inward_and_the_femur_rolls_back_with_flexion(seed):
    knees = sorted(gait(FEMORAL, gait_phases(60), seed), key=lambda knee: knee.flexion_deg)
    straight, bent = knees[0], knees[-1]
    assert 5 < bent.internal_rotation_deg - straight.internal_rotation_deg < 14
    assert max(abs(knee.adduction_deg) for knee in knees) < 4
    assert lowest_back(bent) < lowest_back(straight) - 2.0


def lowest_back(knee) -> float:
    """Mean z (forward) in the tibia's frame of both condyles' lowest points."""
    points = knee.tibia_from_femur.apply(FEMORAL.vertices_mm)
    sides = (points[FEMORAL.vertices_mm[:, 0] > 8], points[FEMORAL.vertices_mm[:, 0] < -8])
    return float(np.mean([side[side[:, 1].argmin(), 2] for side in sides]))


@SEEDS
def test_both_condyles_ride_on_the_insert(seed):
    for knee in gait(FEMORAL, gait_phases(30), seed):
        points = knee.tibia_from_femur.apply(FEMORAL.vertices_mm)
        right = points[FEMORAL.vertices_mm[:, 0] > 8][:, 1].min() - INSERT_MM
        left = points[FEMORAL.vertices_mm[:, 0] < -8][:, 1].min() - INSERT_MM
        assert -0.15 < min(right, left) < 0.15, "the lower one touches"
        assert max(right, left) < 0.6, "the other lifts off by tenths of a millimetre"


@SEEDS
def test_motion_is_smooth_and_closes_after_a_cycle(seed):
    knees = gait(FEMORAL, gait_phases(400), seed)
    steps = np.array(
        [
            (after.world_from_tibia @ before.world_from_tibia.inverse()).log()
            for before, after in zip(knees, knees[1:] + knees[:1], strict=True)
        ]
    )
    assert np.abs(np.degrees(steps[:, 3:])).max() < 2.0
    jerk = np.diff([knee.world_from_femur.translation_mm for knee in knees], n=2, axis=0)
    assert np.abs(jerk).max() < 0.08


def test_the_same_seed_gives_the_same_walk_and_another_another():
    first, again, other = (gait(FEMORAL, [0.4], seed)[0].world_from_femur for seed in (5, 5, 6))
    assert first.as_matrix().tobytes() == again.as_matrix().tobytes()
    assert not first.close_to(other, mm=0.1, deg=0.1)


def test_left_is_the_mirror_image():
    left_femoral = femoral_component(1.5, Side.LEFT)
    flip = np.diag([-1.0, 1.0, 1.0])
    for right, left in zip(gait(FEMORAL, [0.1, 0.7], 2), gait(left_femoral, [0.1, 0.7], 2, Side.LEFT), strict=True):
        mirrored = flip @ left.tibia_from_femur.rotation @ flip
        np.testing.assert_allclose(mirrored, right.tibia_from_femur.rotation, atol=2e-3)
        assert left.internal_rotation_deg == pytest.approx(right.internal_rotation_deg)


@SEEDS
def test_implants_stay_inside_both_image_circles(seed):
    views, tibial = dual_plane_rig(1024), tibial_component(2.0)
    for knee in gait(FEMORAL, gait_phases(40), seed):
        for view in views:
            for mesh, pose in ((FEMORAL, knee.world_from_femur), (tibial, knee.world_from_tibia)):
                pixels = view.project(pose.apply(mesh.vertices_mm))
                assert np.hypot(*(pixels - 511.5).T).max() < 495


def test_the_rig_is_the_described_one():
    first, second = dual_plane_rig(768)
    assert first.detector_distance_mm == pytest.approx(SOURCE_TO_DETECTOR_MM)
    assert second.width_px == 768
    between = np.degrees(np.arccos(first.axis_world @ second.axis_world))
    assert between == pytest.approx(70.0, abs=1.0)
    for view in (first, second):
        above = view.project(np.array([[0.0, 50.0, 0.0], [0.0, -50.0, 0.0]]))
        assert above[0, 1] < above[1, 1], "up in the world is up in the picture"


def test_senseless_settings_are_refused():
    with pytest.raises(GeometryError, match="at least one frame"):
        gait_phases(0)
    with pytest.raises(CalibrationError, match="px wide"):
        dual_plane_rig(3)
    with pytest.raises(CalibrationError, match="angle"):
        dual_plane_rig(512, angle_deg=2.0)
