"""JointTrack's calibration and poses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CalibrationError, PoseError
from core.geometry.rigid import Rigid
from core.io.calibration import inspect_calibration, read_calibration
from core.io.jointtrack import OPENCV_FROM_JOINTTRACK, read_jointtrack_calibration, read_jts
from tests.scenes import rig_view

HEADER = "JT_EULER_312\n x_tran, y_tran, z_tran, z_rot, x_rot, y_rot\n"


@given(
    st.floats(500, 3000),
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.floats(0.05, 2),
    st.tuples(st.floats(-200, 200), st.floats(-200, 200), st.floats(-2000, -10)),
)
def test_it_projects_as_described(tmp_path_factory, distance, x_offset, y_offset, spacing, point):
    path = tmp_path_factory.mktemp("jt") / "calibration.txt"
    path.write_text(f"JT_INTCALIB\n{distance}\n{x_offset}\n{y_offset}\n{spacing}\n")
    view = read_jointtrack_calibration(path, "A", (1024, 1000))
    from_left = 1024 / 2 + x_offset / spacing + distance / spacing * point[0] / -point[2]
    from_bottom = 1000 / 2 + y_offset / spacing + distance / spacing * point[1] / -point[2]
    # Edges of the picture lie half a pixel outside the centres of its outermost pixels.
    expected = [from_left - 0.5, 1000 - from_bottom - 0.5]
    np.testing.assert_allclose(view.project(np.array([point]))[0], expected, rtol=1e-9, atol=1e-6)
    assert view.detector_distance_mm == pytest.approx(distance)
    assert view.pixel_spacing_mm == spacing


def test_it_is_recognised_and_needs_the_picture_size(tmp_path):
    path = tmp_path / "calibration.txt"
    path.write_text("JT_INTCALIB\n1198\n0\n0\n0.373\n")
    with pytest.raises(CalibrationError, match="does not say the size of its pictures"):
        read_calibration(path, "A")
    known = inspect_calibration(path, "A", (640, 480))
    assert known.kind == "JointTrack one-plane"
    assert "its camera" in known.notes[0]
    assert (known.view.width_px, known.view.height_px) == (640, 480)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("JT_INTCALIB\n1198\n0\n0\n", "followed by four numbers .*found 3"),
        ("JT_INTCALIB\n1198\n0\n0\n0.3\n7\n", "followed by four numbers .*found 5"),
        ("JT_INTCALIB\n1198\n0\nzero\n0.3\n", "y offset mm must be a number, found 'zero'"),
        ("JT_INTCALIB\n1198\n0\n0\nnan\n", "pixel size mm must be a number"),
        ("JT_INTCALIB\n1198\n0\n0\n-0.3\n", "pixel size mm must be positive, found -0.3"),
        ("JT_INTCALIB\n0\n0\n0\n0.3\n", "source-to-detector distance mm must be positive"),
        ("JTA_INTCALIB_BIPLANE\n1198\n", "is for two planes"),
    ],
)
def test_broken_calibrations(tmp_path, text, words):
    path = tmp_path / "calibration.txt"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=words) as caught:
        read_calibration(path, "A", (10, 10))
    assert str(path) in str(caught.value)


def test_rows_are_rz_rx_ry_and_unset_ones_keep_their_place(tmp_path):
    path = tmp_path / "fem.jts"
    path.write_text(HEADER + " 18.52, 19.70, -1027.7, -26.70, -7.42, -0.26\nNOT_OPTIMIZED\n  1,2,-3,\t4,5,6,\n  \n")
    first, unset, last = read_jts(path)
    assert unset is None
    z, x, y = np.radians([-26.70, -7.42, -0.26])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    np.testing.assert_allclose(first.rotation, rz @ rx @ ry, atol=1e-12)
    assert first.translation_mm.tolist() == [18.52, 19.70, -1027.7]
    assert last.translation_mm.tolist() == [1, 2, -3]


def test_poses_of_another_world_are_carried_into_it(tmp_path):
    path = tmp_path / "fem.jts"
    path.write_text(HEADER + "5,6,-1000,10,20,30\n")
    view = rig_view("A", 40.0)
    (alone,), (carried,) = read_jts(path), read_jts(path, view)
    camera_from_body = OPENCV_FROM_JOINTTRACK @ alone
    assert (view.camera_from_world @ carried).close_to(camera_from_body, mm=1e-9, deg=1e-5)
    assert view.depth_mm(carried.translation_mm) == pytest.approx(1000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("frame,r00\n1,2\n", "line 1: expected JT_EULER_312"),
        (HEADER + "1,2,-3,4,5\n", "line 3: expected six numbers"),
        (HEADER + "1,2,-3,4,5,6\nOPTIMIZED\n", "line 4: expected six numbers"),
        (HEADER + "1,2,x,4,5,6\n", "line 3: .*no finite number"),
        (HEADER + "1,2,nan,4,5,6\n", "line 3: .*no finite number"),
        (HEADER + "1,2,1000,4,5,6\n", "line 3: z is 1000 mm, behind the X-ray source"),
    ],
)
def test_broken_poses(tmp_path, text, words):
    path = tmp_path / "fem.jts"
    path.write_text(text)
    with pytest.raises(PoseError, match=words):
        read_jts(path)


def test_identity_pose_faces_the_source():
    assert OPENCV_FROM_JOINTTRACK.inverse().close_to(OPENCV_FROM_JOINTTRACK)
    assert isinstance(OPENCV_FROM_JOINTTRACK, Rigid)
