"""Who had the study open for writing, and whether that ended cleanly."""

import os
import socket
from dataclasses import dataclass
from typing import final

from sqlalchemy import Connection, func, insert, select, update

from core.io.software import SOFTWARE
from core.io.study.clock import now
from core.io.study.tables import JOURNAL, SESSIONS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """The last session, which ended without closing the study."""

    author: str
    opened_at: str
    last_change_at: str | None
    """Everything up to this moment is in the study; None where nothing had been changed."""
    last_action: str | None
    changes: int
    """How many recorded actions of that session were found."""


def begin(connection: Connection, author: str) -> int:
    """Note that the study is open for writing; the session's number."""
    row = insert(SESSIONS).values(
        opened_at=now(),
        closed_at=None,
        author=author,
        software=SOFTWARE,
        host=socket.gethostname(),
        process=os.getpid(),
    )
    key = connection.execute(row).inserted_primary_key
    return int(key[0]) if key is not None else 0


def end(connection: Connection, session: int) -> None:
    """Note that the session closed cleanly."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.id == session).values(closed_at=now()))


def end_all(connection: Connection) -> None:
    """Close every session: a copy has never been open."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.closed_at.is_(None)).values(closed_at=now()))


def interrupted(connection: Connection) -> Interrupted | None:
    """The last session if it did not close cleanly."""
    session = connection.execute(select(SESSIONS).order_by(SESSIONS.c.id.desc()).limit(1)).one_or_none()
    if session is None or session.closed_at is not None:
        return None
    its = JOURNAL.c.session_id == session.id
    last = connection.execute(select(JOURNAL).where(its).order_by(JOURNAL.c.id.desc()).limit(1)).one_or_none()
    steps = connection.execute(select(func.count(JOURNAL.c.step.distinct())).where(its)).scalar_one()
    return Interrupted(
        author=session.author,
        opened_at=session.opened_at,
        last_change_at=None if last is None else last.at,
        last_action=None if last is None else last.action,
        changes=int(steps),
    )


def holder(connection: Connection) -> str:
    """Who has the study open now, for a sentence."""
    session = connection.execute(select(SESSIONS).order_by(SESSIONS.c.id.desc()).limit(1)).one_or_none()
    if session is None or session.closed_at is not None:
        return "another window or command"
    return f"{session.author} (process {session.process} on {session.host}, since {session.opened_at})"
