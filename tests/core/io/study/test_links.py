"""Linked files are found again wherever the study goes, with or without them."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from core.io.study import StudyFile
from core.io.study.database import DATABASE
from core.io.study.links import Links
from tests.core.io.study.parts import BODY, TRIAL, a_body, a_trial, filled


def files_of(study):
    trial = study.trial(TRIAL)
    links = [link for plane in trial.views for link in (*plane.images, plane.calibration)]
    return [link.path for link in (*links, study.body(BODY).mesh)]


def stored_paths(folder):
    raw = sqlite3.connect(folder / DATABASE)
    rows = raw.execute("SELECT path FROM pictures UNION SELECT mesh_path FROM bodies").fetchall()
    raw.close()
    return [path for (path,) in rows]


@pytest.mark.parametrize(
    ("path", "stored"),
    [
        ("/home/me/lab/knee.study/truth/a.csv", "truth/a.csv"),
        ("/home/me/lab/cam1/0001.tif", "../cam1/0001.tif"),
        ("/home/me/other/0001.tif", "../../other/0001.tif"),
        ("/home/you/0001.tif", "/home/you/0001.tif"),
        ("/data/0001.tif", "/data/0001.tif"),
        ("/home/me/lab/../lab/cam1/./0001.tif", "../cam1/0001.tif"),
        ("/home/me/lab/knee.study2/0001.tif", "../knee.study2/0001.tif"),
    ],
)
def test_near_files_are_stored_as_seen_from_the_study(path, stored):
    links = Links(Path("/home/me/lab/knee.study"), None)
    assert links.to_stored(Path(path)) == stored
    assert links.from_stored(stored) == Path(os.path.normpath(path))


def test_near_ends_below_the_root():
    links = Links(Path("/lab/knee.study"), None)
    assert links.to_stored(Path("/data/0001.tif")) == "/data/0001.tif"
    assert links.to_stored(Path("/lab/0001.tif")) == "../0001.tif"


def test_a_study_moved_with_its_files_finds_them(tmp_path):
    (tmp_path / "old").mkdir()
    file = filled(tmp_path / "old")
    file.close()
    assert all(not Path(path).is_absolute() for path in stored_paths(file.path))
    (tmp_path / "old").rename(tmp_path / "new")
    for read_only in (True, False, True):
        with StudyFile.open(tmp_path / "new" / "knee.study", read_only=read_only) as moved:
            assert all(path.is_file() and path.is_relative_to(tmp_path / "new") for path in files_of(moved.study))


def test_a_study_moved_alone_finds_its_files_at_the_old_place(tmp_path):
    file = filled(tmp_path)
    file.close()
    far = tmp_path / "some" / "where" / "quite" / "else"
    far.mkdir(parents=True)
    shutil.move(file.path, far)
    for read_only in (True, False, True):
        with StudyFile.open(far / "knee.study", read_only=read_only) as moved:
            assert all(path.is_file() and path.is_relative_to(tmp_path / "data") for path in files_of(moved.study))


def test_of_two_places_the_near_one_counts(tmp_path):
    file = filled(tmp_path / "old")
    file.close()
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    with StudyFile.open(tmp_path / "new" / "knee.study", read_only=True) as moved:
        assert all(path.is_relative_to(tmp_path / "new") for path in files_of(moved.study))


def test_files_far_away_are_stored_by_their_whole_path(tmp_path):
    place = tmp_path / "a" / "b" / "c" / "knee.study"
    place.parent.mkdir(parents=True)
    with StudyFile.create(place) as file:
        file.add_trial(a_trial(tmp_path / "data"))
        file.add_body(a_body(tmp_path / "data"))
    assert all(Path(path).is_absolute() for path in stored_paths(place))
    shutil.move(place, tmp_path / "knee.study")
    with StudyFile.open(tmp_path / "knee.study") as moved:
        assert all(path.is_file() for path in files_of(moved.study))


def test_missing_files_do_not_keep_a_study_from_opening(tmp_path):
    file = filled(tmp_path)
    file.close()
    shutil.rmtree(tmp_path / "data")
    with StudyFile.open(file.path) as opened:
        assert not any(path.exists() for path in files_of(opened.study))
        assert len(opened.study.poses) == 2
