"""Which body is under the cursor: the nearest outline within reach, else the topmost shadow."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from app.views.fluoroscopy.values import BodyOverlay, OverlayStyle

REACH = 7.0
"""Widget units around an outline that count as on it."""


def body_at(overlays: Sequence[BodyOverlay], point_px: tuple[float, float], reach_px: float) -> str | None:
    """The body that a click means; later overlays lie on top of earlier ones.

    ``reach_px`` is the half width of the outline's hit area in pixels of the picture.
    """
    visible = [overlay for overlay in overlays if overlay.style is not OverlayStyle.OFF]
    distances = [(distance_to_segments(overlay.segments_px, point_px), overlay) for overlay in reversed(visible)]
    near = [found for found in distances if found[0] <= reach_px]
    if near:
        return min(near, key=lambda found: found[0])[1].name
    return next((body.name for body in reversed(visible) if covers(body.outline_path_px, point_px)), None)


def is_on(overlay: BodyOverlay, point_px: tuple[float, float], reach_px: float) -> bool:
    """Whether a point lies on a body's outline or in its shadow."""
    if overlay.style is OverlayStyle.OFF:
        return False
    near = distance_to_segments(overlay.segments_px, point_px) <= reach_px
    return near or covers(overlay.outline_path_px, point_px)


def grabbed_body(overlays: Sequence[BodyOverlay], point_px: tuple[float, float], reach_px: float) -> str | None:
    """The body that a drag from here moves: the selected one if it is here at all, else the one clicked."""
    for overlay in overlays:
        if overlay.selected and is_on(overlay, point_px, reach_px):
            return overlay.name
    return body_at(overlays, point_px, reach_px)


def distance_to_segments(segments_px: Float[np.ndarray, "n 2 2"], point_px: tuple[float, float]) -> float:
    """Smallest distance from a point to any of the segments; infinite without segments."""
    if len(segments_px) == 0:
        return float("inf")
    start = segments_px[:, 0]
    along = segments_px[:, 1] - start
    to_point = np.asarray(point_px) - start
    length = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip((to_point * along).sum(axis=1) / length, 0.0, 1.0)
    away = to_point - share[:, None] * along
    return float(np.sqrt((away**2).sum(axis=1).min()))


def covers(loops_px: Sequence[Float[np.ndarray, "k 2"]], point_px: tuple[float, float]) -> bool:
    """Whether the winding number of closed loops about a point is not zero."""
    return winding_number(loops_px, point_px) != 0


def winding_number(loops_px: Sequence[Float[np.ndarray, "k 2"]], point_px: tuple[float, float]) -> int:
    """How often closed loops go round a point (signed crossings of the ray to its right)."""
    if not len(loops_px):
        return 0
    x, y = point_px
    start = np.concatenate(loops_px)
    end = np.concatenate([np.roll(loop, -1, axis=0) for loop in loops_px])
    below, onward = start[:, 1] <= y, end[:, 1] <= y
    crossing = np.flatnonzero(below != onward)
    a, b = start[crossing], end[crossing]
    at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    way = np.where(below[crossing], 1, -1)
    return int(way[at > x].sum())
