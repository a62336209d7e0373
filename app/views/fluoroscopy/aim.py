"""What the cursor points at: a body, a pixel, a grey value."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF

from app.views.fluoroscopy.hit_test import REACH, body_at, grabbed_body
from app.views.fluoroscopy.values import BodyOverlay
from app.views.fluoroscopy.viewport import Viewport


def clicked_body(overlays: Sequence[BodyOverlay], viewport: Viewport, at: QPointF) -> str:
    """The body that a click means, "" where there is none."""
    return body_at(overlays, viewport.to_picture(at), REACH / viewport.zoom) or ""


def body_under(overlays: Sequence[BodyOverlay], viewport: Viewport, at: QPointF) -> str | None:
    """The body that a drag takes hold of here."""
    return grabbed_body(overlays, viewport.to_picture(at), REACH / viewport.zoom)


def body_to_move(overlays: Sequence[BodyOverlay], viewport: Viewport, at: QPointF) -> str | None:
    """The body under the cursor, else the selected one: turns and depth work from anywhere."""
    selected = next((overlay.name for overlay in overlays if overlay.selected), None)
    return body_under(overlays, viewport, at) or selected


def clamped(picture: np.ndarray, viewport: Viewport, at: QPointF) -> tuple[float, float]:
    """The pixel under a point, on the picture's outer border if the point lies outside."""
    (u, v), (height, width) = viewport.to_picture(at), picture.shape
    return min(max(u, -0.5), width - 0.5), min(max(v, -0.5), height - 0.5)


def pixel_under(picture: np.ndarray, viewport: Viewport, at: QPointF) -> tuple[tuple[float, float], str] | None:
    """The pixel under a point and what to say about it; None beside the picture."""
    u, v = viewport.to_picture(at)
    column, row = round(u), round(v)
    if not (0 <= column < picture.shape[1] and 0 <= row < picture.shape[0]):
        return None
    return (u, v), f"x {u:.1f}  y {v:.1f}   grey {picture[row, column]}"
