"""The checks turn what is on the disk into sentences."""

import numpy as np
import pytest
import tifffile

from app.wizards.checks import check_body, check_plane, check_trial
from app.wizards.files import DiskSources
from app.wizards.sources import BodyFile, PlaneFiles, TrialFiles
from core.io.mayacam import write_mayacam2
from tests.app.wizards.conftest import view, write_pictures
from tests.real_data import REAL, needs_real_data

SOURCES = DiskSources()


def trial(disk, **changes):
    planes = (
        PlaneFiles(images=str(disk.pictures_a), calibration=str(disk.calibration_a)),
        PlaneFiles(images=str(disk.pictures_b), calibration=str(disk.calibration_b)),
    )
    return TrialFiles(**({"name": "walk", "planes": planes} | changes))


def test_a_good_plane_is_described(disk):
    report = check_plane(SOURCES, 0, PlaneFiles(images=str(disk.pictures_a), calibration=str(disk.calibration_a)))
    assert report.usable
    assert report.told == "5 pictures, frames 0 to 8, 96 × 96 px, 8 bit. MayaCam 2.0 calibration."


@pytest.mark.parametrize("files", [PlaneFiles(), PlaneFiles(images="  ")])
def test_what_is_missing_is_no_mistake(files):
    report = check_plane(SOURCES, 1, files)
    assert not report.usable
    assert not report.problem
    assert "pictures of view B" in report.told


def test_a_calibration_of_another_size_is_a_problem(disk):
    files = PlaneFiles(images=str(disk.pictures_a), calibration=str(disk.calibration_of_size(128)))
    report = check_plane(SOURCES, 0, files)
    assert "128 x 128" in report.problem
    assert "96 x 96" in report.problem


def test_a_picture_of_another_size_in_the_middle_is_a_problem(disk, tmp_path):
    odd = write_pictures(tmp_path / "odd", range(4))
    tifffile.imwrite(odd / "frame_002.tif", np.zeros((50, 40), np.uint8))
    report = check_plane(SOURCES, 0, PlaneFiles(images=str(odd), calibration=str(disk.calibration_a)))
    assert "frame_002.tif" in report.problem


def test_a_damaged_picture_in_the_middle_is_a_problem(disk, tmp_path):
    odd = write_pictures(tmp_path / "odd", range(4))
    (odd / "frame_002.tif").write_bytes(b"II*\0 this is no picture")
    report = check_plane(SOURCES, 0, PlaneFiles(images=str(odd), calibration=str(disk.calibration_a)))
    assert "frame_002.tif" in report.problem


def test_a_black_first_picture_is_a_warning(disk, tmp_path):
    dark = write_pictures(tmp_path / "dark", range(3))
    tifffile.imwrite(dark / "frame_000.tif", np.zeros((96, 96), np.uint8))
    report = check_plane(SOURCES, 0, PlaneFiles(images=str(dark), calibration=str(disk.calibration_a)))
    assert report.usable
    assert "all black" in report.warning


def test_a_good_trial_tells_its_geometry(disk):
    report = check_trial(SOURCES, trial(disk))
    assert report.usable
    assert report.frames == (0, 2, 4, 6, 8)
    assert report.told == ("5 frames, 0 to 8. The views cross at 70 deg, 800 and 800 mm from their sources.")
    assert not report.warning


def test_other_numbers_offer_pairing_by_order(disk, tmp_path):
    shifted = write_pictures(tmp_path / "shifted", range(1, 11, 2))
    planes = (trial(disk).planes[0], PlaneFiles(images=str(shifted), calibration=str(disk.calibration_b)))
    report = check_trial(SOURCES, trial(disk, planes=planes))
    assert not report.usable
    assert report.offer_order
    assert "--pair-by" not in report.problem
    ordered = check_trial(SOURCES, trial(disk, planes=planes, pair_by="order"))
    assert ordered.usable
    assert ordered.frames == (0, 2, 4, 6, 8)
    assert "Paired by order" in ordered.told


def test_unequal_counts_offer_nothing(disk, tmp_path):
    fewer = write_pictures(tmp_path / "fewer", range(0, 8, 2))
    planes = (trial(disk).planes[0], PlaneFiles(images=str(fewer), calibration=str(disk.calibration_b)))
    report = check_trial(SOURCES, trial(disk, planes=planes))
    assert not report.offer_order
    assert "5 pictures" in report.problem
    assert "4" in report.problem


def test_the_same_files_for_both_views_are_refused(disk):
    plane = trial(disk).planes[0]
    report = check_trial(SOURCES, trial(disk, planes=(plane, plane)))
    assert "same pictures or the same calibration" in report.problem


def test_a_calibration_in_centimetres_is_noticed_and_can_be_said(disk, tmp_path):
    for name, turned in (("a", 0.0), ("b", 70.0)):
        write_mayacam2(view(name, turned, scale=0.1), tmp_path / f"{name}.txt")
    planes = (
        PlaneFiles(images=str(disk.pictures_a), calibration=str(tmp_path / "a.txt")),
        PlaneFiles(images=str(disk.pictures_b), calibration=str(tmp_path / "b.txt")),
    )
    report = check_trial(SOURCES, trial(disk, planes=planes))
    assert "in mm" in report.warning
    right = check_trial(SOURCES, trial(disk, planes=planes, lengths="cm"))
    assert not right.warning
    assert "800 and 800 mm" in right.told


def test_one_view_is_enough(disk):
    report = check_trial(SOURCES, trial(disk, planes=trial(disk).planes[:1]))
    assert report.usable
    assert len(report.paths) == 1


@pytest.mark.parametrize(("name", "said"), [("  ", "Give the trial a name"), ("walk", "already")])
def test_a_trial_needs_a_name_of_its_own(disk, name, said):
    assert said in check_trial(SOURCES, trial(disk, name=name), taken=("walk",)).problem


@pytest.mark.parametrize(("fixture", "likely"), [("block", "mm"), ("small_block", "m")])
def test_units_are_guessed_from_the_size(disk, fixture, likely):
    assert SOURCES.measure(getattr(disk, fixture)).likely[0] == likely


def test_an_open_surface_is_repaired_and_that_is_told(disk):
    report = check_body(SOURCES, BodyFile(name="femur", path=disk.open_block, units="mm"))
    assert report.body is not None
    assert any("hole" in note for note in report.body.notes)


def test_wrong_units_are_a_sentence(disk):
    report = check_body(SOURCES, BodyFile(name="femur", path=disk.block, units="m"))
    assert report.body is None
    assert report.problem.startswith("femur0.stl in m would be")
    assert " mm " in report.problem


@needs_real_data
def test_the_real_knee_passes():
    knee = REAL / "biplane_tka"
    planes = tuple(
        PlaneFiles(images=str(knee / f"cam{n}"), calibration=str(knee / "calibration" / f"Camcal{n}.txt"))
        for n in (1, 2)
    )
    report = check_trial(SOURCES, TrialFiles(name="knee", planes=planes))
    assert report.usable, report.problem
    assert len(report.frames) == 111
    assert not report.warning
