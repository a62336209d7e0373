"""Files are replaced whole or not at all."""

import errno
import os

import pytest

from core.errors import PoseError, StorageError
from core.io.replacing import replace_file, storage_error


def accept(_draft):
    return None


def test_a_file_is_made_and_replaced(tmp_path):
    path = tmp_path / "a.txt"
    replace_file(path, b"one", accept)
    replace_file(path, b"two", accept)
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_the_check_sees_the_draft_and_may_refuse_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def refuse(draft):
        assert draft != path
        assert draft.read_bytes() == b"new"
        raise PoseError("no")

    with pytest.raises(PoseError, match="no"):
        replace_file(path, b"new", refuse)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_keeps_pointing(tmp_path):
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "a.txt", tmp_path / "link.txt"
    target.write_bytes(b"old")
    link.symlink_to(target)
    replace_file(link, b"new", accept)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_full_disk_keeps_the_old_file(tmp_path, full_disk_for):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    full_disk_for(path)
    with pytest.raises(StorageError, match="disk is full"):
        replace_file(path, b"new" * 10_000, accept)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_and_a_folder_that_is_not_there(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(StorageError, match="a folder of that name is in the way"):
        replace_file(tmp_path / "a.txt", b"new", accept)
    with pytest.raises(StorageError, match="there is no folder"):
        replace_file(tmp_path / "none" / "a.txt", b"new", accept)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="there is no folder"):
        replace_file(tmp_path / "file" / "a.txt", b"new", accept)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the system lets its administrator write anywhere")
def test_a_read_only_folder_is_said_to_be_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="choose a folder you can write to"):
            replace_file(path, b"new", accept)
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "choose a folder you can write to"),
        (errno.EACCES, "choose a folder you can write to"),
        (errno.EIO, "check the disk"),
    ],
)
def test_what_the_system_refuses_is_told_in_words(tmp_path, number, words):
    assert words in str(storage_error(OSError(number, os.strerror(number)), tmp_path / "a.txt"))
