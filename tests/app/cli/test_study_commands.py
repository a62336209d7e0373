"""Making a study, adding trials and bodies, and what is said of bad input."""

import cv2
import numpy as np
import pytest
import tifffile

from core.io.study import StudyFile
from tests.app.cli.conftest import BODIES, FRAMES


def one_sentence(told, *parts):
    """Misuse: exit code 2, one line on standard error, nothing else."""
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    for part in parts:
        assert part in told.err


def test_a_study_is_made_step_by_step(study, call, knee):
    with StudyFile.open(study, read_only=True) as file:
        trial = file.study.trial("stairs")
        assert trial.frames == FRAMES
        assert [plane.view.name for plane in trial.views] == ["A", "B"]
        assert [link.path.name for link in trial.views[1].images][:2] == ["frame_0000.tif", "frame_0002.tif"]
        assert all(len(link.sha256) == 64 for plane in trial.views for link in (*plane.images, plane.calibration))
        assert [(body.name, body.units) for body in file.study.bodies] == [("femur", "mm"), ("tibia", "mm")]
        assert len(file.study.poses) == len(FRAMES) * len(BODIES)


def test_show_tells_people_and_machines(study, call):
    told = call("study", "show", study)
    assert told.code == 0
    assert "2 bodies" in told.out
    assert [word in told.out for word in ("stairs", "femur", "tibia")] == [True] * 3
    held = call("study", "show", study, "--json").json
    assert held["trials"][0]["frames"] == list(FRAMES)
    assert [body["name"] for body in held["bodies"]] == list(BODIES)
    assert held["poses"] == len(FRAMES) * len(BODIES)


