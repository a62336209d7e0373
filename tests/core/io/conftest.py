"""Disks that refuse, for tests of writing."""

from pathlib import Path

import pytest

FULL = Path("/dev/full")


@pytest.fixture
def full_disk_for():
    """Let every draft of a file land on a device that is always full."""
    if not FULL.exists():
        pytest.skip("this system has no /dev/full to stand for a full disk")

    def fill(path: Path) -> None:
        path.with_name(path.name + ".part").symlink_to(FULL)

    return fill
