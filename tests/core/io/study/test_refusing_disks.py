"""Full, read-only and damaged disks: one sentence, nothing lost, and the same call works afterwards."""

import errno
import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from core.errors import StorageError, StudyError
from core.io.study import StudyFile
from core.io.study.database import DATABASE
from tests.core.io.study import samples
from tests.core.io.study.samples import BODY, TRIAL, key, record, told


def many(frames: int) -> dict:
    return {samples.PoseKey(TRIAL, BODY, frame): record(frame) for frame in range(frames)}


def fill(filler: Path) -> None:
    """Write until the disk refuses."""
    with filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass


@pytest.fixture
def large(tmp_path):
    """A study with room for many poses."""
    with StudyFile.create(tmp_path / "l.study", author="anna") as study:
        study.add_trial(samples.trial(tmp_path, frames=tuple(range(400))))
        study.add_body(samples.body(tmp_path))
        yield study


def limit_pages(study: StudyFile, pages: int | None) -> None:
    """Let the database grow no further than that many pages beyond its present size."""
    raw = study._database._raw
    now = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count = {now + pages if pages is not None else 1 << 30}")


def test_a_full_database_stores_all_or_nothing_and_goes_on(large):
    limit_pages(large, 2)
    before, rows = told(large.study), len(large.journal())
    with pytest.raises(StorageError, match="is full: free some space and try again"):
        large.record(many(200), action="register")
    assert told(large.study) == before
    assert len(large.journal()) == rows
    limit_pages(large, None)
    large.record(many(200), action="register")
    assert len(large.study.poses) == 200
    assert len(large.journal()) == rows + 200
    with StudyFile.open(large.path, read_only=True) as reader:
        assert told(reader.study) == told(large.study)


@pytest.mark.parametrize("change", ["add_trial", "add_body", "set_exclusions", "remove_trial"])
def test_every_kind_of_change_survives_a_full_database(large, tmp_path, change):
    def act() -> None:
        frames = tuple(range(900))
        match change:
            case "add_trial":
                large.add_trial(samples.trial(tmp_path, "second", frames))
            case "add_body":
                large.add_body(samples.replace_notes(samples.body(tmp_path, "second"), ("note " * 20_000,)))
            case "set_exclusions":
                large.set_exclusions(TRIAL, 0, [[(float(i), i / 7.0) for i in range(5000)]])
            case _:
                large.remove_trial(TRIAL)

    large.record(many(100), action="register")
    limit_pages(large, 1)
    before, rows = told(large.study), len(large.journal())
    with pytest.raises(StorageError, match="is full"):
        act()
    assert told(large.study) == before
    assert len(large.journal()) == rows
    limit_pages(large, None)
    act()
    with StudyFile.open(large.path, read_only=True) as reader:
        assert told(reader.study) == told(large.study) != before


def test_a_disk_that_really_fills_up(small_disk):
    disk = small_disk(1500)
    with StudyFile.create(disk / "f.study") as study:
        study.add_trial(samples.trial(disk, frames=tuple(range(300))))
        study.add_body(samples.body(disk))
        study.record({samples.key(0): record(1)}, action="before")
        filler = disk / "filler"
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            fill(filler)
        before = told(study.study)
        with pytest.raises(StorageError, match=r"is full|reports an error"):
            study.record(many(300), action="too much")
        assert told(study.study) == before
        filler.unlink()
        study.record(many(40), action="now it fits")
        held = told(study.study)
    with StudyFile.open(disk / "f.study") as again:
        assert told(again.study) == held
        assert again.interrupted is None


def test_creating_and_copying_on_a_full_disk_leaves_nothing(large, small_disk):
    disk = small_disk(64)
    with pytest.raises(StorageError, match="is full"):
        StudyFile.create(disk / "n.study")
    assert list(disk.iterdir()) == []
    (large.path / "images").mkdir()
    (large.path / "images" / "big.tif").write_bytes(os.urandom(100_000))
    with pytest.raises(StorageError, match="is full"):
        large.copy_to(disk / "copy.study")
    assert list(disk.iterdir()) == []
    large.record(many(3), action="goes on")


