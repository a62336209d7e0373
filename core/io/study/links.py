"""Paths of linked files: relative while they are near the study, so that both can be moved together."""

import os
from pathlib import Path, PurePosixPath
from typing import final

from core.study.values import FileLink

NEAR_LEVELS = 2
"""Files under the study's grandparent folder count as near it."""


@final
class Links:
    """Translates between paths on this machine and paths as the study stores them."""

    def __init__(self, folder: Path, home: str | None) -> None:
        self._folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links to other disks
        self._home = Path(home) if home and Path(home) != self._folder else None

    @property
    def folder(self) -> Path:
        """The study's folder, absolute."""
        return self._folder

    @property
    def was_moved(self) -> bool:
        """Whether the study lies elsewhere than when it was last written."""
        return self._home is not None

    def to_stored(self, path: Path) -> str:
        """Relative with forward slashes when near the study, else absolute."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100
        around = self._folder
        for _ in range(NEAR_LEVELS):
            # The root of the disk is near everything and says nothing.
            around = around.parent if around.parent.parent != around.parent else around
        if not absolute.is_relative_to(around):
            return str(absolute)
        return PurePosixPath(*Path(os.path.relpath(absolute, self._folder)).parts).as_posix()

    def from_stored(self, stored: str) -> Path:
        """The file meant; if the study was moved alone, the one beside its old place."""
        if Path(stored).is_absolute():
            return Path(stored)
        here = Path(os.path.normpath(self._folder / stored))
        if self._home is not None and not here.exists():
            there = Path(os.path.normpath(self._home / stored))
            if there.exists():
                return there
        return here

    def link(self, stored: str, sha256: str) -> FileLink:
        """The link with its absolute path."""
        return FileLink(path=self.from_stored(stored), sha256=sha256)
