"""A filled study, and small disks that can be full or read-only."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.io.study import StudyFile
from tests.core.io.study import samples


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[StudyFile]:
    """A study open for writing with a trial, two bodies and a pose."""
    with StudyFile.create(tmp_path / "a.study", "a study", author="anna") as study:
        study.add_trial(samples.trial(tmp_path))
        study.add_body(samples.body(tmp_path))
        study.add_body(samples.body(tmp_path, samples.OTHER))
        study.record({samples.key(3): samples.record(0)}, action="accept")
        yield study


def _mount(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = shutil.which("mount") or "mount"
    return subprocess.run(
        [command, "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a disk of so many KiB and returns its folder; ``mount -o remount,ro`` makes it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("this system has no mount command to make a small disk")
    mounted = False

    def make(kib: int) -> Path:
        nonlocal mounted
        done = _mount(folder, "-o", f"size={kib}k")
        if done.returncode != 0:
            pytest.skip(f"a small disk cannot be made here: {done.stderr.strip()}")
        mounted = True
        return folder

    yield make
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def make_read_only() -> Callable[[Path], None]:
    """Makes a small disk read-only."""

    def change(disk: Path) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, capture_output=True)

    return change
