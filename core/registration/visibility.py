"""Whether there is anything to register: bodies inside the picture, pictures with contrast."""

import numpy as np

from core.geometry.rigid import Rigid
from core.registration.values import Body, Shot

_LEAST_CONTRAST = 0.02
"""Range of the usable intensities over white below which a picture shows nothing."""


def seen_share(body: Body, pose: Rigid, shot: Shot) -> float:
    """Share of a body's vertices whose shadow falls on usable pixels, 0..1."""
    pixels = shot.view.project(pose.apply(body.levels[-1].vertices_mm))
    finite = np.isfinite(pixels).all(axis=1)
    columns, rows = np.round(np.where(finite[:, None], pixels, -1)).T
    inside = (columns >= 0) & (rows >= 0) & (columns < shot.view.width_px) & (rows < shot.view.height_px)
    inside &= finite
    usable = shot.usable[rows[inside].astype(int), columns[inside].astype(int)]
    return float(usable.sum() / len(pixels))


def shows_nothing(shot: Shot) -> bool:
    """Whether the usable part of a picture is black, constant or missing."""
    inside = np.asarray(shot.image[shot.usable], dtype=np.float64)
    if inside.size == 0 or not np.isfinite(inside).all():
        return True
    low, high = np.percentile(inside, [0.05, 99.95])
    return bool(high <= 0 or (high - low) < _LEAST_CONTRAST * high)