def test_a_read_only_disk_is_said_to_be_one_and_can_be_read(small_disk, make_read_only):
    disk = small_disk(2000)
    with StudyFile.create(disk / "r.study") as study:
        study.add_trial(samples.trial(disk))
        study.add_body(samples.body(disk))
        study.record({key(3): record(1)}, action="before")
        held = told(study.study)
    make_read_only(disk)
    with pytest.raises(StorageError, match="read-only; open the study read-only"):
        StudyFile.open(disk / "r.study")
    with pytest.raises(StorageError, match="read-only"):
        StudyFile.create(disk / "new.study")
    with StudyFile.open(disk / "r.study", read_only=True) as reader:
        assert told(reader.study) == held
        assert len(reader.journal()) == 4
        with pytest.raises(StorageError, match="read-only"):
            reader.record({key(5): record(2)}, action="no")


def test_what_a_killed_session_left_in_the_log_is_read_on_a_read_only_disk(filled, small_disk, make_read_only):
    disk = small_disk(2000)
    shutil.copytree(filled.path, disk / "k.study")
    assert (disk / "k.study" / (DATABASE + "-wal")).stat().st_size > 0
    (disk / "k.study" / (DATABASE + "-shm")).unlink()
    make_read_only(disk)
    with StudyFile.open(disk / "k.study", read_only=True) as reader:
        assert list(reader.study.poses) == [key(3)]
        assert reader.journal() == filled.journal()
        with pytest.raises(StorageError, match="read-only"):
            reader.record({key(5): record(2)}, action="no")


def test_a_copy_can_be_made_of_a_study_on_a_read_only_disk(small_disk, make_read_only, tmp_path):
    disk = small_disk(2000)
    with StudyFile.create(disk / "r.study") as study:
        study.add_body(samples.body(disk))
    make_read_only(disk)
    with StudyFile.open(disk / "r.study", read_only=True) as reader:
        reader.copy_to(tmp_path / "w.study")
    with StudyFile.open(tmp_path / "w.study") as copy:
        copy.add_body(samples.body(tmp_path, "second"))


def test_the_copy_takes_the_files_inside_and_finds_those_outside(tmp_path):
    folder = tmp_path / "deep" / "er"
    with StudyFile.create(folder / "s.study", "Mine") as study:
        (study.path / "images" / "a").mkdir(parents=True)
        for name, links in (("A", study.path / "images"), ("B", tmp_path / "elsewhere")):
            for frame in samples.FRAMES:
                picture = links / name / f"f_{frame:04d}.tif"
                picture.parent.mkdir(parents=True, exist_ok=True)
                picture.write_bytes(picture.name.encode())
        (study.path / "sub").mkdir()
        (study.path / "sub" / DATABASE).write_bytes(b"some other database")
        inside, outside = samples.plane(study.path / "images", "A", 1), samples.plane(tmp_path / "elsewhere", "B", 2)
        study.add_trial(samples.Trial(name=TRIAL, frames=samples.FRAMES, views=(inside, outside)))
        study.add_body(samples.body(tmp_path))
        study.record({key(3): record(1)}, action="accept")
        entries = study.journal()
        assert study.copy_to(tmp_path / "copy") == tmp_path / "copy.study"
        study.record({key(5): record(2)}, action="not in the copy")
    shutil.rmtree(folder)
    with StudyFile.open(tmp_path / "copy.study") as copy:
        assert copy.interrupted is None
        assert copy.study.name == "Mine"
        planes = copy.study.trial(TRIAL).views
        assert [plane.exclusions for plane in planes] == [inside.exclusions, outside.exclusions]
        for plane in planes:
            assert [link.path.read_bytes().decode() for link in plane.images] == [p.path.name for p in inside.images]
        assert all(link.path.is_relative_to(copy.path) for link in planes[0].images)
        assert list(copy.study.poses) == [key(3)]
        assert copy.journal() == entries
        assert (copy.path / "sub" / DATABASE).read_bytes() == b"some other database"


@pytest.mark.parametrize("place", ["a.study", "a.study/inside.study", "a.study/deeper/inside.study", "taken.study"])
def test_a_copy_is_refused_where_it_would_do_harm(filled, tmp_path, place):
    (tmp_path / "taken.study").mkdir()
    (tmp_path / "taken.study" / "mine").write_text("mine")
    there = sorted(tmp_path.rglob("*"))
    with pytest.raises(StudyError, match=r"study itself|exists already"):
        filled.copy_to(tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == there


@pytest.mark.parametrize("step", ["copy2", "rewrite_links", "read_study"])
def test_a_copy_that_fails_midway_leaves_nothing(filled, tmp_path, monkeypatch, step):
    (filled.path / "one.tif").write_bytes(b"1")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    owner = "shutil" if step == "copy2" else "core.io.study.rows"
    with monkeypatch.context() as broken:
        broken.setattr(f"{owner}.{step}", full)
        with pytest.raises(StorageError, match="is full"):
            filled.copy_to(tmp_path / "c.study")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("c")] == []
    filled.copy_to(tmp_path / "c.study")
    filled.record({key(5): record(5)}, action="goes on")


