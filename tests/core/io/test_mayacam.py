"""MayaCam calibrations: the two versions against each other, and what every broken file is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from core.errors import CalibrationError, StorageError
from core.geometry.view import View
from core.io.calibration import inspect_calibration, read_calibration
from core.io.mayacam import read_mayacam, read_mayacam_with_notes, write_mayacam2
from tests.laws.test_rigid_laws import rigid_motions
from tests.scenes import rig_view


@st.composite
def views(draw, *, one_focal_length=False):
    focal = draw(st.floats(500, 20_000))
    other = focal if one_focal_length else draw(st.floats(500, 20_000))
    return View(
        name="A",
        camera_from_world=draw(rigid_motions()),
        focal_px=(focal, other),
        principal_px=(draw(st.floats(-500, 3000)), draw(st.floats(-500, 3000))),
        width_px=draw(st.integers(1, 4096)),
        height_px=draw(st.integers(1, 4096)),
    )


def as_version_1(view: View, near: float = 0.1) -> str:
    """The five lines as XMALab writes them: OpenGL camera to world, counted from 1 at the bottom left."""
    world_from_opengl = view.camera_from_world.rotation.T @ np.diag([1.0, -1.0, -1.0])
    m = world_from_opengl
    angles = np.degrees(
        [
            np.arctan2(m[2, 1], m[2, 2]),
            np.arctan2(-m[2, 0], np.hypot(m[2, 1], m[2, 2])),
            np.arctan2(m[1, 0], m[0, 0]),
        ]
    )
    u0, v0 = view.principal_px[0] + 1, view.height_px - view.principal_px[1]
    z = -0.5 * sum(view.focal_px)
    rows = [
        view.source_world_mm,
        angles,
        [near * (view.width_px / 2 - u0), near * (view.height_px / 2 - v0), near * z],
        [u0, v0, z],
        [near, view.width_px, view.height_px],
    ]
    return "\n".join(",".join(repr(float(number)) for number in row) for row in rows) + "\n"


def away_from_the_pole(view: View) -> bool:
    """Euler angles of version 1 are well conditioned."""
    return bool(abs(view.camera_from_world.rotation[0, 2]) < 0.999)


@given(views(one_focal_length=True).filter(away_from_the_pole))
def test_version_1_equals_version_2(tmp_path_factory, view):
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "1.csv").write_text(as_version_1(view))
    write_mayacam2(view, folder / "2.txt")
    first, second = (read_mayacam(folder / name, "A") for name in ("1.csv", "2.txt"))
    np.testing.assert_allclose(first.camera_from_world.rotation, second.camera_from_world.rotation, atol=1e-12)
    np.testing.assert_allclose(
        first.camera_from_world.translation_mm, second.camera_from_world.translation_mm, rtol=1e-12, atol=1e-9
    )
    np.testing.assert_allclose(first.principal_px, second.principal_px, rtol=1e-12, atol=1e-11)
    assert first.focal_px == second.focal_px
    assert (first.width_px, first.height_px) == (second.width_px, second.height_px)


@given(views())
def test_version_2_comes_back_to_the_bit(tmp_path_factory, view):
    path = tmp_path_factory.mktemp("calibration") / "2.txt"
    write_mayacam2(view, path)
    back = read_mayacam(path, "A")
    assert np.array_equal(back.camera_from_world.as_matrix(), view.camera_from_world.as_matrix())
    assert (back.focal_px, back.principal_px) == (view.focal_px, view.principal_px)
    assert (back.width_px, back.height_px) == (view.width_px, view.height_px)


def test_angles_turn_about_z_then_y_then_x_of_the_camera(tmp_path):
    """A hand-made file: camera 1 m along world x, turned to look at the origin, x of the picture along world y."""
    path = tmp_path / "1.csv"
    # OpenGL camera looks along its -z: a quarter turn about y lays -z on -x, then one about x lays x on y ...
    turn = Rotation.from_euler("ZYX", [90, 0, 90], degrees=True).as_matrix()
    path.write_text("1000,0,0\n90,0,90\n0,0,-1\n101,50,-2000\n0.1,200,100\n")
    view = read_mayacam(path, "A")
    np.testing.assert_allclose(view.axis_world, -turn[:, 2], atol=1e-12)
    np.testing.assert_allclose(view.axis_world, [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(view.source_world_mm, [1000, 0, 0], atol=1e-9)
    np.testing.assert_allclose(view.project(np.array([[0.0, 10.0, 5.0]])), [[100 + 20, 50 - 10]], atol=1e-9)


def test_centimetres_are_scaled_and_doubted_when_not_said(tmp_path):
    view = rig_view("A", 10.0, distance_mm=120.0)
    write_mayacam2(view, tmp_path / "a.txt")
    in_cm, notes = read_mayacam_with_notes(tmp_path / "a.txt", "A", lengths="cm")
    np.testing.assert_allclose(in_cm.source_world_mm, 10 * view.source_world_mm)
    assert notes == ()
    _, notes = read_mayacam_with_notes(tmp_path / "a.txt", "A")
    assert "120 mm from the origin" in notes[0]
    assert "cm" in notes[0]
    (tmp_path / "1.csv").write_text(as_version_1(view))
    np.testing.assert_allclose(
        read_mayacam(tmp_path / "1.csv", "A", lengths="cm").source_world_mm, 10 * view.source_world_mm
    )
    with pytest.raises(CalibrationError, match="mm, cm or m, not 'inch'"):
        read_mayacam(tmp_path / "a.txt", "A", lengths="inch")


GOOD = (
    "image size\n100,90\n\ncamera matrix\n500,0,50\n0,510,45\n0,0,1\n\nrotation\n1,0,0\n0,1,0\n0,0,1\n\n"
    "translation\n1\n2\n900\n"
)
FIRST = "1,2,-900\n0,10,20\n0,0,-50\n51,45,-500\n0.1,100,90\n"


def variants_that_mean_the_same() -> list[str]:
    return [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace("\n\n", "\n"),
        GOOD.replace(",", ", "),
        GOOD.replace(",", "\t"),
        GOOD.replace("1\n2\n900", "1,2,900"),
        GOOD.replace("camera matrix", "Camera Matrix"),
        GOOD.rstrip("\n"),
        GOOD + "\nundistortion\n0,0,0\n",
    ]


@pytest.mark.parametrize("text", variants_that_mean_the_same())
def test_the_same_in_other_dress(tmp_path, text):
    path = tmp_path / "cal.txt"
    path.write_bytes(text.encode())
    view = read_mayacam(path, "A")
    assert view.focal_px == (500.0, 510.0)
    assert view.principal_px == (50.0, 45.0)
    assert (view.width_px, view.height_px) == (100, 90)
    assert view.camera_from_world.translation_mm.tolist() == [1, 2, 900]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("  \n \n", "is empty"),
        ("hello\nworld\n", "no MayaCam file: it begins with 'hello'"),
        (GOOD.replace("rotation\n", "turn\n"), "line 9: 'turn' is neither numbers nor a section"),
        (GOOD.replace("rotation\n1,0,0\n0,1,0\n0,0,1\n", ""), "has no section 'rotation'"),
        (GOOD.replace("0,510,45", "0,x,45"), "line 6: '0,x,45' holds something that is no finite number"),
        (GOOD.replace("0,510,45", "0,510"), "line 6: camera matrix needs 3 numbers a line, found 2"),
        (GOOD.replace("0,510,45\n", ""), "line 6: camera matrix needs 3 lines of numbers, found 2"),
        (GOOD[: GOOD.index("900")], "line 16: translation needs 3 lines of numbers, found 2; .*cut short"),
        (GOOD + "7\n", "line 18: translation needs 3 lines of numbers, found 4"),
        (GOOD[: GOOD.index("1\n2\n900")], "translation needs 3 lines of numbers, found 0"),
        (GOOD.replace("0,0,1\n\ntrans", "0,0,-1\n\ntrans"), "line 10, rotation: .*mirrored"),
        (GOOD.replace("1,0,0\n0,1,0", "1,0,0\n1,0,0"), "line 10, rotation: .*no rotation"),
        (GOOD.replace("1,0,0\n0,1,0", "0,0,0\n0,0,0"), "line 10, rotation: .*no rotation"),
        (GOOD.replace("500,0,50", "500,3,50"), "line 5: the camera matrix is skewed"),
        (GOOD.replace("500,0,50\n0,510,45\n0,0,1", "500,0,0\n0,510,0\n50,45,1"), "transposed"),
        (GOOD.replace("0,0,1\n\nrot", "0,0,2\n\nrot"), "must read fx,0,cx"),
        (GOOD.replace("500,0,50", "-500,0,50"), "focal lengths must be positive"),
        (GOOD.replace("100,90", "100.5,90"), "line 2: the image size must be two positive whole numbers"),
        (GOOD.replace("100,90", "0,90"), "line 2: the image size must be two positive whole numbers"),
        (GOOD.replace("900", "nan"), "line 17: 'nan' holds something that is no finite number"),
        (GOOD.replace("900", "inf"), "no finite number"),
        (GOOD + "\nrotation\n1,0,0\n", "line 19: section 'rotation' stands twice"),
        (GOOD + "\nundistortion\n0.1,0\n", "line 20: it holds a lens distortion .*export undistorted pictures"),
        (FIRST.replace("0,10,20\n", ""), "five lines of three numbers, this has 4"),
        (FIRST.replace("0,10,20", "0,10"), r"line 2: expected three numbers \(camera angles"),
        (FIRST.replace("51,45,-500", "51,45,far"), "line 4: '51,45,far' holds something"),
        (FIRST.replace("51,45,-500", "51,45,0"), "focal lengths must be positive"),
        (FIRST + "1,2,3\n", "line 6: a MayaCam 1.0 file has five lines, this has more"),
        (FIRST.replace("0.1,100,90", "0.1,100,90.5"), "whole numbers"),
    ],
)
def test_broken_files_are_told_what_and_where(tmp_path, text, words):
    path = tmp_path / "cal.txt"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=words) as caught:
        read_mayacam(path, "A")
    assert str(path) in str(caught.value)


def test_a_first_version_without_picture_size_is_noted(tmp_path):
    path = tmp_path / "1.csv"
    path.write_text(FIRST.replace("0.1,100,90", "0.1,0,0"))
    view, notes = read_mayacam_with_notes(path, "A")
    assert (view.width_px, view.height_px) == (1024, 1024)
    assert "1024 x 1024" in notes[0]


def test_missing_folders_and_binary_files(tmp_path):
    with pytest.raises(CalibrationError, match=r"none\.txt is missing"):
        read_mayacam(tmp_path / "none.txt", "A")
    with pytest.raises(CalibrationError, match="is a folder"):
        read_mayacam(tmp_path, "A")
    path = tmp_path / "b.txt"
    path.write_bytes(b"image size\n\0\1\2")
    with pytest.raises(CalibrationError, match="not a text file"):
        read_mayacam(path, "A")
    path.write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(CalibrationError, match="UTF-16"):
        read_mayacam(path, "A")
    path.write_bytes(GOOD.replace("rotation", "r\xf6tation").encode("latin-1"))
    with pytest.raises(CalibrationError, match="line 9: a letter is not in UTF-8"):
        read_mayacam(path, "A")


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_bring_it_down(tmp_path_factory, noise, at):
    path = tmp_path_factory.mktemp("noise") / "cal.txt"
    raw = GOOD.encode()
    path.write_bytes(raw[:at] + noise + raw[at + len(noise) :])
    try:
        view = read_calibration(path, "A", (100, 90))
    except CalibrationError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert (view.width_px, view.height_px) == (100, 90)


def test_the_kind_is_told_and_the_size_compared(tmp_path):
    path = tmp_path / "cal.txt"
    path.write_text(GOOD)
    assert inspect_calibration(path, "A").kind == "MayaCam 2.0"
    with pytest.raises(CalibrationError, match="made for pictures of 100 x 90 px, but these are 90 x 100 px"):
        read_calibration(path, "A", (90, 100))
    path.write_text(FIRST)
    assert inspect_calibration(path, "A").kind == "MayaCam 1.0"


def test_writing_where_one_cannot(tmp_path):
    with pytest.raises(StorageError, match="there is no folder"):
        write_mayacam2(rig_view("A", 0), tmp_path / "none" / "a.txt")
    assert not (tmp_path / "none").exists()
