"""One writer at a time, any number of readers, and nothing lost when the writer is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import StorageError, StudyLockedError
from core.io.study import StudyFile
from core.study.values import PoseKey, PoseRecord, Study
from tests.core.io.study import samples
from tests.core.io.study.samples import BODY, OTHER, TRIAL, key, record, told
from tests.real_data import ROOT

COUNT = 400
KILLED_AFTER = 25

RECORDS_ENDLESSLY = f"""
import sys
from pathlib import Path
from core.io.study import StudyFile
from core.study.values import PoseKey, PoseRecord, Study
from tests.core.io.study import samples
folder = Path(sys.argv[1])
study = StudyFile.create(folder / "k.study", author="karl")
study.add_trial(samples.trial(folder, frames=tuple(range({COUNT}))))
study.add_body(samples.body(folder))
for frame in range({COUNT}):
    study.record({{PoseKey(samples.TRIAL, samples.BODY, frame): samples.record(frame)}}, action=f"accept {{frame}}")
    print(frame, flush=True)
print("not killed", flush=True)
"""


def test_a_second_writer_is_told_who_holds_the_study(filled):
    with pytest.raises(StudyLockedError, match=rf"anna \(process {os.getpid()} on .*read-only"):
        StudyFile.open(filled.path)
    filled.record({key(5): record(5)}, action="the first goes on")
    filled.close()
    with StudyFile.open(filled.path) as second:
        second.record({key(7): record(7)}, action="now it may")
        assert len(second.study.poses) == 3


def test_readers_come_in_beside_the_writer_and_change_nothing(filled):
    with StudyFile.open(filled.path, read_only=True) as reader:
        assert reader.read_only
        assert told(reader.study) == told(filled.study)
        with pytest.raises(StorageError, match="read-only"):
            reader.record({key(5): record(5)}, action="no")
        with pytest.raises(StorageError, match="read-only"):
            reader.add_body(samples.body(Path("/"), "third"))
        assert len(reader.study.poses) == 1
        filled.record({key(5): record(5)}, action="yes")
        assert len(reader.journal()) == len(filled.journal())


def test_a_failed_opening_does_not_keep_the_lock(filled):
    filled.close()
    database = filled.path / "study.sqlite"
    whole = database.read_bytes()
    database.write_bytes(b"nonsense" * 1000)
    with pytest.raises(Exception, match="damaged"):
        StudyFile.open(filled.path)
    database.write_bytes(whole)
    StudyFile.open(filled.path).close()


def test_threads_may_change_one_study(filled, tmp_path, monkeypatch):
    """Each change is made on the study as the one before left it, in memory as on the disk."""
    frames = tuple(range(60))
    filled.add_trial(samples.trial(tmp_path, "long", frames))

    at_once = Study.with_poses

    def slowly(study: Study, changes: Mapping[PoseKey, PoseRecord | None]) -> Study:
        time.sleep(0.002)
        return at_once(study, changes)

    monkeypatch.setattr(Study, "with_poses", slowly)

    def accept(body: str) -> None:
        for number in range(6):
            every = {PoseKey("long", body, frame): record(number, covariance=None) for frame in frames[number::2]}
            filled.record(every, action=body)

    def add() -> None:
        for number in range(20):
            filled.add_body(samples.body(tmp_path, f"body {number}"))

    threads = [threading.Thread(target=accept, args=(body,)) for body in (BODY, OTHER)] + [threading.Thread(target=add)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with StudyFile.open(filled.path, read_only=True) as reader:
        assert told(reader.study) == told(filled.study)
        steps = [entry.step for entry in reader.journal()]
    assert len(filled.study.bodies) == 22
    assert sorted(set(steps)) == list(range(1, 39))


@pytest.mark.skipif(os.name == "nt", reason="needs a signal that cannot be caught")
def test_kill_minus_nine_leaves_everything_recorded(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", RECORDS_ENDLESSLY, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        last = -1
        while last < KILLED_AFTER:
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        printed = [int(line) for line in writer.stdout.read().split("\n") if line.strip().isdigit()]
    last = max([last, *printed])
    assert last < COUNT - 1, "the writer finished before it was killed"
    with StudyFile.open(tmp_path / "k.study", read_only=True) as reader:
        assert reader.study.poses.of(TRIAL, BODY).keys() >= set(range(last + 1))
    with StudyFile.open(tmp_path / "k.study", author="lena") as found:
        stored = found.study.poses.of(TRIAL, BODY)
        assert list(stored) == list(range(len(stored)))
        assert last + 1 <= len(stored) <= last + 2
        for frame, one in stored.items():
            assert one.world_from_body.as_matrix().tolist() == samples.pose(frame).as_matrix().tolist()
        entries = [entry for entry in found.journal() if entry.action.startswith("accept")]
        assert [entry.frame for entry in entries] == list(stored)
        told_of = found.interrupted
        assert told_of is not None
        assert (told_of.author, told_of.last_action) == ("karl", f"accept {len(stored) - 1}")
        assert told_of.changes == len(stored) + 2
        assert told_of.last_change_at == entries[-1].at
    with StudyFile.open(tmp_path / "k.study") as after:
        assert after.interrupted is None
