"""Turns what the disk and SQLite refuse into sentences a person can act on."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, InvalidRequestError

from core.errors import DuoscopeError, StorageError, StudyError, StudyLockedError

_KEPT = "everything recorded before is safe"
_PRIMARY = 0xFF
"""The low byte of SQLite's extended result codes is the primary one."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raise what SQLite or the disk refuses as a StudyError about the study at ``path``.

    Raises:
        StorageError: the disk is full, read-only or gone.
        StudyLockedError: another program holds the database.
        StudyError: the database is damaged, or a name is no text.
    """
    try:
        yield
    except DBAPIError as error:
        raise _from_sqlite(error.orig, path) from error
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error
    except OSError as error:
        raise _from_system(error, path) from error
    except UnicodeEncodeError as error:
        # Names on old disks may hold bytes that stand for no letter.
        raise StudyError(
            f"{error.object!a} cannot be stored in {path}: rename it so that it is readable text"
        ) from error


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Raise what makes no sense in the database of the study at ``path`` as a StudyError.

    SQLite notices damage to its own structure only, not to the texts and numbers in it.

    Raises:
        StudyError: the contents are damaged.
    """
    try:
        yield
    except (DuoscopeError, ValueError, LookupError, TypeError, ArithmeticError, InvalidRequestError) as error:
        if isinstance(error, StudyError) and str(path) in str(error):
            raise
        raise StudyError(
            f"the database of {path} is damaged, some of it makes no sense ({error}); "
            "go back to the last copy of the study"
        ) from error


def _from_sqlite(error: BaseException | None, path: Path) -> StudyError:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code == sqlite3.SQLITE_FULL:
        return StorageError(f"the disk that holds {path} is full: free some space and try again; {_KEPT}")
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return StorageError(
            f"{path} cannot be written: the folder is read-only or gone; open it read-only, "
            f"or copy it to a folder you can write to; {_KEPT}"
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StudyLockedError(
            f"another program is writing into the database of {path}; close it there and try again; {_KEPT}"
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StudyError(f"the database of {path} is damaged ({error}); go back to the last copy of the study")
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(f"the disk that holds {path} reports an error ({error}); check it; {_KEPT}")
    return StudyError(f"the database of {path} refuses: {error}; go back to the last copy of the study")


def _from_system(error: OSError, path: Path) -> StorageError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(f"the disk that holds {path} is full: free some space and try again; {_KEPT}")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StorageError(
            f"{path} cannot be written ({error.strerror}): the folder is read-only; open the study read-only, "
            "or copy it to a folder you can write to"
        )
    return StorageError(f"{path} cannot be used: {error.strerror or error}; check the path and the disk")
