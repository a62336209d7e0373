"""What is put into a study file comes out again, to the last bit, with a journal row for each change."""

import sqlite3
import threading

import numpy as np
import pytest

from core.errors import StorageError, StudyError
from core.io.software import SOFTWARE
from core.io.study import StudyFile
from core.io.study.as_json import calibration_hash, trial_as_json
from core.io.study.database import DATABASE
from core.io.study.journal import Kind
from core.study.values import PoseStatus
from tests.core.io.study.parts import BODY, FRAMES, TRIAL, a_body, a_pose, a_trial, filled, key, same_pose


@pytest.fixture
def file(tmp_path):
    with filled(tmp_path) as opened:
        yield opened


def reopened(file):
    """The study as the disk has it."""
    with StudyFile.open(file.path, read_only=True) as read:
        return read.study


def test_a_study_reads_back_as_it_was_put_in(file, tmp_path):
    found = reopened(file)
    assert found.name == "knee"
    assert trial_as_json(found.trial(TRIAL)) == trial_as_json(a_trial(tmp_path / "data"))
    assert found.body(BODY) == a_body(tmp_path / "data")
    assert [k.frame for k in found.poses] == [0, 2]
    assert same_pose(found.poses.get(key(0)), a_pose(0))
    assert same_pose(found.poses.get(key(2)), a_pose(2))


def test_memory_and_disk_agree_after_each_change(file, tmp_path):
    file.record({key(0): None, key(7): a_pose(7)}, action="move")
    file.add_body(a_body(tmp_path / "data", "tibia"))
    file.set_exclusions(TRIAL, 1, [((1.0, 2.0), (3.0, 4.0), (5.0, 6.5))])
    held, found = file.study, reopened(file)
    assert list(held.poses) == list(found.poses) == [key(2), key(7)]
    assert [trial_as_json(t) for t in held.trials] == [trial_as_json(t) for t in found.trials]
    assert held.bodies == found.bodies
    assert held.trial(TRIAL).views[1].exclusions == (((1.0, 2.0), (3.0, 4.0), (5.0, 6.5)),)


def test_a_pose_without_known_numbers_survives(file):
    blank = a_pose(3, score=None, covariance=None, details={}, outcome="")
    unsure = a_pose(4, covariance=np.full((6, 6), np.nan))
    file.record({key(0): blank, key(2): unsure}, action="doubt")
    found = reopened(file).poses
    assert same_pose(found.get(key(0)), blank)
    assert same_pose(found.get(key(2)), unsure)


def test_a_record_is_signed_and_dated_when_it_is_not(file):
    file.record({key(4): a_pose(4, author="", created_at="")}, action="drag", author="Dr. B")
    found = reopened(file).poses.get(key(4))
    assert found.author == "Dr. B"
    assert found.created_at.endswith("Z")
    assert file.study.poses.get(key(4)).created_at == found.created_at


def test_the_journal_says_who_when_how_before_and_after(file):
    file.record({key(0): a_pose(5), key(2): None}, action="register frame 0", author="Dr. B")
    replaced, removed = file.journal(last=2)
    assert (replaced.author, replaced.action, replaced.software) == ("Dr. B", "register frame 0", SOFTWARE)
    assert replaced.calibration == calibration_hash(file.study.trial(TRIAL))
    assert (replaced.kind, replaced.trial, replaced.body, replaced.frame) == (Kind.POSE, TRIAL, BODY, 0)
    assert replaced.before["details"]["seed"] == 0
    assert replaced.after["details"] == {"seed": 5, "gate": 0.1 + 0.2, "bodies": "femur tibia"}
    assert np.array_equal(replaced.after["world_from_body"], a_pose(5).world_from_body.as_matrix())
    assert removed.after is None
    assert removed.before["details"]["seed"] == 2
    assert replaced.step == removed.step
    assert replaced.number < removed.number


def test_every_change_has_its_own_step_in_order(file):
    kinds = [(entry.kind, entry.step) for entry in file.journal()]
    assert kinds == [(Kind.STUDY, 1), (Kind.TRIAL, 2), (Kind.BODY, 3), (Kind.POSE, 4), (Kind.POSE, 4)]


def test_removing_a_body_or_trial_takes_its_poses_and_the_journal_keeps_them(file, tmp_path):
    file.add_body(a_body(tmp_path / "data", "tibia"))
    file.record({key(0, "tibia"): a_pose(9)}, action="place")
    file.remove_body(BODY)
    assert [body.name for body in reopened(file).bodies] == ["tibia"]
    assert list(reopened(file).poses) == list(file.study.poses) == [key(0, "tibia")]
    gone = [entry for entry in file.journal(last=3) if entry.after is None]
    assert [(entry.kind, entry.frame) for entry in gone] == [(Kind.POSE, 0), (Kind.POSE, 2), (Kind.BODY, None)]
    file.remove_trial(TRIAL)
    assert reopened(file).trials == ()
    assert len(reopened(file).poses) == 0
    assert file.journal(last=1)[0].before["frames"] == list(FRAMES)
    file.add_trial(a_trial(tmp_path / "data"))
    assert len(reopened(file).poses) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET author = 'someone else' WHERE id = 1",
        "UPDATE journal SET author = author",
        "DELETE FROM journal WHERE id = 1",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE id = 1",
        "REPLACE INTO journal SELECT * FROM journal",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_journal(file, statement):
    before = file.journal()
    path = file.path / DATABASE
    file.close()
    other = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)
    other.rollback()
    other.close()
    with StudyFile.open(path.parent, read_only=True) as read:
        assert read.journal() == before


