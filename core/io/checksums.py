"""SHA-256 of linked files and folders of slices, remembered while a file keeps its size and time."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from core.errors import StorageError
from core.study.values import FileLink

_REMEMBERED = 65_536
_THREADS = 2
_OF_SYSTEMS = {"thumbs.db", "desktop.ini"}


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file; computed again only when its size or modification time changed.

    That of a folder (a series of slices) is made of the names and checksums of the files in it.

    Raises:
        StorageError: the file is missing or cannot be read.
    """
    path = Path(path).absolute()
    if path.is_dir():
        return _sha256_of_folder(path)
    try:
        now = path.stat()
        return _sha256(path, now.st_size, now.st_mtime_ns)
    except FileNotFoundError as error:
        raise StorageError(f"{path} is missing; check the path, or whether the disk is connected") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}; check its permissions") from error


def sha256_of_all(paths: Sequence[Path]) -> tuple[str, ...]:
    """SHA-256 of many files, in their order; hashing runs beside reading.

    Raises:
        StorageError: one of them is missing or cannot be read.
    """
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        return tuple(pool.map(sha256_of, paths))


def link_to(path: Path) -> FileLink:
    """A link with the checksum that the file has now.

    Raises:
        StorageError: the file is missing or cannot be read.
    """
    path = Path(path).absolute()
    return FileLink(path=path, sha256=sha256_of(path))


def has_changed(link: FileLink) -> bool:
    """Whether the file differs from the one that was linked; a link without checksum never does.

    Raises:
        StorageError: the file is missing or cannot be read.
    """
    return bool(link.sha256) and sha256_of(link.path) != link.sha256


def slices_in(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that may be slices, by name: none in inner folders, hidden, or put there by a system.

    Raises:
        StorageError: the folder cannot be read.
    """
    try:
        found = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise StorageError(f"{folder} cannot be read: {error.strerror or error}; check its permissions") from error
    return tuple(sorted(path for path in found if path.name.lower() not in _OF_SYSTEMS))


def _sha256_of_folder(folder: Path) -> str:
    paths = slices_in(folder)
    lines = [f"{sha}  {path.name}\n" for path, sha in zip(paths, sha256_of_all(paths), strict=True)]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


@lru_cache(maxsize=_REMEMBERED)
def _sha256(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001 - the key under which it is remembered
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
