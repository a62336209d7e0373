"""A study notices when its files are missing, changed or moved, and finds them again."""

import shutil

import numpy as np
import pytest
import tifffile

from core.errors import StudyError
from core.io.study import StudyFile
from core.io.study.journal import Kind
from core.io.study.linked_files import FaultKind, faults_of, links_of
from core.registration.values import Problem
from tests.app.cli.conftest import BODIES, FRAMES

FEMUR = ("--trial", "stairs", "--body", "femur")
COUNT = 2 * len(FRAMES) + 2 + len(BODIES)


def held(study):
    with StudyFile.open(study, read_only=True) as file:
        return file.study


def test_a_whole_study_has_no_faults(study, call):
    told = call("study", "check", study)
    assert told.code == 0
    assert f"all {COUNT} linked files" in told.out
    assert call("study", "check", study, "--json").json == {"files": COUNT, "faults": []}


def test_missing_and_changed_files_are_told_apart(study, call, knee):
    (knee / "A" / "frame_0003.tif").unlink()
    pixels = tifffile.imread(knee / "B" / "frame_0006.tif")
    pixels[7, 9] += 1
    tifffile.imwrite(knee / "B" / "frame_0006.tif", pixels)
    told = call("study", "check", study)
    assert told.code == 1
    assert f"2 of {COUNT} files" in told.out
    faults = {fault.path.name: fault.kind for fault in faults_of(held(study))}
    assert faults == {"frame_0003.tif": FaultKind.MISSING, "frame_0006.tif": FaultKind.CHANGED}
    machine = call("study", "check", study, "--json")
    assert machine.code == 1
    assert [fault["fault"] for fault in machine.json["faults"]] == ["MISSING", "CHANGED"]


def test_moved_files_are_found_again(study, call, knee, tmp_path):
    new = tmp_path / "archive" / "of" / "2026"
    new.parent.mkdir(parents=True)
    shutil.move(knee, new)
    assert len(faults_of(held(study))) == COUNT
    told = call("study", "relink", study, knee, new)
    assert told.code == 0
    assert f"{COUNT} files" in told.out
    assert faults_of(held(study)) == ()
    assert all(link.path.is_relative_to(new) for link in links_of(held(study)))
    assert call("register", study, *FEMUR, "--frames", "0").code == 0
    with StudyFile.open(study, read_only=True) as file:
        row = next(entry for entry in file.journal() if entry.kind is Kind.LINKS)
    assert (row.before["path"], row.after["path"]) == (str(knee), str(new))


def test_memory_and_disk_agree_after_relinking_one_file(study, knee):
    shutil.move(knee / "femur.stl", knee / "moved.stl")
    with StudyFile.open(study) as file:
        assert file.relink(knee / "femur.stl", knee / "moved.stl") == 1
        assert file.study.body("femur").mesh.path == knee / "moved.stl"
        assert links_of(file.study) == links_of(held(study))


@pytest.mark.parametrize("spoil", ["missing", "changed"])
def test_other_files_do_not_stand_in(study, call, knee, tmp_path, spoil):
    shutil.copytree(knee, tmp_path / "copy")
    last = tmp_path / "copy" / "tibia.stl"
    last.unlink() if spoil == "missing" else last.write_bytes((knee / "femur.stl").read_bytes())
    before = links_of(held(study))
    told = call("study", "relink", study, knee, tmp_path / "copy")
    assert told.code == 2
    assert "tibia.stl" in told.err
    assert "nothing was changed" in told.err
    assert links_of(held(study)) == before


def test_where_nothing_is_linked_nothing_can_be_relinked(study, tmp_path):
    with StudyFile.open(study) as file, pytest.raises(StudyError, match="links to nothing"):
        file.relink(tmp_path / "elsewhere", tmp_path)


def test_a_changed_surface_is_warned_of_before_it_is_registered(study, call, knee):
    assert "not the surface" not in call("register", study, *FEMUR, "--frames", "0").err
    BODIES["femur"].scaled(1.001).as_trimesh().export(knee / "femur.stl")
    told = call("register", study, *FEMUR, "--frames", "0")
    assert "femur.stl is not the surface that was added" in told.err


def test_a_mistake_of_the_program_in_one_frame_costs_that_frame_only(study, call, monkeypatch):
    def stumble(name, problem: Problem, starts, recipe=None):
        if stumble.frame == 1:
            stumble.frame += 1
            raise np.linalg.LinAlgError("singular matrix")
        stumble.frame += 1
        return (yield from real(name, problem, starts, recipe))

    from core.registration import methods

    real, stumble.frame = methods.register_by, 0
    monkeypatch.setattr(methods, "register_by", stumble)
    told = call("register", study, *FEMUR, "--frames", "0:3", "--jobs", "1")
    assert told.code == 1
    assert "internal error" in told.out
    assert "2 of 3 frames registered" in told.out
