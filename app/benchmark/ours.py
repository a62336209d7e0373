"""This program at the work of drawing, and how any drawing is scored."""

from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float

from app.benchmark.results import OURS, Row, timed
from app.benchmark.work import POSE, MeshWork, VolumeWork, Work
from core.io.software import SOFTWARE
from core.rendering.path_length import lens_of, path_length, ray_stretch

VOLUMES = "core.rendering.volume_moments"
"""The fast renderer of volumes."""


def draw(work: Work, repeats: int) -> Row:
    """Draw both views; one thread."""
    if isinstance(work, MeshWork):
        one = partial(_draw_mesh, work)
    elif find_spec(VOLUMES) is None:
        return Row(workload=work.title, who=OURS, state="not installed", told="this version does not draw volumes")
    else:
        one = partial(_draw_volume, work)
    timing = timed(one, repeats)
    return scored(
        Row(workload=work.title, who=OURS, version=SOFTWARE.split()[-1], cpu_s=timing.cpu_s, wall_s=timing.wall_s),
        work,
        one(),
    )


def _draw_mesh(work: MeshWork) -> Float[np.ndarray, "2 h w"]:
    return np.stack([path_length(work.mesh, view, POSE) for view in work.views])


def _draw_volume(work: VolumeWork) -> Float[np.ndarray, "2 h w"]:
    moments = import_module(VOLUMES).volume_moments
    drawn = []
    for view in work.views:
        camera_from_body = view.camera_from_world @ POSE
        depth_mm = float(camera_from_body.apply(work.volume.centre_mm[None])[0, 2])
        size = (view.height_px, view.width_px)
        drawn.append(moments(work.volume, camera_from_body, lens_of(view), depth_mm, size)[..., 0] * ray_stretch(view))
    return np.stack(drawn)


def scored(row: Row, work: Work, drawn: Float[np.ndarray, "2 h w"]) -> Row:
    """The row with its error against the truth: mm for a mesh; for CT, after the best scale, a share of the signal."""
    truth = np.asarray(work.truth, dtype=np.float64)
    seen = np.asarray(drawn, dtype=np.float64)
    if isinstance(work, MeshWork):
        off = np.abs(seen - truth)
        return replace(row, error=float(np.sqrt((off**2).mean())), error_unit="mm", worst=float(off.max()))
    inside = truth > 1e-3 * truth.max()
    scale = (seen * truth)[inside].sum() / max((seen**2)[inside].sum(), 1e-300)
    off = (scale * seen - truth)[inside]
    size = np.sqrt((truth[inside] ** 2).mean())
    told = row.told if abs(scale - 1) < 0.02 else f"{row.told} scaled by {scale:.3g}".strip()
    worst = float(np.abs(off).max() / size)
    return replace(row, error=float(np.sqrt((off**2).mean()) / size), error_unit="of signal", worst=worst, told=told)
