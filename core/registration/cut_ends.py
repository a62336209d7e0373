"""Where bones go on that their CT cuts off: those pixels say nothing of the pose."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.registration.values import Body

_REACH_MM = 80.0
"""How far beyond its cut a shaft is followed."""
_STEP_MM = 2.0
_AROUND_MM = 3.0
"""Edges of the shaft, and of the cut itself, reach so far."""


def beyond_cut_ends(bodies: Sequence[Body], around: Sequence[Sequence[Rigid]], view: View) -> Bool[np.ndarray, "h w"]:
    """True where a shaft runs on beyond its cut, seen from the view, at any of the poses.

    Args:
        bodies: those without cut ends add nothing.
        around: world_from_body of all bodies, once or several times.
        view: of the picture's size.
    """
    beyond = np.zeros((view.height_px, view.width_px), dtype=np.uint8)
    reach = np.arange(-1.0, _REACH_MM, _STEP_MM)
    radius_px = 1
    for poses in around:
        for body, pose in zip(bodies, poses, strict=True):
            for end in body.cut_ends:
                places = end.points_mm[:, None] + reach[:, None] * end.outward
                pixels = view.project(pose.apply(places.reshape(-1, 3)))
                pixels = np.round(pixels[np.isfinite(pixels).all(axis=1)]).astype(int)
                seen = ((pixels >= 0) & (pixels < [view.width_px, view.height_px])).all(axis=1)
                beyond[pixels[seen, 1], pixels[seen, 0]] = 1
                depth = max(view.depth_mm(pose.apply(end.points_mm).mean(axis=0)), 1.0)
                radius_px = max(radius_px, round(_AROUND_MM / view.millimetres_per_pixel(depth)))
    if not beyond.any():
        return beyond.astype(bool)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return np.asarray(cv2.dilate(beyond, disc) > 0)
