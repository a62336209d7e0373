"""The tree is the fixed one, every source says what it is for, and nothing private lies in it."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, project_files, sources

FOLDERS = {"app", "core", "docs", "packaging", "resources", "tests", ".ci"}
FILES = {"main.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore", ".pre-commit-config.yaml"}
IMAGES = {".dcm", ".tif", ".tiff", ".stl", ".obj", ".vtp", ".ply", ".avi", ".mp4", ".nii"}
HOME = re.compile(r"(/home/\w|/Users/\w|/root/|/work/|/opt/\w|[A-Z]:\\Users)")
BINARY = {".png", ".ico", ".sqlite", ".gz", ".npz"}
LARGEST_KB = 600


def test_the_top_level_is_the_fixed_one():
    top = {path.relative_to(ROOT).parts for path in project_files()}
    assert {parts[0] for parts in top if len(parts) > 1} == FOLDERS
    assert {parts[0] for parts in top if len(parts) == 1} == FILES


def test_the_folder_packaging_hides_no_library():
    assert not (ROOT / "packaging" / "__init__.py").exists()


@pytest.mark.parametrize("path", sources("app", "core", "tests"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_says_first_what_it_is_for(path):
    tree = ast.parse(path.read_text())
    assert (ast.get_docstring(tree) or "").strip(), "the first line must say what the file is for"
    assert tree.body[0].lineno == 1


def test_no_paths_of_a_machine():
    """Tests may name pretended homes; the product names none, and nothing names this machine's."""
    here = re.compile("|".join(re.escape(f"{place}/") for place in {str(ROOT), str(ROOT.parent), str(Path.home())}))
    named = []
    for path in project_files():
        if path.suffix in BINARY or path == Path(__file__).resolve():
            continue
        inside = path.relative_to(ROOT)
        pattern = here if inside.parts[0] == "tests" else HOME
        named += [f"{inside}: {hit.group()}" for hit in pattern.finditer(path.read_text())]
    assert named == []


def test_no_pictures_of_patients_and_no_shapes_of_manufacturers():
    kept = [path for path in project_files() if path.suffix.lower() in IMAGES]
    assert kept == []


def test_no_large_files():
    large = [path for path in project_files() if path.stat().st_size > 1024 * LARGEST_KB]
    assert large == []


def test_the_version_is_said_once_and_the_same():
    from core.io.software import VERSION

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert f"[{VERSION}]" in (ROOT / "CHANGELOG.md").read_text()