def test_a_copy_that_reads_back_otherwise_is_refused(filled, tmp_path, monkeypatch):
    monkeypatch.setattr("core.io.study.copying._told", lambda study, seen=[]: seen.append(1) or len(seen))
    with pytest.raises(StudyError, match="does not read back as the original"):
        filled.copy_to(tmp_path / "c.study")
    assert not (tmp_path / "c.study").exists()


def test_any_damage_is_told_and_none_goes_through_as_something_else(filled, tmp_path):
    """Bytes of the database changed at random: it opens, or says in a StudyError that it is damaged."""
    filled.record({key(frame): record(frame) for frame in samples.FRAMES}, action="more")
    filled.close()
    whole = (filled.path / DATABASE).read_bytes()
    folder = tmp_path / "d.study"
    folder.mkdir()
    rng = random.Random(5)
    refused = []
    for number in range(250):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 4, 20])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        (folder / DATABASE).write_bytes(damaged if number % 10 else damaged[: rng.randrange(len(damaged))])
        try:
            with StudyFile.open(folder, read_only=True) as study:
                study.journal()
        except StudyError as error:
            refused.append(str(error))
    assert len(refused) > 50
    assert [told_of for told_of in refused if str(folder) not in told_of] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE poses SET status = 'loved'",
        "UPDATE poses SET r00 = 0.5",
        "UPDATE poses SET tx_mm = 9e999",
        "UPDATE poses SET details = '{'",
        "UPDATE poses SET covariance = '[1, 2'",
        "UPDATE planes SET camera_from_world = '[1,0,0,0]'",
        "UPDATE planes SET focal_x_px = 0",
        "UPDATE exclusions SET corners_px = '[[1]]'",
        "UPDATE bodies SET notes = 'none'",
        "DELETE FROM planes",
        "DELETE FROM pictures WHERE position = 1",
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_contents_that_make_no_sense_are_damage(filled, statement, read_only):
    filled.close()
    raw = sqlite3.connect(filled.path / DATABASE)
    raw.execute(statement)
    raw.commit()
    raw.close()
    with pytest.raises(StudyError):
        StudyFile.open(filled.path, read_only=read_only)
    raw = sqlite3.connect(filled.path / DATABASE)
    assert raw.execute("SELECT count(*) FROM journal").fetchone()[0] > 0
    raw.close()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"not a database at all" * 300])
def test_what_is_no_database_is_told(tmp_path, content):
    folder = tmp_path / "n.study"
    folder.mkdir()
    (folder / DATABASE).write_bytes(content)
    for read_only in (True, False):
        with pytest.raises(StudyError, match=r"damaged|no study|not a"):
            StudyFile.open(folder, read_only=read_only)
    assert (folder / DATABASE).read_bytes() == content


def test_a_study_that_vanishes_while_open_is_told(filled):
    gone = filled.path.with_name("elsewhere")
    filled.path.rename(gone)
    before = told(filled.study)
    try:
        filled.record({key(5): record(5)}, action="where to?")
    except StudyError:
        assert told(filled.study) == before
    filled.close()
    with StudyFile.open(gone, read_only=True) as found:
        assert told(found.study).replace(str(gone), "") == told(filled.study).replace(str(Path(filled.path)), "")


def test_names_that_are_no_text_are_refused(filled, tmp_path):
    """As of a file whose name was written in another encoding."""
    latin = b"Kn\xf6chel".decode("utf-8", "surrogateescape")
    before = told(filled.study)
    with pytest.raises(StudyError, match=r"Kn\\udcf6chel.* cannot be stored .* rename it"):
        filled.add_body(samples.body(tmp_path / latin, "third"))
    with pytest.raises(StudyError, match="rename it"):
        filled.add_trial(samples.trial(tmp_path, latin))
    assert told(filled.study) == before
    with pytest.raises(StudyError, match="rename it"):
        StudyFile.create(tmp_path / "n.study", latin)
    assert not (tmp_path / "n.study").exists()
