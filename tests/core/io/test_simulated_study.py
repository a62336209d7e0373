"""The simulated study as files: complete, readable through the ordinary doors, repeatable, never half done."""

import errno
from pathlib import Path

import numpy as np
import pytest

from core.errors import CalibrationError, ImageError, StorageError, StudyError
from core.geometry.rigid import Rigid
from core.io.images import read_image
from core.io.mayacam import read_mayacam
from core.io.mesh_files import read_mesh
from core.io.poses_csv import read_poses
from core.io.simulated_study import FEMUR, TIBIA, TRIAL, picture_path, write_simulated_study
from core.io.study import StudyFile
from core.registration.body import prepare_body
from core.registration.values import finish
from core.simulation.knee import make_knee
from core.simulation.motion import gait_phases

SIZE, FRAMES, SEED = 192, 3, 8


@pytest.fixture(scope="module")
def study_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated") / "walk.study"
    finish(write_simulated_study(path, frames=FRAMES, seed=SEED, size_px=SIZE))
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    kept = ("images", "calibration", "models")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in kept
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def test_the_study_holds_what_was_simulated(study_path):
    with StudyFile.open(study_path, read_only=True) as file:
        study = file.study
    trial = study.trial(TRIAL)
    assert trial.frames == (0, 1, 2)
    assert len(trial.views) == 2
    assert [body.name for body in study.bodies] == [FEMUR, TIBIA]
    assert len(study.poses) == 0, "the truth is a file beside the study, not an answer inside it"
    for plane in trial.views:
        for link in plane.images:
            assert read_image(link.path).shape == (SIZE, SIZE)


def test_the_calibration_is_that_of_the_simulated_rig(study_path):
    knee = make_knee(gait_phases(FRAMES), SEED, size_px=SIZE)
    for plane, view in zip("ab", knee.views, strict=True):
        read = read_mayacam(study_path / "calibration" / f"{plane}.txt", view.name)
        assert read.camera_from_world.close_to(view.camera_from_world, mm=1e-6, deg=1e-6)
        np.testing.assert_allclose(read.focal_px, view.focal_px, rtol=1e-9)
        np.testing.assert_allclose(read.principal_px, view.principal_px, rtol=1e-9)


def test_pictures_and_truth_are_those_of_the_seed(study_path):
    knee = make_knee(gait_phases(FRAMES), SEED, size_px=SIZE)
    np.testing.assert_array_equal(read_image(picture_path(study_path, "b", 2)), knee.picture(2, 1))
    for number, body in enumerate((FEMUR, TIBIA)):
        truth = read_poses(study_path / "truth" / f"{body}.csv")
        assert sorted(truth) == [0, 1, 2]
        for frame, record in truth.items():
            assert record.world_from_body.close_to(knee.truth(frame)[number], mm=1e-4, deg=1e-4)


def test_surfaces_are_closed_in_mm_and_coarser_than_those_x_rayed(study_path):
    knee = make_knee(gait_phases(1), SEED, size_px=SIZE)
    for body, part in ((FEMUR, knee.femoral), (TIBIA, knee.tibial)):
        mesh = read_mesh(study_path / "models" / f"{body}.stl", "mm")
        assert len(mesh.faces) < 0.6 * len(part.mesh.faces)
        prepared = prepare_body(body, mesh)
        assert prepared.mesh.is_closed
        assert not any("hole" in note or "remove" in note for note in prepared.notes)
        np.testing.assert_allclose(prepared.pivot_mm, part.mesh.centre_mm, atol=0.1)


def test_the_same_seed_gives_the_same_files(study_path, tmp_path):
    again = tmp_path / "again.study"
    finish(write_simulated_study(again, frames=FRAMES, seed=SEED, size_px=SIZE))
    assert files_of(again) == files_of(study_path)
    other = tmp_path / "other.study"
    finish(write_simulated_study(other, frames=FRAMES, seed=SEED + 1, size_px=SIZE))
    assert files_of(other).keys() == files_of(study_path).keys()
    assert files_of(other) != files_of(study_path)


def test_progress_runs_from_nothing_to_all(tmp_path):
    reports = list(write_simulated_study(tmp_path / "p.study", frames=4, seed=0, size_px=96, bits=16))
    fractions = [report.fraction for report in reports]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    assert len(reports) == 5
    assert read_image(picture_path(tmp_path / "p.study", "a", 0)).dtype == np.uint16


def test_a_cancelled_study_leaves_nothing_behind(tmp_path):
    steps = write_simulated_study(tmp_path / "c.study", frames=6, seed=0, size_px=96)
    for _ in range(3):
        next(steps)
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("core.io.simulated_study.tifffile.imwrite", full)
    with pytest.raises(StorageError, match="full"):
        finish(write_simulated_study(tmp_path / "f.study", frames=6, seed=0, size_px=96))
    assert list(tmp_path.iterdir()) == []


def test_senseless_sizes_leave_nothing_behind(tmp_path):
    with pytest.raises(CalibrationError, match="px wide"):
        finish(write_simulated_study(tmp_path / "s.study", frames=1, seed=0, size_px=7))
    with pytest.raises(ImageError, match="8 or 16 bits"):
        finish(write_simulated_study(tmp_path / "s.study", frames=1, seed=0, size_px=96, bits=12))
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_never_touched(study_path):
    before = files_of(study_path)
    with pytest.raises(StudyError, match="exists already"):
        finish(write_simulated_study(study_path, frames=1, seed=0, size_px=96))
    assert files_of(study_path) == before
    with pytest.raises(StudyError, match="at least one frame"):
        finish(write_simulated_study(study_path.with_name("none.study"), frames=0, seed=0))


def test_poses_can_be_stored_on_it(study_path, tmp_path):
    with StudyFile.open(study_path, read_only=True) as file:
        copy = file.copy_to(tmp_path / "copy.study")
    with StudyFile.open(copy, read_only=True) as file:
        links = [link.path for view in file.study.trial(TRIAL).views for link in view.images]
    assert all(path.is_relative_to(copy) and path.exists() for path in links)
    assert isinstance(read_poses(copy / "truth" / "femur.csv")[0].world_from_body, Rigid)
