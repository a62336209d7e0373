"""The project's tree as the architecture tests see it: its tracked files, and copies to spoil."""

import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = (".git", ".venv", "__pycache__", "*_cache", ".hypothesis", ".set-up.lock", "*.study", "*.part", "build", "dist")
LINT = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"


def project_files(pattern: str = "*") -> list[Path]:
    """Files that belong to the project: what git tracks or would; without git, all that nothing makes anew."""
    return [path for path in _listed_by_git() or _found() if path.is_file() and path.match(pattern)]


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


def _listed_by_git() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(
        [git, "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted(ROOT / line for line in listed.stdout.splitlines())


def _found() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*") if not any(fnmatch(p, m) for p in _inside(path) for m in MADE))


def _inside(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT).parts
