"""Set up every test run: no screen needed, kernels cached, shapes of the core's values enforced."""

import os
from pathlib import Path

import hypothesis
from jaxtyping import install_import_hook

import tests.shape_check  # noqa: F401  (the hook below looks it up by name)
from app.state.kernel_cache import fingerprint

ROOT = Path(__file__).resolve().parents[1]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache" / fingerprint(ROOT)))
os.environ.setdefault("MPLBACKEND", "Agg")

SHAPES_ENFORCED = (
    "core.geometry.rigid",
    "core.geometry.view",
    "core.geometry.mesh",
    "core.geometry.symmetry",
    "core.geometry.levels_of_detail",
    "core.imaging.field_of_view",
    "core.study",
)
"""Modules whose annotated shapes and types are checked at each call (numba kernels cannot be wrapped)."""

install_import_hook(SHAPES_ENFORCED, "tests.shape_check.shape_check")

hypothesis.settings.register_profile("duoscope", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("duoscope")
