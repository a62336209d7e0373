"""New study folders appear whole or not at all: built beside their place, read back, then renamed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StudyError
from core.io.study import rows, sessions
from core.io.study.as_json import body_as_json, dumps, pose_as_json, region_as_json, trial_as_json
from core.io.study.database import DATABASE, Database
from core.io.study.linked_files import with_paths
from core.io.study.links import Links
from core.io.study.refusals import told
from core.study.values import Study

_OWN = (DATABASE, DATABASE + "-wal", DATABASE + "-shm", "writer.lock")


@contextmanager
def build_folder(folder: Path) -> Iterator[Path]:
    """A draft folder that takes its name when the block ends well and vanishes when it does not.

    Raises:
        StudyError: something is there already.
        StorageError: the disk refuses.
    """
    if folder.exists() and not _is_empty_folder(folder):
        raise StudyError(f"{folder} exists already; open it, or choose another name")
    draft = folder.with_name(folder.name + ".part")
    with told(folder):
        if draft.exists():
            # Only an interrupted run leaves such a draft behind.
            shutil.rmtree(draft)
        draft.mkdir(parents=True)
        try:
            yield draft
            if folder.exists():
                folder.rmdir()
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def copy_study(database: Database, links: Links, study: Study, folder: Path) -> None:
    """Copy a study with the files inside its folder, and check the copy before it takes its name.

    Raises:
        StudyError: something is there already, it lies inside the study, or the copy does not read back.
        StorageError: the disk refuses.
    """
    if folder.resolve() == links.folder.resolve():
        raise StudyError(f"{folder} is the study itself; choose another name")
    if folder.resolve().is_relative_to(links.folder.resolve()):
        raise StudyError(f"{folder} lies inside the study itself; choose a place outside of it")
    with build_folder(folder) as draft:
        _copy_files(links.folder, draft)
        database.copy_into(draft)
        final = Links(folder, None)
        _settle(draft, links, final)
        _compare(draft, final, with_paths(study, lambda path: _carried(path, links, final)))


def _copy_files(source: Path, target: Path) -> None:
    """Everything in a study's folder but what the study itself keeps there.

    Raises:
        OSError: the first thing that the disk refused.
    """
    refused: list[OSError] = []

    def copy(one: str, other: str) -> None:
        try:
            shutil.copy2(one, other)
        except OSError as error:
            refused.append(error)
            raise

    def own(folder: str, _: list[str]) -> tuple[str, ...]:
        return _OWN if Path(folder) == source else ()

    try:
        shutil.copytree(source, target, ignore=own, copy_function=copy, dirs_exist_ok=True)
    except shutil.Error as error:
        # It says in one long list what was refused, and in no way that a program could tell why.
        raise (refused or [error])[0] from error


def _settle(draft: Path, old: Links, new: Links) -> None:
    copy = Database.open(draft, read_only=False)
    try:
        with copy.writing() as connection:
            rows.rewrite_links(connection, old, lambda path: new.to_stored(_carried(path, old, new)))
            rows.write_meta(connection, {"home": str(new.folder)})
            sessions.end_all(connection)
    finally:
        copy.close()


def _carried(path: Path, old: Links, new: Links) -> Path:
    """Where a file is found from the copy: those inside the study's folder went with it."""
    if path.is_relative_to(old.folder):
        return new.folder / path.relative_to(old.folder)
    return path


def _compare(draft: Path, links: Links, expected: Study) -> None:
    """Read the copy back and refuse it unless it says the same as the original.

    Raises:
        StudyError: it does not.
    """
    copy = Database.open(draft, read_only=True)
    try:
        with copy.reading() as connection:
            found = rows.read_study(connection, links)
    finally:
        copy.close()
    if _told(found) != _told(expected):
        raise StudyError(f"the copy at {links.folder} does not read back as the original; check the disk and try again")


def _told(study: Study) -> str:
    """Everything a study says, for comparison."""
    poses = {" ".join(map(str, key)): pose_as_json(study.poses.by_key[key]) for key in sorted(study.poses)}
    trials = [trial_as_json(trial) for trial in study.trials]
    bodies = [body_as_json(body) for body in study.bodies]
    regions = [[region.trial, region.frame, region.body, region_as_json(region)] for region in study.regions]
    return dumps({"name": study.name, "trials": trials, "bodies": bodies, "poses": poses, "regions": regions})


def _is_empty_folder(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
