"""A simulated X-ray as a tinted picture: thin material lets the picture through, thick covers it."""

from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8, UInt32
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage

from app.views.fluoroscopy.values import BodyOverlay

_MOST_COVERED = 0.85
_WHITENED = 0.55
"""How far thick parts run towards white, so that inner structure is seen besides the outline."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class Tinted:
    """An image, and where it lies on the picture: outer edges in pixels, (0, 0) the picture's outer corner."""

    image: QImage
    outer_px: QRectF


def tinted_xray(overlay: BodyOverlay, picture_width_px: int) -> Tinted | None:
    """The body's X-ray cut to its shadow; None where there is nothing to see."""
    millimetres = overlay.xray
    if millimetres is None or millimetres.size == 0:
        return None
    scale = overlay.xray_scale or picture_width_px / millimetres.shape[1]
    left, top, right, bottom = _cut(overlay, millimetres, scale)
    part = millimetres[top:bottom, left:right]
    thickest = float(part.max(initial=0.0))
    if thickest <= 0.0:
        return None
    grey: UInt8[np.ndarray, "h w"] = cv2.convertScaleAbs(np.maximum(part, 0.0), alpha=255.0 / thickest)
    argb = np.ascontiguousarray(tints(overlay.colour, overlay.opacity)[grey])
    height, width = argb.shape
    image = QImage(argb.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
    column, row = overlay.xray_origin_px
    return Tinted(image, QRectF(column + scale * left, row + scale * top, scale * width, scale * height))


def tints(colour: str, opacity: float) -> UInt32[np.ndarray, " levels"]:
    """Premultiplied ARGB for each of 256 steps of thickness."""
    share = np.linspace(0.0, 1.0, 256)
    alpha = _MOST_COVERED * min(max(opacity, 0.0), 1.0) * (1.0 - np.exp(-2.5 * share)) / (1.0 - np.exp(-2.5))
    parsed = QColor(colour)
    base = np.array([parsed.red(), parsed.green(), parsed.blue()], dtype=np.float64)
    rgb = base + (255.0 - base) * (_WHITENED * share[:, None] ** 2)
    channels = np.round(np.column_stack([255.0 * alpha, rgb * alpha[:, None]])).astype(np.uint32)
    return np.asarray(channels @ np.array([1 << 24, 1 << 16, 1 << 8, 1], dtype=np.uint32), dtype=np.uint32)


def _cut(overlay: BodyOverlay, millimetres: Float32[np.ndarray, "h w"], scale: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the X-ray's part about the shadow, in its own pixels."""
    height, width = millimetres.shape
    if not len(overlay.outline_path_px):
        return 0, 0, width, height
    corners = np.concatenate(list(overlay.outline_path_px))
    low = (corners.min(axis=0) + 0.5 - overlay.xray_origin_px) / scale - 2.0
    high = (corners.max(axis=0) + 0.5 - overlay.xray_origin_px) / scale + 2.0
    left, right = np.clip([low[0], high[0]], 0, width).astype(int)
    top, bottom = np.clip([low[1], high[1]], 0, height).astype(int)
    return int(left), int(top), int(right), int(bottom)
