"""Checksums: right, remembered, and forgotten when a file changes."""

import hashlib
import os
from pathlib import Path

import pytest

from core.errors import StorageError
from core.io.checksums import has_changed, link_to, sha256_of, sha256_of_all
from core.study.values import FileLink


def test_known_value(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_many_come_in_their_order(tmp_path):
    contents = [bytes([n]) * (n * 10_000) for n in range(9)]
    paths = [tmp_path / f"{n}" for n in range(9)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    assert sha256_of_all(paths) == tuple(hashlib.sha256(content).hexdigest() for content in contents)
    assert sha256_of_all([]) == ()


def test_an_unchanged_file_is_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = sha256_of(path)
    opened = []
    real_open = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: opened.append(self) or real_open(self, *a, **k))
    assert sha256_of(path) == first
    assert opened == []
    path.write_bytes(b"two")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    opened.clear()
    assert sha256_of(path) == hashlib.sha256(b"two").hexdigest()
    assert opened == [path]


def test_changes_of_time_or_size_alone_are_noticed(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    link = link_to(path)
    assert not has_changed(link)
    stamp = path.stat().st_mtime_ns
    path.write_bytes(b"longer")
    os.utime(path, ns=(stamp, stamp))
    assert has_changed(link)
    path.write_bytes(b"one")
    os.utime(path, ns=(stamp + 10**9, stamp + 10**9))
    assert not has_changed(link)
    assert not has_changed(FileLink(path=path))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(StorageError, match="gone is missing"):
        sha256_of(tmp_path / "gone")
    with pytest.raises(StorageError, match="gone is missing"):
        sha256_of_all([tmp_path / "gone"])
    assert link_to(__file__).path.is_absolute()


def test_a_folder_of_slices_has_a_checksum_of_names_and_contents(tmp_path):
    (tmp_path / "1.dcm").write_bytes(b"one")
    (tmp_path / "2.dcm").write_bytes(b"two")
    before = sha256_of(tmp_path)
    (tmp_path / ".DS_Store").write_bytes(b"noise")
    assert sha256_of(tmp_path) == before
    (tmp_path / "2.dcm").rename(tmp_path / "3.dcm")
    renamed = sha256_of(tmp_path)
    assert renamed != before
    (tmp_path / "3.dcm").write_bytes(b"three")
    assert sha256_of(tmp_path) not in {before, renamed}