def test_a_change_and_its_journal_rows_are_stored_together_or_not_at_all(file):
    journal, poses = file.journal(), file.study.poses
    # The journal's row cannot be written any more; the poses could.
    raw = sqlite3.connect(file.path / DATABASE)
    raw.execute("CREATE TRIGGER broken BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END")
    raw.commit()
    with pytest.raises(StudyError):
        file.record({key(0): a_pose(5), key(4): a_pose(6)}, action="half")
    raw.execute("DROP TRIGGER broken")
    raw.commit()
    raw.close()
    assert file.study.poses is poses
    assert file.journal() == journal
    assert same_pose(reopened(file).poses.get(key(0)), a_pose(0))
    assert reopened(file).poses.get(key(4)) is None
    file.record({key(0): a_pose(5)}, action="again")
    assert same_pose(reopened(file).poses.get(key(0)), a_pose(5))


@pytest.mark.parametrize(
    ("stranger", "named"),
    [(key(1), "no frame 1"), (key(0, "patella"), "'patella'"), (key(0, trial="walk"), "'walk'")],
)
def test_poses_of_strangers_are_refused_and_nothing_is_stored(file, stranger, named):
    journal = file.journal()
    with pytest.raises(StudyError, match=named):
        file.record({key(4): a_pose(4), stranger: a_pose(1)}, action="wrong")
    assert file.study.poses.get(key(4)) is None
    assert reopened(file).poses.get(key(4)) is None
    assert file.journal() == journal


def test_names_are_taken_once(file, tmp_path):
    with pytest.raises(StudyError, match="already"):
        file.add_trial(a_trial(tmp_path / "data"))
    with pytest.raises(StudyError, match="already"):
        file.add_body(a_body(tmp_path / "data"))
    with pytest.raises(StudyError, match="needs a name"):
        file.add_body(a_body(tmp_path / "data", " "))
    with pytest.raises(StudyError, match="no view 2"):
        file.set_exclusions(TRIAL, 2, [])


def test_nothing_to_record_leaves_no_trace(file):
    journal = file.journal()
    file.record({}, action="nothing")
    assert file.journal() == journal


def test_a_trial_of_one_view(tmp_path):
    with StudyFile.create(tmp_path / "one.study") as file:
        file.add_trial(a_trial(tmp_path, views=1))
        assert len(reopened(file).trial(TRIAL).views) == 1


def test_create_refuses_what_is_there_and_a_wrong_name(tmp_path, file):
    with pytest.raises(StudyError, match="exists already"):
        StudyFile.create(file.path)
    with pytest.raises(StudyError, match=r"use knee7\.study"):
        StudyFile.create(tmp_path / "knee7")
    taken = tmp_path / "file.study"
    taken.write_text("mine")
    with pytest.raises(StudyError, match="exists already"):
        StudyFile.create(taken)
    assert taken.read_text() == "mine"


def test_create_takes_an_empty_folder_and_leftovers_of_a_crash(tmp_path):
    (tmp_path / "a.study").mkdir()
    (tmp_path / "a.study.part").mkdir()
    (tmp_path / "a.study.part" / DATABASE).write_text("half")
    StudyFile.create(tmp_path / "a.study", "Knee A").close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.study"]
    with StudyFile.open(tmp_path / "a.study" / DATABASE) as file:
        assert file.study.name == "Knee A"


def test_open_says_what_is_wrong(tmp_path):
    with pytest.raises(StudyError, match="there is no study at"):
        StudyFile.open(tmp_path / "missing.study")
    (tmp_path / "empty.study").mkdir()
    with pytest.raises(StudyError, match=r"holds no study\.sqlite"):
        StudyFile.open(tmp_path / "empty.study")
    damaged = tmp_path / "damaged.study"
    damaged.mkdir()
    (damaged / DATABASE).write_bytes(b"no database at all, just text " * 50)
    for read_only in (False, True):
        with pytest.raises(StudyError, match="damaged"):
            StudyFile.open(damaged, read_only=read_only)


def test_open_refuses_a_database_of_another_program(tmp_path):
    other = tmp_path / "other.study"
    other.mkdir()
    raw = sqlite3.connect(other / DATABASE)
    raw.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    raw.commit()
    raw.close()
    with pytest.raises(StudyError, match="not a Duoscope study"):
        StudyFile.open(other)


def test_a_study_opened_read_only_refuses_changes(file):
    with StudyFile.open(file.path, read_only=True) as read:
        assert read.read_only
        with pytest.raises(StorageError, match="read-only"):
            read.record({key(4): a_pose(4)}, action="drag")
        assert read.study.poses.get(key(4)) is None


def test_a_reader_sees_what_was_there_when_it_opened(file):
    with StudyFile.open(file.path, read_only=True) as read:
        file.record({key(4): a_pose(4)}, action="drag")
        assert read.study.poses.get(key(4)) is None
    assert same_pose(reopened(file).poses.get(key(4)), a_pose(4))


def test_threads_may_read_the_journal_while_poses_are_recorded(file):
    seen, wrong = [], []

    def look():
        for _ in range(20):
            numbers = [entry.number for entry in file.journal()]
            seen.append(len(numbers))
            wrong.extend(numbers if numbers != sorted(numbers) else [])

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for index in range(20):
        file.record({key(FRAMES[index % 4]): a_pose(index)}, action=f"step {index}")
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(seen) == 60
    assert len(file.journal()) == 5 + 20


def test_the_calibration_hash_follows_the_numbers_only(tmp_path):
    here, there = a_trial(tmp_path / "x"), a_trial(tmp_path / "y", name="other")
    assert calibration_hash(here) == calibration_hash(there)
    assert calibration_hash(here) != calibration_hash(a_trial(tmp_path / "x", views=1))


@pytest.mark.parametrize("status", list(PoseStatus))
def test_every_status_survives(file, status):
    file.record({key(0): a_pose(1, status=status)}, action=status.value)
    assert reopened(file).poses.get(key(0)).status is status
