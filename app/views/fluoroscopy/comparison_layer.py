"""What the model and the picture do not share, drawn over the picture: what is left, and edges beside outlines."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt32
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QLinearGradient, QPainter, QPainterPath, QPen, QTransform

from app.views.fluoroscopy.labels import draw_plate
from app.views.fluoroscopy.paths import path_of_segments
from app.views.fluoroscopy.viewport import Viewport

LIMIT_MM = 1.0
"""Edges this far from the outline, or farther, have the end colours."""
_BELOW, _ABOVE = QColor("#3d8bfd"), QColor("#ff8c1a")
_MIDDLE_OF_PICTURE, _MIDDLE_OF_LINE = QColor(128, 128, 128), QColor(255, 255, 255)
_NO_EDGE = QColor(150, 150, 150, 170)
_BINS = 15
_BAR = (120.0, 10.0)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """Seen minus predicted, of a part of the picture."""

    values: Float32[np.ndarray, "h w"]
    """Natural logarithms of intensity; above 0: seen brighter than predicted."""
    usable: Bool[np.ndarray, "h w"]
    left_px: int
    top_px: int
    factor: int
    """Picture pixels a side of each value."""

    @cached_property
    def limit(self) -> float:
        """Values with the end colours: a round number that few pixels exceed."""
        inside = np.abs(self.values[self.usable])
        most = float(np.percentile(inside, 99.0)) if inside.size else 0.1
        return next((step for step in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0) if step >= most), 5.0)

    @cached_property
    def image(self) -> QImage:
        """In colours: middle grey at 0; clear where nothing is usable."""
        level = np.clip(np.round(127.5 + 127.5 * self.values / self.limit), 0, 255).astype(np.uint8)
        argb = np.where(self.usable, _levels(_MIDDLE_OF_PICTURE)[level], np.uint32(0))
        argb = np.ascontiguousarray(argb, dtype=np.uint32)
        height, width = argb.shape
        return QImage(argb.data, width, height, 4 * width, QImage.Format.Format_ARGB32).copy()


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EdgeLine:
    """Pieces of an outline with the distance of the picture's edge from each."""

    segments_px: Float[np.ndarray, "n 2 2"]
    distance_mm: Float[np.ndarray, " n"]
    """Outward positive; NaN where no edge is within reach."""
    px_per_mm: float

    @cached_property
    def paths(self) -> tuple[tuple[QColor, QPainterPath], ...]:
        """One path a colour, those without an edge first."""
        known = np.isfinite(self.distance_mm)
        share = np.clip(np.where(known, self.distance_mm, 0.0) / LIMIT_MM, -1.0, 1.0)
        bins = np.round((share + 1.0) * 0.5 * (_BINS - 1)).astype(int)
        found = [(_NO_EDGE, self.segments_px[~known])]
        found += [
            (colour_of(2.0 * at / (_BINS - 1) - 1.0), self.segments_px[known & (bins == at)]) for at in range(_BINS)
        ]
        return tuple((colour, path_of_segments(segments)) for colour, segments in found if len(segments))


