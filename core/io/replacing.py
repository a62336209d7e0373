"""Replace a file only by one that has been written to the disk and read back."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from core.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


def replace_file(path: Path, content: bytes, check: Callable[[Path], None]) -> None:
    """Write ``content`` beside ``path``, read it back, then put it in the place of ``path``.

    Whatever fails, the old file stays as it was and no half-written one is left.

    Args:
        path: the file to make or replace; a link is followed.
        content: all of it.
        check: reads the draft and raises if it does not hold what was meant.

    Raises:
        StorageError: the disk is full, read-only or gone, or gives back other bytes.
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(target.name + ".part")
    try:
        _write_through(draft, content)
        if draft.read_bytes() != content:
            raise StorageError(f"the disk gave back other bytes than were written for {path}; check the disk")
        check(draft)
        draft.replace(target)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        _remove(draft)


def storage_error(error: OSError, path: Path) -> StorageError:
    """What the disk refused, as a sentence a person can act on."""
    kept = "the old file, if there was one, is untouched"
    if error.errno in _FULL:
        return StorageError(f"the disk is full: {path} was not written; free some space and try again; {kept}")
    if error.errno in _READ_ONLY:
        return StorageError(f"{path} cannot be written: {error.strerror}; choose a folder you can write to; {kept}")
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return StorageError(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    if error.errno == errno.EISDIR:
        return StorageError(f"{path} cannot be written: a folder of that name is in the way; choose another name")
    return StorageError(f"{path} cannot be written: {error.strerror or error}; check the disk; {kept}")


def _write_through(draft: Path, content: bytes) -> None:
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(draft: Path) -> None:
    try:
        draft.unlink(missing_ok=True)
    except OSError:
        return  # the disk that refused the file may refuse this too; the error that matters is already on its way
