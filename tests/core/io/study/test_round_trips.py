"""What goes into a study comes out to the bit, and a refused change changes nothing."""

import sqlite3

import numpy as np

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


def test_removals_are_kept_whole_in_the_journal(filled):
    filled.remove_trial(TRIAL)
    pose, trial = filled.journal(last=2)
    assert pose.before["world_from_body"] == samples.pose(0).as_matrix().tolist()
    assert trial.kind is Kind.TRIAL
    assert len(trial.before["views"][0]["images"]) == len(samples.FRAMES)
    assert trial.before["views"][0]["exclusions"]


def test_a_closed_study_closes_again_and_a_clean_end_is_no_interruption(filled):
    filled.close()
    filled.close()
    with StudyFile.open(filled.path) as again:
        assert again.interrupted is None
