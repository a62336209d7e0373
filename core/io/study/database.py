"""One connection to the study's database: write-ahead log, foreign keys, whole transactions."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from core.errors import StorageError
from core.io.study.migrations import LADDER, check_version, migrate
from core.io.study.refusals import told, understood

DATABASE = "study.sqlite"
_PATIENCE_S = 5.0


@final
class Database:
    """The database inside a study's folder; safe to use from several threads, one at a time."""

    def __init__(self, folder: Path, raw: sqlite3.Connection, *, read_only: bool) -> None:
        self._folder = folder
        self._read_only = read_only
        self._lock = threading.RLock()
        self._raw = raw
        self._engine = _engine_on(raw, begin="BEGIN" if read_only else "BEGIN IMMEDIATE")

    @classmethod
    def create(cls, folder: Path) -> Self:
        """An empty study database in an existing folder.

        Raises:
            StorageError: the disk refuses.
        """
        with told(folder):
            raw = _connect(folder / DATABASE, "rwc")
            raw.execute("PRAGMA journal_mode = WAL")
        database = cls(folder, raw, read_only=False)
        with database.writing() as connection:
            migrate(connection)
        return database

    @classmethod
    def open(cls, folder: Path, *, read_only: bool) -> Self:
        """An existing database; an older format is brought up (in memory if opened read-only).

        Raises:
            StudyError: it is no study, damaged, or from a newer program; or the disk refuses.
        """
        with told(folder), understood(folder):
            raw = _connect_for_reading(folder / DATABASE) if read_only else _connect(folder / DATABASE, "rw")
            database = cls(folder, raw, read_only=read_only)
            with ExitStack() as if_it_fails:
                if_it_fails.callback(database.close)
                opened = database._brought_up()
                if_it_fails.pop_all()
            return opened

    def _brought_up(self) -> Self:
        with self.reading() as connection:
            older = check_version(connection, self._folder) < len(LADDER)
        if self._read_only:
            return self._migrated_copy() if older else self
        with told(self._folder):
            self._raw.execute("PRAGMA journal_mode = WAL")
        if older:
            with self.writing() as connection:
                migrate(connection)
        return self

    def _migrated_copy(self) -> Self:
        raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._raw.backup(raw)
        self.close()
        with _engine_on(raw, begin="BEGIN").begin() as connection:
            migrate(connection)
        return type(self)(self._folder, raw, read_only=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent look at the database."""
        with self._lock, told(self._folder), understood(self._folder), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is stored or nothing.

        Raises:
            StorageError: opened read-only, or the disk refuses.
        """
        if self._read_only:
            raise StorageError(
                f"{self._folder} is open read-only, so nothing can be changed; "
                "close the other window and open it again, or save a copy"
            )
        with self._lock, told(self._folder), self._engine.begin() as connection:
            yield connection

    def copy_into(self, folder: Path) -> None:
        """Copy the database as it is now into another folder (SQLite's backup).

        Raises:
            StorageError: the disk refuses.
        """
        with self._lock, told(folder):
            target = _connect(folder / DATABASE, "rwc")
            try:
                self._raw.backup(target)
            finally:
                target.close()

    def close(self) -> None:
        """Let the database go; a second time does nothing."""
        with self._lock:
            self._engine.dispose()
            self._raw.close()


def _engine_on(raw: sqlite3.Connection, *, begin: str) -> Engine:
    """An engine on exactly this connection, with transactions that really begin."""
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _connect(path: Path, mode: str, *options: str) -> sqlite3.Connection:
    """A connection that has looked at the database, checks foreign keys and waits for the disk at each commit."""
    query = "&".join([f"mode={mode}", *options])
    raw = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?{query}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_PATIENCE_S,
    )
    with ExitStack() as if_it_fails:
        if_it_fails.callback(raw.close)
        for pragma in ("foreign_keys = ON", "recursive_triggers = ON", "synchronous = FULL"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if_it_fails.pop_all()
    return raw


def _connect_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that never writes, also where the folder forbids the write-ahead log's side files."""
    try:
        raw = _connect(path, "ro")
    except sqlite3.OperationalError:
        if not path.exists():
            raise
        log = path.with_name(path.name + "-wal")
        return _copied_to_memory(path, log) if log.exists() else _connect(path, "ro", "immutable=1")
    return raw


def _copied_to_memory(path: Path, log: Path) -> sqlite3.Connection:
    """The database with what an interrupted session left in its log, which only a writable folder lets SQLite read."""
    raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with ExitStack() as if_it_fails, TemporaryDirectory() as folder:
        if_it_fails.callback(raw.close)
        for file in (path, log):
            shutil.copyfile(file, Path(folder) / file.name)
        with closing(_connect(Path(folder) / path.name, "rw")) as copy:
            copy.backup(raw)
        if_it_fails.pop_all()
    return raw
