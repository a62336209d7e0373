"""One writer at a time: a lock file that the system lets go of when its holder dies."""

from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import StorageError, StudyError, StudyLockedError
from core.io.study import sessions
from core.io.study.database import Database
from core.io.study.refusals import told

LOCK = "writer.lock"


def take(folder: Path) -> FileLock:
    """Become the study's single writer.

    Raises:
        StudyLockedError: someone else is; the message says who and what to do.
        StorageError: the folder cannot be written.
    """
    lock = FileLock(folder / LOCK, timeout=0, thread_local=False)
    with told(folder):
        try:
            lock.acquire()
        except Timeout:
            raise StudyLockedError(
                f"{folder} is open for writing by {_holder(folder)}: close it there, or open it read-only here"
            ) from None
        except NotImplementedError:
            raise StorageError(
                f"the disk that holds {folder} offers no file locks, so two writers could not be kept apart: "
                "copy the study to a local disk"
            ) from None
    return lock


def _holder(folder: Path) -> str:
    try:
        database = Database.open(folder, read_only=True)
    except StudyError:
        return "another window or command"
    try:
        with database.reading() as connection:
            return sessions.holder(connection)
    finally:
        database.close()
