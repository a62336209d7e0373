"""What computes never touches the disk or the screen: only ``core.io`` reads and writes."""

import pytest

from tests.architecture.source import disk_accesses, imported_names
from tests.architecture.tree import ROOT, project_files, sources

OUTSIDE_IO = [path for path in sources("core") if path.relative_to(ROOT).parts[:2] != ("core", "io")]


def test_only_core_io_touches_the_disk():
    assert OUTSIDE_IO
    assert [access for path in OUTSIDE_IO for access in disk_accesses(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "open('a')",
        "Path('a').open('wb')",
        "Path('a').write_text('b')",
        "Path('a').read_bytes()",
        "np.save('a', b)",
        "np.load('a')",
        "trimesh.load('a')",
        "import os",
        "from shutil import copyfile",
        "import sqlalchemy.orm",
        "def f():\n    import tifffile",
    ],
)
def test_a_planted_disk_access_is_seen(tmp_path, line):
    planted = tmp_path / "planted.py"
    planted.write_text(f'"""Planted."""\n{line}\n')
    assert disk_accesses(planted)


def test_replacing_and_joining_values_is_no_disk_access(tmp_path):
    harmless = tmp_path / "harmless.py"
    harmless.write_text(
        "after = replace(before, path=before.path.with_suffix('.part'))\ntext = 'a'.replace('a', 'b')\n"
    )
    assert disk_accesses(harmless) == []


def test_state_and_workers_know_only_the_qt_that_needs_no_screen():
    allowed = {"PySide6", "PySide6.QtCore"}
    for path in project_files("*.py"):
        if path.relative_to(ROOT).parts[:2] in {("app", "state"), ("app", "workers")}:
            used = {".".join(name.split(".")[:2]) for name in imported_names(path) if name.startswith("PySide6")}
            assert used <= allowed, path
