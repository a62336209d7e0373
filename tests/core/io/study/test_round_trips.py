"""What goes into a study comes out to the bit, and a refused change changes nothing."""

import sqlite3

import numpy as np
import pytest

from core.errors import StudyError
from core.io.study import StudyFile
from core.io.study.database import DATABASE
from core.io.study.journal import Kind
from core.study.values import PoseKey, PoseStatus
from tests.core.io.study import samples
from tests.core.io.study.samples import BODY, OTHER, TRIAL, key, record, told


def reopened(study: StudyFile) -> str:
    with StudyFile.open(study.path, read_only=True) as other:
        return told(other.study)


def test_trials_bodies_and_poses_come_back_to_the_bit(filled, tmp_path):
    filled.add_trial(samples.trial(tmp_path, "one view", (0,), views=1))
    for index, status in enumerate(PoseStatus):
        filled.record({key(samples.FRAMES[index], OTHER): record(index, status)}, action=status.value)
    bare = record(9, covariance=None, score=None, outcome="", details={}, author="", method="")
    filled.record({key(11): bare}, action="bare")
    held = filled.study
    filled.close()
    with StudyFile.open(filled.path) as again:
        assert told(again.study) == told(held)
        stored = again.study.poses.by_key[key(7, OTHER)]
        assert stored.status is PoseStatus.AUTO
        assert np.array_equal(stored.world_from_body.as_matrix(), samples.pose(2).as_matrix())
        assert np.array_equal(stored.covariance, record(2).covariance)
        assert again.study.trial(TRIAL).frames == samples.FRAMES
        assert again.study.poses.by_key[key(11)].author == again.journal()[-1].author
        assert again.study.poses.by_key[key(11)].covariance is None


def test_every_change_is_on_the_disk_at_once(filled):
    filled.record({key(5): record(5), key(3): None}, action="swap")
    assert reopened(filled) == told(filled.study)
    filled.set_exclusions(TRIAL, 1, [((1.5, 2.5), (3.0, 4.0), (0.0, 1 / 3))])
    assert reopened(filled) == told(filled.study)
    filled.remove_body(BODY)
    assert reopened(filled) == told(filled.study)
    filled.remove_trial(TRIAL)
    assert reopened(filled) == told(filled.study)
    assert not filled.study.trials
    assert [b.name for b in filled.study.bodies] == [OTHER]
    assert len(filled.study.poses) == 0


def test_removing_takes_only_its_own_and_makes_room_for_the_same_name(filled, tmp_path):
    filled.add_trial(samples.trial(tmp_path, "other"))
    filled.record({PoseKey("other", BODY, 3): record(1), key(5, OTHER): record(2)}, action="more")
    filled.remove_trial(TRIAL)
    assert list(filled.study.poses) == [PoseKey("other", BODY, 3)]
    filled.add_trial(samples.trial(tmp_path))
    assert reopened(filled) == told(filled.study)


def test_the_rows_of_removed_trials_go_too(filled):
    filled.remove_trial(TRIAL)
    filled.close()
    raw = sqlite3.connect(filled.path / DATABASE)
    left = {
        table: raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("trials", "frames", "planes", "pictures", "exclusions", "poses")
    }
    raw.close()
    assert set(left.values()) == {0}, left


@pytest.mark.parametrize(
    "bad",
    [PoseKey("no such", BODY, 3), PoseKey(TRIAL, "no such", 3), PoseKey(TRIAL, BODY, 4)],
    ids=["trial", "body", "frame"],
)
def test_poses_of_unknown_things_are_refused_whole(filled, bad):
    before, rows = told(filled.study), len(filled.journal())
    with pytest.raises(StudyError, match="has no"):
        filled.record({key(5): record(5), bad: record(6)}, action="half good")
    assert told(filled.study) == before == reopened(filled)
    assert len(filled.journal()) == rows


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s, p: s.add_trial(samples.trial(p)), "already"),
        (lambda s, p: s.add_body(samples.body(p)), "already"),
        (lambda s, p: s.add_body(samples.body(p, "  ")), "needs a name"),
        (lambda s, p: s.remove_trial("nope"), "has no trial"),
        (lambda s, p: s.remove_body("nope"), "has no body"),
        (lambda s, p: s.set_exclusions(TRIAL, 2, []), "no view 2"),
        (lambda s, p: s.set_exclusions(TRIAL, -1, []), "no view -1"),
    ],
)
def test_refused_changes_change_nothing(filled, tmp_path, change, says):
    before, rows = told(filled.study), len(filled.journal())
    with pytest.raises(StudyError, match=says):
        change(filled, tmp_path)
    assert told(filled.study) == before == reopened(filled)
    assert len(filled.journal()) == rows


