"""Studies of every format ever written open, older ones are brought up whole, newer ones are refused with a reason.

A study of each format lies in tests/golden as it was dumped when that format was current. They are never edited.
"""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from core.errors import StudyError, StudyTooNewError
from core.io.software import SOFTWARE
from core.io.study import StudyFile, database, migrations
from core.io.study.database import DATABASE
from core.io.study.migrations import LADDER
from core.io.study.tables import METADATA
from tests.core.io.study.parts import BODY, FRAMES, TRIAL, a_bone, a_pose, a_region, key, same_pose
from tests.real_data import ROOT

FORMATS = range(1, len(LADDER) + 1)


def dumped(number: int) -> Path:
    return ROOT / "tests" / "golden" / f"study_format_{number}.sql"


def built(folder: Path, number: int) -> Path:
    """A study of an old format, as a program of that time left it."""
    study = folder / "lab" / "knee.study"
    study.mkdir(parents=True)
    raw = sqlite3.connect(study / DATABASE)
    raw.executescript(dumped(number).read_text())
    raw.execute("PRAGMA journal_mode = WAL")
    raw.close()
    return study


def schema_of(raw: sqlite3.Connection) -> list[tuple[str, ...]]:
    rows = raw.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name").fetchall()
    return [tuple(" ".join(str(value).split()) for value in row) for row in rows]


@pytest.fixture
def one_more_step(monkeypatch):
    """A program one format ahead of this one."""
    ahead = (*LADDER, ("ALTER TABLE bodies ADD COLUMN side TEXT NOT NULL DEFAULT 'unknown'",))
    monkeypatch.setattr(database, "LADDER", ahead)
    monkeypatch.setattr(migrations.check_version, "__defaults__", (ahead,))
    monkeypatch.setattr(migrations.migrate, "__defaults__", (ahead,))
    return ahead


def test_there_is_a_study_of_each_format():
    assert [number for number in FORMATS if not dumped(number).is_file()] == []


@pytest.mark.parametrize("number", FORMATS)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_study_of_each_format_opens_with_everything_in_it(tmp_path, number, read_only):
    with StudyFile.open(built(tmp_path, number), read_only=read_only) as file:
        study = file.study
        assert study.name == "knee"
        assert study.trial(TRIAL).frames == FRAMES
        assert [plane.view.name for plane in study.trial(TRIAL).views] == ["A", "B"]
        assert study.trial(TRIAL).views[0].exclusions == (((0.5, 1.25), (90.0, 2.0), (3.0, 70.0)),)
        assert study.body(BODY).units == "cm"
        for frame in (0, 2):
            assert same_pose(study.poses.get(key(frame)), a_pose(frame))
        assert [entry.action for entry in file.journal()][-1] == "first poses"


@pytest.mark.parametrize("read_only", [True, False])
def test_bones_and_regions_of_the_second_format(tmp_path, read_only):
    with StudyFile.open(built(tmp_path, 2), read_only=read_only) as file:
        bone, regions = file.study.body("radius"), file.study.regions
    expected = a_bone(tmp_path / "lab" / "data")
    assert bone == expected
    assert regions == (a_region(0), a_region(2, "radius", 1))


def test_a_study_of_the_first_format_takes_bones_and_regions(tmp_path):
    path = built(tmp_path, 1)
    with StudyFile.open(path) as file:
        file.add_body(a_bone(tmp_path))
        file.set_regions([a_region(0, "radius")])
    with StudyFile.open(path, read_only=True) as file:
        assert file.study.body("radius") == a_bone(tmp_path)
        assert file.study.regions == (a_region(0, "radius"),)
        assert same_pose(file.study.poses.get(key(2)), a_pose(2))


@pytest.mark.parametrize("number", FORMATS)
def test_the_history_of_the_schema_is_not_edited(tmp_path, number):
    old = sqlite3.connect(built(tmp_path, number) / DATABASE)
    new = sqlite3.connect(":memory:")
    for step in LADDER[:number]:
        for statement in step:
            new.execute(statement)
    assert schema_of(new) == schema_of(old)
    old.close()
    new.close()


def test_the_tables_that_are_queried_are_those_that_the_ladder_makes(tmp_path):
    StudyFile.create(tmp_path / "a.study").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'a.study' / DATABASE}")
    made = inspect(engine)
    assert set(made.get_table_names()) == set(METADATA.tables)
    for name, table in METADATA.tables.items():
        columns = {column["name"]: column for column in made.get_columns(name)}
        assert list(columns) == [column.name for column in table.columns]
        for column in table.columns:
            assert columns[column.name]["nullable"] == column.nullable, f"{name}.{column.name}"
    engine.dispose()


@pytest.mark.usefixtures("one_more_step")
def test_an_older_study_is_brought_up_when_it_is_opened_for_writing(tmp_path):
    path = built(tmp_path, 1)
    with StudyFile.open(path) as file:
        file.record({key(4): a_pose(4)}, action="goes on")
    raw = sqlite3.connect(path / DATABASE)
    assert raw.execute("PRAGMA user_version").fetchone() == (len(LADDER) + 1,)
    assert raw.execute("SELECT side FROM bodies").fetchall() == [("unknown",)]
    assert raw.execute("SELECT value FROM meta WHERE key = 'format_written_by'").fetchone() == (SOFTWARE,)
    assert raw.execute("SELECT count(*) FROM poses").fetchone() == (3,)
    raw.close()


@pytest.mark.usefixtures("one_more_step")
def test_an_older_study_that_is_only_looked_at_stays_as_it_is(tmp_path):
    path = built(tmp_path, 1)
    before = (path / DATABASE).read_bytes()
    with StudyFile.open(path, read_only=True) as file:
        assert same_pose(file.study.poses.get(key(2)), a_pose(2))
    assert (path / DATABASE).read_bytes() == before


def test_a_step_that_fails_leaves_the_older_study_whole(tmp_path, one_more_step, monkeypatch):
    broken = (*LADDER, (*one_more_step[-1], "INSERT INTO nowhere VALUES (1)"))
    monkeypatch.setattr(database, "LADDER", broken)
    monkeypatch.setattr(migrations.migrate, "__defaults__", (broken,))
    path = built(tmp_path, 1)
    with pytest.raises(StudyError, match="nowhere"):
        StudyFile.open(path)
    monkeypatch.undo()
    with StudyFile.open(path) as file:
        assert same_pose(file.study.poses.get(key(2)), a_pose(2))


@pytest.mark.parametrize("read_only", [True, False])
def test_a_study_of_a_newer_program_is_refused_with_its_version(tmp_path, read_only):
    path = built(tmp_path, 1)
    raw = sqlite3.connect(path / DATABASE)
    raw.execute(f"PRAGMA user_version = {len(LADDER) + 3}")
    raw.execute("UPDATE meta SET value = 'Duoscope 9.8.7' WHERE key = 'format_written_by'")
    raw.execute("DROP TABLE poses")
    raw.commit()
    raw.close()
    before = shutil.copytree(path, tmp_path / "before")
    with pytest.raises(
        StudyTooNewError,
        match=rf"Duoscope 9\.8\.7 in format {len(LADDER) + 3}.*up to format {len(LADDER)}.*newer version",
    ):
        StudyFile.open(path, read_only=read_only)
    assert (path / DATABASE).read_bytes() == (before / DATABASE).read_bytes()
