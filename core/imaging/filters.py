"""Filters that help the eye, for display only: a registration never sees them."""

from functools import cache

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from core.imaging.window_level import grey_levels

_LEAST_SLOPE = 1e-3
"""Slopes below this are rounding; a Scharr step of one percent gives 0.16 and more."""

_BRIGHTEST_PERCENT = 99.5
"""Edges stronger than this share of all are shown white."""

_GAMMA = 0.6
"""Below one: bone beside soft tissue is seen besides metal beside air."""


def edge_picture(
    picture: np.ndarray, usable: Bool[np.ndarray, "h w"] | None = None, *, sigma_px: float = 1.5
) -> UInt8[np.ndarray, "h w"]:
    """Edges bright on black: gradient magnitude of the smoothed log picture (h, w), scaled to its own range.

    The logarithm makes an edge as bright behind metal as in the open. Pixels that are not usable, and their
    border, are black.

    Raises:
        ImageError: the picture is neither 8 nor 16 bit unsigned.
    """
    # A part of the range is added, so that the noise of almost black pixels is not blown up.
    logs = cv2.log(picture.astype(np.float32) + np.float32(grey_levels(picture.dtype) / 32))
    smooth = cv2.GaussianBlur(logs, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
    slope = cv2.magnitude(cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1))
    if usable is not None:
        reach = 2 * int(np.ceil(3.5 * sigma_px)) + 1
        inside = cv2.erode(
            usable.astype(np.uint8), np.ones((reach, reach), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        slope = np.where(inside > 0, slope, np.float32(0))
    thinned = slope[::2, ::2]
    strong = float(np.percentile(thinned[thinned > 0], _BRIGHTEST_PERCENT)) if (thinned > 0).any() else 0.0
    if strong <= _LEAST_SLOPE:
        return np.zeros(picture.shape, dtype=np.uint8)
    shown = cv2.convertScaleAbs(slope, alpha=255.0 / strong)
    return np.asarray(cv2.LUT(shown, _brightened()), dtype=np.uint8)


@cache
def _brightened() -> UInt8[np.ndarray, " levels"]:
    return np.round(255.0 * np.linspace(0.0, 1.0, 256) ** _GAMMA).astype(np.uint8)
