"""Where compiled kernels are kept from one start to the next; decided before numba is imported."""

import os
import shutil
import zlib
from pathlib import Path

import platformdirs

VARIABLE = "NUMBA_CACHE_DIR"
_KEPT = 3
_ROOT = Path(__file__).resolve().parents[2]


def choose_kernel_cache() -> Path:
    """Let numba keep its kernels in the user's own cache, unless the environment names a place.

    The project's folder may be read-only or shared. Numba takes a cached kernel for fresh while the file that holds
    it is unchanged, though kernels of other files are compiled into it: so each state of the sources has a folder of
    its own, and the oldest go.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    home = platformdirs.user_cache_path("duoscope", appauthor=False) / "kernels"
    chosen = home / fingerprint(_ROOT)
    os.environ[VARIABLE] = str(chosen)
    _drop_old(home, chosen)
    return chosen


def fingerprint(root: Path) -> str:
    """Of all sources that hold kernels, by their contents."""
    value = 0
    for path in sorted((root / "core").rglob("*.py")):
        source = path.read_bytes()
        if b"njit" in source:
            value = zlib.crc32(source, zlib.crc32(path.relative_to(root).as_posix().encode(), value))
    return f"{value:08x}"


def _drop_old(home: Path, chosen: Path) -> None:
    """Keep the states used last; what cannot be removed stays."""
    try:
        chosen.mkdir(parents=True, exist_ok=True)
        os.utime(chosen)
        others = sorted((p for p in home.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    except OSError:
        return  # numba finds that it cannot write there and takes another place
    for old in others[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