@final
class ComparisonLayer:
    """Either, both or none of the two."""

    def __init__(self) -> None:
        self.difference: Difference | None = None
        self.lines: tuple[EdgeLine, ...] = ()

    def draw_picture(self, painter: QPainter, viewport: Viewport) -> None:
        """What is left, in place of the picture, around the bodies."""
        if self.difference is None:
            return
        part = self.difference
        height, width = part.values.shape
        target = QRectF(
            viewport.left + viewport.zoom * part.left_px,
            viewport.top + viewport.zoom * part.top_px,
            viewport.zoom * part.factor * width,
            viewport.zoom * part.factor * height,
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, part.image, QRectF(part.image.rect()))
        painter.setPen(QPen(QColor(255, 255, 255, 90), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(target)

    def draw_lines(self, painter: QPainter, transform: QTransform) -> None:
        """The coloured outlines, over everything."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for line in self.lines:
            mapped = [(colour, transform.map(path)) for colour, path in line.paths]
            for _, path in mapped:
                painter.strokePath(path, QPen(QColor(0, 0, 0, 170), 5.0))
            for colour, path in mapped:
                painter.strokePath(path, QPen(colour, 3.0))

    def draw_legends(self, painter: QPainter, area: QRectF) -> float:
        """What the colours mean, in the upper left corner; returns the height used."""
        used = 0.0
        if self.difference is not None:
            limit = self.difference.limit
            words = ("Seen minus predicted, ln of intensity", f"{-limit:+g} darker", f"brighter {limit:+g}")
            used += _legend(painter, area.adjusted(0, used, 0, 0), words, _MIDDLE_OF_PICTURE)
        if self.lines:
            pixels = LIMIT_MM * float(np.nanmedian([line.px_per_mm for line in self.lines]))
            reach = f"± {LIMIT_MM:g} mm" + (f" = {pixels:.1f} px" if np.isfinite(pixels) else "")
            words = (f"Edge beside the outline, {reach}; grey: none", "inside", "outside")
            used += _legend(painter, area.adjusted(0, used, 0, 0), words, _MIDDLE_OF_LINE)
        return used


def colour_of(share: float) -> QColor:
    """The colour of a distance, -1 (inside) .. 1 (outside) of the limit; white at 0."""
    end, part = (_ABOVE if share > 0 else _BELOW), abs(share)
    mixed = [round((1 - part) * 255 + part * value) for value in (end.red(), end.green(), end.blue())]
    return QColor(*mixed)


def _levels(middle: QColor) -> UInt32[np.ndarray, "256"]:
    stops = np.array([[c.red(), c.green(), c.blue()] for c in (_BELOW, middle, _ABOVE)], dtype=np.float64)
    at = np.linspace(-1.0, 1.0, 256)
    rgb = np.stack([np.interp(at, [-1.0, 0.0, 1.0], stops[:, k]) for k in range(3)], axis=-1).round().astype(np.uint32)
    return np.asarray((255 << 24) | (rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2], dtype=np.uint32)


def _legend(painter: QPainter, area: QRectF, words: Sequence[str], middle: QColor) -> float:
    """Title above a bar of colours between its ends; returns the height with the gap below it."""
    title, low, high = words
    metrics = QFontMetricsF(painter.font())
    line, room = metrics.height(), area.width() - 32.0
    title = metrics.elidedText(title, Qt.TextElideMode.ElideRight, room)
    ends = metrics.horizontalAdvance(low) + metrics.horizontalAdvance(high) + 16.0
    long = min(_BAR[0], max(room - ends, 0.0))
    wide, high_px = max(metrics.horizontalAdvance(title), ends + long), 2.0 * line + 10.0
    plate = QRectF(area.left() + 8.0, area.top() + 8.0, wide + 16.0, high_px)
    draw_plate(painter, plate)
    inner = plate.adjusted(8.0, 4.0, -8.0, -4.0)
    left = Qt.AlignmentFlag.AlignLeft
    row = QRectF(inner.left(), inner.top() + line + 2.0, inner.width(), line)
    painter.setPen(QColor(240, 242, 245))
    painter.drawText(QRectF(inner.left(), inner.top(), inner.width(), line), left, title)
    painter.drawText(row, left, low)
    begin = row.left() + metrics.horizontalAdvance(low) + 8.0
    painter.drawText(row.adjusted(begin + long + 8.0 - row.left(), 0.0, 0.0, 0.0), left, high)
    bar = QRectF(begin, row.top() + 0.5 * (line - _BAR[1]), long, _BAR[1])
    colours = QLinearGradient(QPointF(bar.left(), 0.0), QPointF(bar.right(), 0.0))
    for share, colour in ((0.0, _BELOW), (0.5, middle), (1.0, _ABOVE)):
        colours.setColorAt(share, colour)
    painter.fillRect(bar, colours)
    return high_px + 6.0
