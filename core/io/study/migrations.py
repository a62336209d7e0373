"""The history of the study's schema: one step a version, never edited once released."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, text

from core.errors import StudyError, StudyTooNewError
from core.io.software import NAME, SOFTWARE

APPLICATION_ID = 0x44756F73
"""Marks the database as a study ("Duos")."""

_FIRST = (
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE sessions (
        id INTEGER NOT NULL PRIMARY KEY,
        opened_at TEXT NOT NULL,
        closed_at TEXT,
        author TEXT NOT NULL,
        software TEXT NOT NULL,
        host TEXT NOT NULL,
        process INTEGER NOT NULL
    )""",
    """CREATE TABLE trials (
        id INTEGER NOT NULL PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        world_frame TEXT NOT NULL
    )""",
    """CREATE TABLE frames (
        trial_id INTEGER NOT NULL REFERENCES trials(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (trial_id, position),
        UNIQUE (trial_id, number)
    )""",
    """CREATE TABLE planes (
        id INTEGER NOT NULL PRIMARY KEY,
        trial_id INTEGER NOT NULL REFERENCES trials(id) ON DELETE CASCADE,
        position INTEGER NOT NULL CHECK (position IN (0, 1)),
        name TEXT NOT NULL,
        camera_from_world TEXT NOT NULL,
        focal_x_px REAL NOT NULL,
        focal_y_px REAL NOT NULL,
        principal_x_px REAL NOT NULL,
        principal_y_px REAL NOT NULL,
        width_px INTEGER NOT NULL,
        height_px INTEGER NOT NULL,
        pixel_spacing_mm REAL,
        calibration_path TEXT NOT NULL,
        calibration_sha256 TEXT NOT NULL,
        UNIQUE (trial_id, position)
    )""",
    """CREATE TABLE pictures (
        plane_id INTEGER NOT NULL REFERENCES planes(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        path TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (plane_id, position)
    )""",
    """CREATE TABLE exclusions (
        plane_id INTEGER NOT NULL REFERENCES planes(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        corners_px TEXT NOT NULL,
        PRIMARY KEY (plane_id, position)
    )""",
    """CREATE TABLE bodies (
        id INTEGER NOT NULL PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        mesh_path TEXT NOT NULL,
        mesh_sha256 TEXT NOT NULL,
        units TEXT NOT NULL,
        notes TEXT NOT NULL
    )""",
    """CREATE TABLE poses (
        trial_id INTEGER NOT NULL REFERENCES trials(id) ON DELETE CASCADE,
        body_id INTEGER NOT NULL REFERENCES bodies(id) ON DELETE CASCADE,
        frame INTEGER NOT NULL,
        r00 REAL NOT NULL, r01 REAL NOT NULL, r02 REAL NOT NULL,
        r10 REAL NOT NULL, r11 REAL NOT NULL, r12 REAL NOT NULL,
        r20 REAL NOT NULL, r21 REAL NOT NULL, r22 REAL NOT NULL,
        tx_mm REAL NOT NULL, ty_mm REAL NOT NULL, tz_mm REAL NOT NULL,
        status TEXT NOT NULL,
        author TEXT NOT NULL,
        method TEXT NOT NULL,
        score REAL,
        outcome TEXT NOT NULL,
        covariance TEXT,
        details TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (trial_id, body_id, frame),
        FOREIGN KEY (trial_id, frame) REFERENCES frames(trial_id, number)
    )""",
    """CREATE TABLE journal (
        id INTEGER NOT NULL PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES sessions(id),
        step INTEGER NOT NULL,
        at TEXT NOT NULL,
        author TEXT NOT NULL,
        action TEXT NOT NULL,
        software TEXT NOT NULL,
        calibration TEXT NOT NULL,
        kind TEXT NOT NULL,
        trial TEXT,
        body TEXT,
        frame INTEGER,
        before TEXT,
        after TEXT
    )""",
    "CREATE INDEX journal_of_pose ON journal (trial, body, frame)",
    """CREATE TRIGGER journal_is_not_rewritten BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER journal_is_not_erased BEFORE DELETE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    # INSERT OR REPLACE deletes without asking the trigger above.
    """CREATE TRIGGER journal_is_not_replaced BEFORE INSERT ON journal
        WHEN EXISTS (SELECT 1 FROM journal WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
)

_SECOND = (
    # A body without a surface file has the empty text for its mesh_path: to allow NULL the table would have to be
    # made anew, and dropping it would take the poses along.
    """CREATE TABLE volumes (
        body_id INTEGER NOT NULL PRIMARY KEY REFERENCES bodies(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        mask_path TEXT,
        mask_sha256 TEXT,
        voxel_values TEXT NOT NULL,
        series TEXT NOT NULL,
        spacing_mm TEXT,
        flips TEXT NOT NULL,
        labels TEXT NOT NULL,
        threshold REAL,
        slope_per_mm REAL NOT NULL,
        offset_per_mm REAL NOT NULL
    )""",
    """CREATE TABLE regions (
        trial_id INTEGER NOT NULL REFERENCES trials(id) ON DELETE CASCADE,
        plane INTEGER NOT NULL,
        frame INTEGER NOT NULL,
        body_id INTEGER NOT NULL REFERENCES bodies(id) ON DELETE CASCADE,
        corners_px TEXT NOT NULL,
        PRIMARY KEY (trial_id, plane, frame, body_id),
        FOREIGN KEY (trial_id, plane) REFERENCES planes(trial_id, position),
        FOREIGN KEY (trial_id, frame) REFERENCES frames(trial_id, number)
    )""",
)

LADDER: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
"""The statements that lead from version n to n + 1, from the empty database on."""


def version_of(connection: Connection) -> int:
    """The schema's version; 0 is an empty database."""
    return int(connection.execute(text("PRAGMA user_version")).scalar_one())


def check_version(connection: Connection, path: Path, ladder: Sequence[Sequence[str]] = LADDER) -> int:
    """The schema's version of a study that this program can read.

    Raises:
        StudyError: the database is no study.
        StudyTooNewError: a newer program wrote it; the message says which.
    """
    version = version_of(connection)
    marked = int(connection.execute(text("PRAGMA application_id")).scalar_one())
    if marked != APPLICATION_ID:
        raise StudyError(f"{path} is a database but not a {NAME} study; choose a folder that {NAME} made")
    if version > len(ladder):
        raise StudyTooNewError(
            f"the study {path} was written by {_writer_of(connection)} in format {version}; this is {SOFTWARE}, "
            f"which reads up to format {len(ladder)}: open it with the newer version"
        )
    return version


def migrate(connection: Connection, ladder: Sequence[Sequence[str]] = LADDER) -> bool:
    """Climb to the newest schema inside the caller's transaction; whether anything was to be done."""
    version = version_of(connection)
    if version == len(ladder):
        return False
    for step in ladder[version:]:
        for statement in step:
            connection.execute(text(statement))
    connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
    connection.execute(text(f"PRAGMA user_version = {len(ladder)}"))
    connection.execute(
        text("INSERT OR REPLACE INTO meta (key, value) VALUES ('format_written_by', :software)"),
        {"software": SOFTWARE},
    )
    return True


def _writer_of(connection: Connection) -> str:
    """Who brought the study to its format; the meta table is part of every format."""
    known = connection.execute(text("SELECT value FROM meta WHERE key = 'format_written_by'")).scalar_one_or_none()
    return str(known) if known else f"a newer version of {NAME}"
