"""Read small text files that people hand over: missing, empty, binary and oddly encoded ones are refused clearly."""

import math
import re
from pathlib import Path

from core.errors import DuoscopeError

MOST_BYTES = 256 * 2**20
"""No calibration or table of poses is larger; a video picked by mistake is."""


def read_text(path: Path, what: str, refuse: type[DuoscopeError]) -> str:
    """The text of a UTF-8 file, with or without a byte order mark.

    Args:
        path: the file.
        what: what the file is for the reader, to begin the message with ("calibration", "pose file").
        refuse: the error to raise.

    Raises:
        DuoscopeError: of the class ``refuse``; the file is missing, a folder, empty, too large or no text.
    """
    raw = read_bytes(path, what, refuse)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse(f"{what} {path} is in UTF-16; save it as UTF-8 text")
    if b"\0" in raw:
        raise refuse(f"{what} {path} is not a text file; pick another file, or export it again as text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refuse(f"{what} {path}, line {line}: a letter is not in UTF-8; save the file as UTF-8 text") from error


def read_bytes(path: Path, what: str, refuse: type[DuoscopeError], most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a file that is there, readable and not empty.

    Raises:
        DuoscopeError: of the class ``refuse``; the file is missing, a folder, empty, too large or unreadable.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= most_bytes else b""
    except FileNotFoundError as error:
        raise refuse(f"{what} {path} is missing; check the path, or whether the disk is connected") from error
    except (IsADirectoryError, PermissionError) as error:
        if path.is_dir():
            raise refuse(f"{what} {path} is a folder; name a file in it") from error
        raise refuse(f"{what} {path} cannot be read: {error.strerror}; check its permissions") from error
    except OSError as error:
        raise refuse(f"{what} {path} cannot be read: {error.strerror or error}; check the disk") from error
    if size > most_bytes:
        raise refuse(f"{what} {path} is {size / 2**20:.0f} MiB large, which no such file is; pick another file")
    if not raw.strip():
        raise refuse(f"{what} {path} is empty; export or copy it again")
    return raw


def numbers_of(line: str) -> list[float] | None:
    """The numbers of a line, separated by commas or blanks; None if its first word is no number."""
    words = re.split(r"[,\s]+", line.strip().strip(","))
    if not _is_number(words[0]):
        return None
    return [float(word) if _is_number(word) else math.nan for word in words]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