def test_create_refuses_names_and_places_and_leaves_what_is_there(filled, tmp_path):
    with pytest.raises(StudyError, match=r"use b\.study instead of b"):
        StudyFile.create(tmp_path / "b")
    with pytest.raises(StudyError, match="exists already"):
        StudyFile.create(filled.path)
    (tmp_path / "file.study").write_text("mine")
    with pytest.raises(StudyError, match="exists already"):
        StudyFile.create(tmp_path / "file.study")
    assert (tmp_path / "file.study").read_text() == "mine"
    assert reopened(filled) == told(filled.study)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.study", "file.study"]


def test_an_empty_folder_is_taken_and_missing_parents_are_made(tmp_path):
    (tmp_path / "x.study").mkdir()
    StudyFile.create(tmp_path / "x.study").close()
    StudyFile.create(tmp_path / "far" / "away" / "y.study", "Why").close()
    with StudyFile.open(tmp_path / "far" / "away" / "y.study" / DATABASE) as found:
        assert found.study.name == "Why"


def test_opening_what_is_no_study_says_so(tmp_path):
    with pytest.raises(StudyError, match="there is no study"):
        StudyFile.open(tmp_path / "none.study")
    with pytest.raises(StudyError, match="holds no"):
        StudyFile.open(tmp_path)


def test_the_journal_tells_who_what_before_and_after(filled):
    filled.record({key(3): record(1), key(5): record(2)}, author="ben", action="register frames")
    filled.record({key(3): None}, action="clear")
    entries = filled.journal()
    assert [e.kind for e in entries][:4] == [Kind.STUDY, Kind.TRIAL, Kind.BODY, Kind.BODY]
    assert [e.number for e in entries] == sorted(e.number for e in entries)
    first, second, cleared = entries[-3:]
    assert first.step == second.step == cleared.step - 1
    assert (first.author, first.action, first.frame) == ("ben", "register frames", 3)
    assert first.before["world_from_body"] == samples.pose(0).as_matrix().tolist()
    assert first.after["world_from_body"] == samples.pose(1).as_matrix().tolist()
    assert second.before is None
    assert cleared.after is None
    assert cleared.before["world_from_body"] == first.after["world_from_body"]
    assert first.calibration == second.calibration != ""
    assert filled.journal(last=2) == entries[-2:]


def test_removals_are_kept_whole_in_the_journal(filled):
    filled.remove_trial(TRIAL)
    pose, trial = filled.journal(last=2)
    assert pose.before["world_from_body"] == samples.pose(0).as_matrix().tolist()
    assert trial.kind is Kind.TRIAL
    assert len(trial.before["views"][0]["images"]) == len(samples.FRAMES)
    assert trial.before["views"][0]["exclusions"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET author = 'nobody'",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE id = 1",
        "REPLACE INTO journal (id, session_id, step, at, author, action, software, calibration, kind) "
        "VALUES (2, 1, 1, '', '', '', '', '', 'study')",
    ],
)
def test_the_journal_cannot_be_rewritten_even_by_hand(filled, statement):
    entries = filled.journal()
    filled.close()
    raw = sqlite3.connect(filled.path / DATABASE)
    with pytest.raises(sqlite3.Error, match="append-only"):
        raw.execute(statement)
    raw.close()
    with StudyFile.open(filled.path, read_only=True) as again:
        assert again.journal() == entries


def test_a_closed_study_closes_again_and_a_clean_end_is_no_interruption(filled):
    filled.close()
    filled.close()
    with StudyFile.open(filled.path) as again:
        assert again.interrupted is None
