"""The append-only journal: who changed what, when and how, with before and after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, final

from sqlalchemy import Connection, Row, func, insert, select

from core.io.software import SOFTWARE
from core.io.study.as_json import Json, dumps
from core.io.study.tables import JOURNAL


class Kind(Enum):
    """What a journal row is about."""

    STUDY = "study"
    TRIAL = "trial"
    BODY = "body"
    EXCLUSIONS = "exclusions"
    LINKS = "links"
    POSE = "pose"
    REGION = "region"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changes, ready for the journal."""

    kind: Kind
    before: Json | None
    after: Json | None
    calibration: str = ""
    trial: str | None = None
    body: str | None = None
    frame: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One row of the journal. Rows of one user action share ``step``."""

    number: int
    step: int
    session: int
    at: str
    """ISO 8601, UTC."""
    author: str
    action: str
    software: str
    calibration: str
    """Hash of the trial's calibration when the change was made; empty where it does not matter."""
    kind: Kind
    trial: str | None
    body: str | None
    frame: int | None
    before: Json | None
    after: Json | None


def append(
    connection: Connection, changes: Sequence[Change], *, session: int, at: str, author: str, action: str
) -> None:
    """Add the rows of one action inside the caller's transaction."""
    last = connection.execute(select(func.max(JOURNAL.c.step))).scalar_one_or_none()
    step = 1 if last is None else int(last) + 1
    connection.execute(
        insert(JOURNAL),
        [
            {
                "session_id": session,
                "step": step,
                "at": at,
                "author": author,
                "action": action,
                "software": SOFTWARE,
                "calibration": change.calibration,
                "kind": change.kind.value,
                "trial": change.trial,
                "body": change.body,
                "frame": change.frame,
                "before": None if change.before is None else dumps(change.before),
                "after": None if change.after is None else dumps(change.after),
            }
            for change in changes
        ],
    )


def read(connection: Connection, *, last: int | None = None) -> tuple[JournalEntry, ...]:
    """The rows in the order they were written; only the ``last`` ones where that is given."""
    query = select(JOURNAL).order_by(JOURNAL.c.id.desc())
    if last is not None:
        query = query.limit(last)
    return tuple(_entry(row) for row in reversed(connection.execute(query).all()))


def _entry(row: Row[Any]) -> JournalEntry:
    return JournalEntry(
        number=row.id,
        step=row.step,
        session=row.session_id,
        at=row.at,
        author=row.author,
        action=row.action,
        software=row.software,
        calibration=row.calibration,
        kind=Kind(row.kind),
        trial=row.trial,
        body=row.body,
        frame=row.frame,
        before=None if row.before is None else json.loads(row.before),
        after=None if row.after is None else json.loads(row.after),
    )
