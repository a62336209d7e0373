"""Which pixels of a view carry X-ray signal: the image circle, less what a person excluded."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32

_DARK_SHARE = 0.24
"""A pixel that never gets brighter than this share of the range belongs to the surround."""
_SMALLEST_SHARE = 0.05
"""A field of view smaller than this share of the picture is not believed."""


def find_field_of_view(pictures: Sequence[np.ndarray]) -> Bool[np.ndarray, "h w"]:
    """Pixels inside the image circle, from several pictures of one view (h, w), any grey type.

    The brightest value that each pixel ever takes is compared with the range of the pictures; the
    convex hull of the largest bright part is the field of view (apertures and collimators are convex; a limb
    that always covers the edge must not cut into it). Where no plausible part is found
    (collimated to the frame, or a picture without contrast) every pixel counts.
    """
    brightest = np.maximum.reduce([np.asarray(picture, dtype=np.float32) for picture in pictures])
    low, high = np.percentile(brightest, [0.5, 99.5])
    if high <= low:
        return np.ones(brightest.shape, dtype=bool)
    bright = (brightest > low + _DARK_SHARE * (high - low)).astype(np.uint8)
    reach = max(3, round(max(brightest.shape) / 170)) | 1
    bright = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((reach, reach), dtype=np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    if count < 2:
        return np.ones(brightest.shape, dtype=bool)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[largest, cv2.CC_STAT_AREA] < _SMALLEST_SHARE * brightest.size:
        return np.ones(brightest.shape, dtype=bool)
    outline, _ = cv2.findContours((labels == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(brightest.shape, dtype=np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(outline[0]), 1)
    return filled.astype(bool)


def exclude_polygons(
    usable: Bool[np.ndarray, "h w"], polygons: Sequence[Sequence[tuple[float, float]]]
) -> Bool[np.ndarray, "h w"]:
    """The usable pixels less those inside polygons of (u, v) corners in pixels."""
    drawn = usable.astype(np.uint8)
    for polygon in polygons:
        corners = np.round(np.asarray(polygon, dtype=np.float64) * 16).astype(np.int32)
        cv2.fillPoly(drawn, [corners], 0, shift=4)
    return drawn.astype(bool)


def distance_to_edge_px(usable: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Distance of each usable pixel to the nearest unusable one; the picture's frame is no edge."""
    if usable.all():
        return np.full(usable.shape, np.float32(max(usable.shape)), dtype=np.float32)
    return np.asarray(cv2.distanceTransform(usable.astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32)
