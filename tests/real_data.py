"""Find the real pictures and models that lie beside the project, and skip tests where they are missing."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def real_data_folder() -> Path:
    """``DUOSCOPE_REAL_DATA`` if it is set, else ``shared/data`` beside the project's folder."""
    named = os.environ.get("DUOSCOPE_REAL_DATA")
    return Path(named) if named else ROOT.parent / "shared" / "data"


REAL = real_data_folder()


def needs_real_data(test):
    """Mark a test ``real`` and skip it, saying so, where the real pictures are missing."""
    reason = f"no real pictures at {REAL}; set DUOSCOPE_REAL_DATA to their folder to run this"
    return pytest.mark.real(pytest.mark.skipif(not REAL.is_dir(), reason=reason)(test))
