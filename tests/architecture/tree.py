"""The project's tree as the architecture tests see it: its tracked files, and copies to spoil."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"


def project_files(pattern: str = "*") -> list[Path]:
    """Files that belong to the project: what git tracks or would, else everything but hidden folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        found = [path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in _inside(path))]
    return sorted(path for path in found if path.is_file() and path.match(pattern))


def sources(*folders: str) -> list[Path]:
    """Python files of the project below the given top-level folders."""
    return [path for path in project_files("*.py") if _inside(path)[0] in folders]


def copy_sources(target: Path) -> Path:
    """A copy of the packages and their contracts, to be spoiled."""
    for path in [*sources("app", "core"), ROOT / "pyproject.toml"]:
        place = target / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return target


def lint_imports(folder: Path) -> tuple[int, str]:
    """Exit status and report of the import contracts in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def _inside(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT).parts
