"""The study file: a folder with one database; one writer, every change journalled in its own transaction."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, final

from filelock import FileLock
from sqlalchemy import Connection, delete

from core.errors import StudyError
from core.io.software import SOFTWARE
from core.io.study import clock, journal, rows, sessions, writer_lock
from core.io.study.as_json import body_as_json, calibration_hash, pose_as_json, trial_as_json
from core.io.study.copying import build_folder, copy_study
from core.io.study.database import DATABASE, Database
from core.io.study.journal import Change, JournalEntry, Kind
from core.io.study.linked_files import moved_files, with_paths
from core.io.study.links import Links
from core.io.study.regions import region_changes
from core.io.study.tables import BODIES, TRIALS
from core.study.values import BodyRecord, Polygon, PoseKey, PoseRecord, Region, RegionKey, Study, Trial

SUFFIX = ".study"
_LOG = logging.getLogger(__name__)
_Asked = ParamSpec("_Asked")


def _in_turn(
    change: Callable[Concatenate["StudyFile", _Asked], None],
) -> Callable[Concatenate["StudyFile", _Asked], None]:
    """Let a change begin when the one before it is both on the disk and in ``study``, whichever thread asks."""

    @wraps(change)
    def after_the_others(self: "StudyFile", /, *args: _Asked.args, **kwargs: _Asked.kwargs) -> None:
        with self.turn:
            change(self, *args, **kwargs)

    return after_the_others


@final
class StudyFile:
    """An open study. ``study`` is what is on the disk; a refused change leaves both as they were.

    Safe to use from several threads. Use as a context manager, or call ``close``.
    """

    def __init__(self, folder: Path, database: Database, lock: FileLock | None, author: str) -> None:
        self.turn = threading.RLock()
        """Held while a change is made."""
        self._database = database
        self._lock = lock
        self._author = author or clock.person()
        self._session = 0
        self._interrupted: sessions.Interrupted | None = None
        self._is_closed = False
        with database.reading() as connection:
            self._links = Links(folder, rows.read_meta(connection).get("home"))
            self._study = rows.read_study(connection, self._links)
        if lock is not None:
            self._begin_session()

    @classmethod
    def create(cls, path: Path | str, name: str | None = None, *, author: str = "") -> Self:
        """A new, empty study at ``NAME.study``, open for writing.

        Raises:
            StudyError: the name does not end in .study, or something is there already.
            StorageError: the disk refuses.
        """
        folder = Path(path)
        if folder.suffix != SUFFIX:
            raise StudyError(
                f"a study is a folder called NAME{SUFFIX}; use {folder.name}{SUFFIX} instead of {folder.name}"
            )
        who = author or clock.person()
        with build_folder(folder) as draft:
            database = Database.create(draft)
            with ExitStack() as finally_:
                finally_.callback(database.close)
                with database.writing() as connection:
                    _write_birth(connection, folder, name or folder.stem, who)
        return cls.open(folder, author=author)

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False, author: str = "") -> Self:
        """An existing study; for writing by one program at a time, read-only by any number.

        Raises:
            StudyError: there is no study, or it is damaged.
            StudyLockedError: another window or command writes it.
            StudyTooNewError: a newer program wrote it.
            StorageError: the disk refuses (a study on a read-only disk opens with ``read_only``).
        """
        folder = _existing(Path(path))
        with ExitStack() as if_it_fails:
            lock = None
            if not read_only:
                lock = writer_lock.take(folder)
                if_it_fails.callback(lock.release)
            database = Database.open(folder, read_only=read_only)
            if_it_fails.callback(database.close)
            opened = cls(folder, database, lock, author)
            if_it_fails.pop_all()
        return opened

    def _begin_session(self) -> None:
        with self._database.writing() as connection:
            self._interrupted = sessions.interrupted(connection)
            self._session = sessions.begin(connection, self._author)
            if self._links.was_moved:
                here = Links(self._links.folder, None)
                rows.rewrite_links(connection, self._links, here.to_stored)
                self._links = here
            rows.write_meta(connection, {"home": str(self._links.folder), "written_by": SOFTWARE})

    @property
    def path(self) -> Path:
        """The study's folder, absolute."""
        return self._links.folder

    @property
    def study(self) -> Study:
        """The study as it is on the disk."""
        return self._study

    @property
    def read_only(self) -> bool:
        """Whether changes are refused."""
        return self._lock is None

    @property
    def interrupted(self) -> sessions.Interrupted | None:
        """The session before this one, if it ended without closing the study (a crash, a power cut)."""
        return self._interrupted

    @_in_turn
    def add_trial(self, trial: Trial, *, author: str = "") -> None:
        """Store a new trial.

        Raises:
            StudyError: a trial of that name exists, or the disk refuses.
        """
        _refuse_known(trial.name, [known.name for known in self._study.trials], "trial")
        change = Change(
            kind=Kind.TRIAL,
            trial=trial.name,
            before=None,
            after=trial_as_json(trial),
            calibration=calibration_hash(trial),
        )
        with self._database.writing() as connection:
            rows.add_trial(connection, self._links, trial)
            self._journal(connection, [change], author, f"add trial {trial.name}")
        self._study = replace(self._study, trials=(*self._study.trials, trial))

    @_in_turn
    def remove_trial(self, name: str, *, author: str = "") -> None:
        """Remove a trial with its poses and regions; the journal keeps all of it.

        Raises:
            StudyError: there is no such trial, or the disk refuses.
        """
        trial = self._study.trial(name)
        gone = {key: None for key in self._study.poses if key.trial == name}
        regions = {region.key: None for region in self._study.regions if region.trial == name}
        last = Change(
            kind=Kind.TRIAL, trial=name, before=trial_as_json(trial), after=None, calibration=calibration_hash(trial)
        )
        with self._database.writing() as connection:
            changes = [*self._pose_changes(gone), *region_changes(self._study, regions), last]
            self._journal(connection, changes, author, f"remove trial {name}")
            rows.write_regions(connection, regions)
            rows.write_poses(connection, gone)
            connection.execute(delete(TRIALS).where(TRIALS.c.name == name))
        left = tuple(known for known in self._study.trials if known.name != name)
        self._study = replace(self._study.with_poses(gone).with_regions(regions), trials=left)

    @_in_turn
    def add_body(self, record: BodyRecord, *, author: str = "") -> None:
        """Store a new body.

        Raises:
            StudyError: a body of that name exists, or the disk refuses.
        """
        _refuse_known(record.name, [known.name for known in self._study.bodies], "body")
        change = Change(kind=Kind.BODY, body=record.name, before=None, after=body_as_json(record))
        with self._database.writing() as connection:
            rows.add_body(connection, self._links, record)
            self._journal(connection, [change], author, f"add body {record.name}")
        self._study = replace(self._study, bodies=(*self._study.bodies, record))

    @_in_turn
    def remove_body(self, name: str, *, author: str = "") -> None:
        """Remove a body with its poses and regions; the journal keeps all of it.

        Raises:
            StudyError: there is no such body, or the disk refuses.
        """
        record = self._study.body(name)
        gone = {key: None for key in self._study.poses if key.body == name}
        regions = {region.key: None for region in self._study.regions if region.body == name}
        last = Change(kind=Kind.BODY, body=name, before=body_as_json(record), after=None)
        with self._database.writing() as connection:
            changes = [*self._pose_changes(gone), *region_changes(self._study, regions), last]
            self._journal(connection, changes, author, f"remove body {name}")
            rows.write_regions(connection, regions)
            rows.write_poses(connection, gone)
            connection.execute(delete(BODIES).where(BODIES.c.name == name))
        left = tuple(known for known in self._study.bodies if known.name != name)
        self._study = replace(self._study.with_poses(gone).with_regions(regions), bodies=left)

    @_in_turn
    def set_exclusions(self, trial: str, view_index: int, polygons: Sequence[Polygon], *, author: str = "") -> None:
        """Replace the polygons (corners in pixels) of one view that no registration looks at.

        Raises:
            StudyError: there is no such view, or the disk refuses.
        """
        known = self._study.trial(trial)
        if not 0 <= view_index < len(known.views):
            raise StudyError(f"trial {trial!r} has {len(known.views)} view(s), so there is no view {view_index}")
        plane = known.views[view_index]
        after = replace(plane, exclusions=tuple(tuple(polygon) for polygon in polygons))
        change = Change(
            kind=Kind.EXCLUSIONS,
            trial=trial,
            before={"view": plane.view.name, "polygons": [list(map(list, p)) for p in plane.exclusions]},
            after={"view": plane.view.name, "polygons": [list(map(list, p)) for p in after.exclusions]},
            calibration=calibration_hash(known),
        )
        with self._database.writing() as connection:
            rows.write_exclusions(connection, rows.plane_id_of(connection, trial, view_index), after.exclusions)
            self._journal(connection, [change], author, f"set exclusions of view {plane.view.name}")
        views = (*known.views[:view_index], after, *known.views[view_index + 1 :])
        changed = replace(known, views=views)
        self._study = replace(self._study, trials=tuple(changed if t.name == trial else t for t in self._study.trials))

    @_in_turn
    def record(self, changes: Mapping[PoseKey, PoseRecord | None], *, author: str = "", action: str) -> None:
        """Store poses (a record) or remove them (None), all in one transaction with their journal rows.

        Records without a time or an author get the present and this one's.

        Raises:
            StudyError: a pose of an unknown trial, body or frame; nothing is stored then.
            StorageError: the disk refuses; nothing is stored and the same call may be tried again.
        """
        if not changes:
            return
        who, at = author or self._author, clock.now()
        dated = {key: _signed(record, who, at) for key, record in changes.items()}
        told_apart = self._pose_changes(dated)
        with self._database.writing() as connection:
            rows.write_poses(connection, dated)
            self._journal(connection, told_apart, who, action, at)
        self._study = self._study.with_poses(dated)

    @_in_turn
    def set_regions(self, regions: Sequence[Region], *, author: str = "") -> None:
        """Store what was drawn around shadows; a region takes the place of the one of its picture and body.

        Raises:
            StudyError: a region of an unknown trial, view, frame or body; nothing is stored then.
        """
        self._write_regions({region.key: region for region in regions}, author, "draw around shadows")

    @_in_turn
    def remove_regions(self, keys: Sequence[RegionKey], *, author: str = "") -> None:
        """Forget what was drawn around shadows; keys without a region are passed over.

        Raises:
            StudyError: the disk refuses.
        """
        known = {region.key for region in self._study.regions}
        self._write_regions({key: None for key in keys if key in known}, author, "remove regions")

    def _write_regions(self, changes: Mapping[RegionKey, Region | None], author: str, action: str) -> None:
        if not changes:
            return
        told_apart = region_changes(self._study, changes)
        with self._database.writing() as connection:
            rows.write_regions(connection, changes)
            self._journal(connection, told_apart, author, action)
        self._study = self._study.with_regions(changes)

    def relink(self, old: Path | str, new: Path | str, *, author: str = "") -> int:
        """Find linked files under ``old`` (a folder, or one file) under ``new`` from now on; how many they were.

        Raises:
            StudyError: nothing is linked there, or a file under ``new`` is missing or has other contents.
            StorageError: the disk refuses.
        """
        old, new = Path(old).absolute(), Path(new).absolute()
        moved = moved_files(self._study, old, new)
        change = Change(
            kind=Kind.LINKS,
            before={"path": str(old), "files": len(moved)},
            after={"path": str(new), "files": len(moved)},
        )
        with self._database.writing() as connection:
            rows.rewrite_links(connection, self._links, lambda path: self._links.to_stored(moved.get(path, path)))
            self._journal(connection, [change], author, f"find files of {old} in {new}")
        self._study = with_paths(self._study, lambda path: moved.get(path, path))
        return len(moved)

    def journal(self, *, last: int | None = None) -> tuple[JournalEntry, ...]:
        """The journal from its beginning, or its ``last`` rows."""
        with self._database.reading() as connection:
            return journal.read(connection, last=last)

    def copy_to(self, path: Path | str) -> Path:
        """Save as: a complete copy at ``NAME.study``, read back before it takes its name; the new folder.

        Files inside the study's folder are copied too; links to others are rewritten.

        Raises:
            StudyError: something is there already, or the copy does not read back as the original.
            StorageError: the disk refuses; nothing is left behind.
        """
        folder = Path(path)
        if folder.suffix != SUFFIX:
            folder = folder.with_name(folder.name + SUFFIX)
        with self.turn:
            copy_study(self._database, self._links, self._study, folder)
        return folder

    def close(self) -> None:
        """Close cleanly and let the next writer in; a second time does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._lock is not None:
            try:
                with self._database.writing() as connection:
                    sessions.end(connection, self._session)
            except StudyError as error:
                # Everything recorded is safe; the next start merely offers a recovery.
                _LOG.warning("%s", error)
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _journal(
        self, connection: Connection, changes: Sequence[Change], author: str, action: str, at: str = ""
    ) -> None:
        journal.append(
            connection,
            changes,
            session=self._session,
            at=at or clock.now(),
            author=author or self._author,
            action=action,
        )

    def _pose_changes(self, changes: Mapping[PoseKey, PoseRecord | None]) -> list[Change]:
        hashes = {name: calibration_hash(self._study.trial(name)) for name in {key.trial for key in changes}}
        for key in changes:
            self._study.trial(key.trial).index_of(key.frame)
            self._study.body(key.body)
        return [
            Change(
                kind=Kind.POSE,
                trial=key.trial,
                body=key.body,
                frame=key.frame,
                before=None if (before := self._study.poses.get(key)) is None else pose_as_json(before),
                after=None if after is None else pose_as_json(after),
                calibration=hashes[key.trial],
            )
            for key, after in changes.items()
        ]


def _write_birth(connection: Connection, folder: Path, name: str, author: str) -> None:
    rows.write_meta(
        connection,
        {"name": name, "home": str(Links(folder, None).folder), "written_by": SOFTWARE, "created_at": clock.now()},
    )
    session = sessions.begin(connection, author)
    sessions.end(connection, session)
    birth = Change(kind=Kind.STUDY, before=None, after={"name": name})
    journal.append(connection, [birth], session=session, at=clock.now(), author=author, action="create study")


def _signed(record: PoseRecord | None, author: str, at: str) -> PoseRecord | None:
    if record is None:
        return None
    return replace(record, author=record.author or author, created_at=record.created_at or at)


def _refuse_known(name: str, known: Sequence[str], kind: str) -> None:
    if not name.strip():
        raise StudyError(f"a {kind} needs a name")
    if name in known:
        raise StudyError(f"there is a {kind} called {name!r} already; choose another name or remove that one first")


def _existing(path: Path) -> Path:
    folder = path.parent if path.name == DATABASE else path
    if not folder.exists():
        raise StudyError(f"there is no study at {folder}; check the path, or create one there")
    if not (folder / DATABASE).exists():
        raise StudyError(f"{folder} is no study: it holds no {DATABASE}; choose a folder called NAME{SUFFIX}")
    return folder