def test_a_pattern_names_pictures_too(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    told = add_trial(tmp_path / "a.study", images_a=f"{knee}/A/*_000[02].tif", images_b=f"{knee}/B/*_000[02].tif")
    assert told.code == 0
    assert "2 frames (0 to 2), 2 views" in told.out


def test_a_trial_of_one_view(call, add_trial, tmp_path):
    call("study", "create", tmp_path / "a.study")
    told = add_trial(tmp_path / "a.study", images_b=None, calibration_b=None)
    assert told.code == 0
    assert "5 frames (0 to 6), 1 view\n" in told.out


def test_half_a_second_view_is_refused(call, add_trial, tmp_path):
    call("study", "create", tmp_path / "a.study")
    one_sentence(add_trial(tmp_path / "a.study", calibration_b=None), "second view", "both")


def test_numbers_that_differ_are_paired_by_order_only_when_asked(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    for path in sorted((knee / "B").iterdir(), reverse=True):
        path.rename(path.with_name(f"x{int(path.stem[-4:]) + 100:04d}.tif"))
    one_sentence(add_trial(tmp_path / "a.study"), "--pair-by order")
    told = add_trial(tmp_path / "a.study", pair_by="order")
    assert told.code == 0
    assert "paired by order" in told.out
    with StudyFile.open(tmp_path / "a.study", read_only=True) as file:
        trial = file.study.trial("stairs")
        assert trial.frames == FRAMES
        assert [link.path.name for link in trial.views[1].images][-1] == "x0106.tif"


def test_unequal_counts_are_refused(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    (knee / "B" / "frame_0003.tif").unlink()
    for pair_by in ("number", "order"):
        one_sentence(add_trial(tmp_path / "a.study", pair_by=pair_by), "5", "4")
    assert call("study", "show", tmp_path / "a.study", "--json").json["trials"] == []


def test_a_calibration_of_other_pictures_is_refused(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    for path in (knee / "B").iterdir():
        tifffile.imwrite(path, tifffile.imread(path)[:200, :])
    one_sentence(add_trial(tmp_path / "a.study"), "256 x 256", "256 x 200")


def test_one_picture_of_another_size_is_refused(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    tifffile.imwrite(knee / "A" / "frame_0004.tif", np.zeros((128, 256), np.uint16))
    one_sentence(add_trial(tmp_path / "a.study"), "frame_0004.tif", "256 x 128")


def test_the_same_calibration_twice_is_refused(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    one_sentence(add_trial(tmp_path / "a.study", calibration_b=knee / "A.txt"), "same place")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("rotation", "turning", "rotation"),
        (None, "", "B.txt"),
        (None, "nonsense", "B.txt"),
    ],
)
def test_a_broken_calibration_is_refused(call, add_trial, knee, tmp_path, old, new, part):
    call("study", "create", tmp_path / "a.study")
    text = (knee / "B.txt").read_text()
    (knee / "B.txt").write_text(new if old is None else text.replace(old, new))
    one_sentence(add_trial(tmp_path / "a.study"), part)


def test_missing_pictures_or_calibrations_are_named(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    one_sentence(add_trial(tmp_path / "a.study", images_a=knee / "C"), str(knee / "C"))
    one_sentence(add_trial(tmp_path / "a.study", calibration_a=knee / "C.txt"), "C.txt")


def test_units_are_asked_for_with_a_guess(call, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    one_sentence(call("study", "add-body", tmp_path / "a.study", "femur", knee / "femur.stl"), "--units", "mm")
    assert call("study", "show", tmp_path / "a.study", "--json").json["bodies"] == []


def test_units_that_no_knee_could_have_are_refused(call, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    told = call("study", "add-body", tmp_path / "a.study", "femur", knee / "femur.stl", "--units", "m")
    one_sentence(told, "in m would be", "probably in mm")


def test_units_that_are_unusual_are_taken_with_a_note_that_stays(call, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    told = call("study", "add-body", tmp_path / "a.study", "femur", knee / "femur.stl", "--units", "cm")
    assert told.code == 0
    assert "note: check the units: in cm it is 6" in told.out
    told = call("study", "add-body", tmp_path / "a.study", "tibia", knee / "tibia.stl", "--units", "mm")
    assert "units" not in told.out
    bodies = call("study", "show", tmp_path / "a.study", "--json").json["bodies"]
    assert ["units" in " ".join(body["notes"]) for body in bodies] == [True, False]


def test_an_open_surface_is_repaired_with_a_note_or_refused(call, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    mesh = BODIES["femur"].as_trimesh()
    mesh.update_faces(np.arange(len(mesh.faces)) % 400 != 0)
    mesh.export(knee / "holes.stl")
    told = call("study", "add-body", tmp_path / "a.study", "femur", knee / "holes.stl", "--units", "mm")
    assert told.code == 0
    assert "hole" in told.out
    assert "silhouette" in told.out
    (knee / "empty.stl").write_text("solid nothing\nendsolid nothing\n")
    told = call("study", "add-body", tmp_path / "a.study", "tibia", knee / "empty.stl", "--units", "mm")
    one_sentence(told, "empty.stl")


def test_names_are_taken_once_and_studies_too(study, call, add_trial, knee):
    one_sentence(add_trial(study), "'stairs'", "already")
    one_sentence(call("study", "add-body", study, "femur", knee / "femur.stl", "--units", "mm"), "'femur'", "already")
    one_sentence(call("study", "create", study), "exists already")
    one_sentence(call("study", "create", study.with_suffix("")), ".study")


def test_a_study_that_is_not_there(call, tmp_path):
    one_sentence(call("study", "show", tmp_path / "no.study"), "no study at")


def test_a_study_that_a_window_has_open_can_be_shown_but_not_changed(study, call, knee):
    with StudyFile.open(study):
        assert call("study", "show", study).code == 0
        told = call("study", "add-body", study, "third", knee / "femur.stl", "--units", "mm")
        one_sentence(told, "open for writing", "close it there")


def test_sixteen_bit_png_pictures_will_do(call, add_trial, knee, tmp_path):
    call("study", "create", tmp_path / "a.study")
    for path in [*(knee / "A").iterdir(), *(knee / "B").iterdir()]:
        cv2.imwrite(str(path.with_suffix(".png")), tifffile.imread(path))
        path.unlink()
    assert add_trial(tmp_path / "a.study").code == 0


def test_what_was_assumed_of_a_calibration_is_told(call, knee, add_trial, tmp_path):
    path = tmp_path / "notes.study"
    call("study", "create", path)
    told = add_trial(path, name="in_mm")
    assert "view A" in told.out
    blank = knee / "A" / "frame_0000.tif"
    tifffile.imwrite(blank, np.zeros_like(tifffile.imread(blank)))
    told = add_trial(path, name="dark")
    assert told.code == 0
    assert "frame_0000.tif, is all black" in told.err
