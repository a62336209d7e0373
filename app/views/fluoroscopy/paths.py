"""Arrays of points to Qt's paths in one go, without a Python call for each point."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from PySide6.QtCore import QByteArray, QDataStream, Qt
from PySide6.QtGui import QPainterPath

_ELEMENT = np.dtype([("kind", ">i4"), ("x", ">f8"), ("y", ">f8")])
_MOVE, _LINE = 0, 1
_LIMIT_PX = 1e7
"""Points further away than this are no use on any screen, and Qt's rasteriser cannot take them."""


def path_of_loops(loops_px: Sequence[Float[np.ndarray, "k 2"]]) -> QPainterPath:
    """Closed polygons as one path that fills where the winding is not zero."""
    loops = [loop for loop in loops_px if len(loop) > 1]
    if not loops:
        return QPainterPath()
    closed = np.concatenate([part for loop in loops for part in (loop, loop[:1])])
    begins = np.zeros(len(closed), dtype=bool)
    begins[np.cumsum([0] + [len(loop) + 1 for loop in loops[:-1]])] = True
    return _path(closed, begins, Qt.FillRule.WindingFill)


def path_of_segments(segments_px: Float[np.ndarray, "n 2 2"]) -> QPainterPath:
    """Line segments as one path; a segment that begins where the last one ended continues it."""
    count = len(segments_px)
    if count == 0:
        return QPainterPath()
    breaks = np.ones(count, dtype=bool)
    breaks[1:] = (segments_px[1:, 0] != segments_px[:-1, 1]).any(axis=1)
    kept = np.stack([breaks, np.ones(count, dtype=bool)], axis=1).ravel()
    begins = np.stack([breaks, np.zeros(count, dtype=bool)], axis=1).ravel()
    return _path(segments_px.reshape(-1, 2)[kept], begins[kept], Qt.FillRule.OddEvenFill)


def loops_of_segments(segments_px: Float[np.ndarray, "n 2 2"]) -> list[Float[np.ndarray, "k 2"]] | None:
    """The closed loops that consecutive segments form; None unless all of them close."""
    if len(segments_px) == 0:
        return []
    breaks = np.flatnonzero((segments_px[1:, 0] != segments_px[:-1, 1]).any(axis=1)) + 1
    begins, ends = np.append(0, breaks), np.append(breaks, len(segments_px)) - 1
    if (segments_px[begins, 0] != segments_px[ends, 1]).any():
        return None
    return np.split(segments_px[:, 0], breaks)


def _path(points: Float[np.ndarray, "n 2"], begins: Bool[np.ndarray, " n"], rule: Qt.FillRule) -> QPainterPath:
    """A path in the form in which Qt writes one to a stream: count, elements, last start, fill rule."""
    points = np.nan_to_num(points, nan=0.0, posinf=_LIMIT_PX, neginf=-_LIMIT_PX).clip(-_LIMIT_PX, _LIMIT_PX)
    elements = np.empty(len(points), dtype=_ELEMENT)
    elements["kind"] = np.where(begins, _MOVE, _LINE)
    elements["x"], elements["y"] = points[:, 0], points[:, 1]
    tail = np.array([int(np.flatnonzero(begins)[-1]), rule.value], dtype=">i4")
    data = QByteArray(np.array([len(points)], dtype=">i4").tobytes() + elements.tobytes() + tail.tobytes())
    stream = QDataStream(data)
    path = QPainterPath()
    stream >> path
    return path
