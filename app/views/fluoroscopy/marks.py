"""Marks over the picture: epipolar line, cursor of elsewhere, pivot, excluded regions and the one being drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from app.views.fluoroscopy.values import RegionMark
from app.views.fluoroscopy.viewport import Viewport

Pixel = tuple[float, float]
Polygon = tuple[Pixel, ...]

_LINE = QColor(255, 255, 255, 210)
_HALO = QColor(0, 0, 0, 130)
_HATCH = QColor(255, 120, 90, 130)
_BORDER = QColor(255, 140, 110, 230)
_FAR = 20000.0
"""Lines are cut to this many widget units about the widget before Qt draws them."""


@final
@dataclass
class Marks:
    """What is marked, in pixels of the picture."""

    epipolar: tuple[Pixel, Pixel] | None = None
    epipolar_colour: QColor | None = None
    cursor: Pixel | None = None
    pivot: Pixel | None = None
    excluded: tuple[Polygon, ...] = ()
    regions: tuple[RegionMark, ...] = ()
    drawing: tuple[Pixel, ...] | None = None
    drawing_to: Pixel | None = None
    drawing_colour: str = ""
    """Of the body whose shadow is drawn; empty for a region to be left out."""
    drawing_by_hand: bool = False

    def draw_regions(self, painter: QPainter, viewport: Viewport) -> None:
        """Excluded regions, under the bodies."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for polygon in self.excluded:
            corners = QPolygonF([viewport.to_widget(u, v) for u, v in polygon])
            painter.setPen(QPen(_BORDER, 1.2, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(corners)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_hatch())
            painter.drawPolygon(corners)
        for region in self.regions:
            _draw_region(painter, viewport, region)

    def draw_points(self, painter: QPainter, viewport: Viewport) -> None:
        """Lines and points, over the bodies."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.epipolar is not None:
            self._draw_epipolar(painter, viewport)
        if self.cursor is not None:
            _draw_twice(painter, _cross(viewport.to_widget(*self.cursor), 4.0, 11.0))
        if self.pivot is not None:
            self._draw_pivot(painter, viewport.to_widget(*self.pivot))
        if self.drawing is not None:
            self._draw_drawing(painter, viewport)

    def _draw_epipolar(self, painter: QPainter, viewport: Viewport) -> None:
        assert self.epipolar is not None
        cut = cut_line(*(viewport.to_widget(*end) for end in self.epipolar))
        if cut is not None:
            painter.setPen(QPen(_HALO, 3.0))
            painter.drawLine(*cut)
            painter.setPen(QPen(self.epipolar_colour or _LINE, 1.2))
            painter.drawLine(*cut)

    @staticmethod
    def _draw_pivot(painter: QPainter, at: QPointF) -> None:
        for colour, width in ((_HALO, 3.2), (QColor(255, 255, 255), 1.4)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(at, 4.5, 4.5)
            for start, end in _cross(at, 4.5, 9.0):
                painter.drawLine(start, end)

    def _draw_drawing(self, painter: QPainter, viewport: Viewport) -> None:
        assert self.drawing is not None
        ends = (*self.drawing, self.drawing_to) if self.drawing_to is not None else self.drawing
        corners = [viewport.to_widget(u, v) for u, v in ends]
        line = QColor(self.drawing_colour) if self.drawing_colour else _BORDER
        if len(corners) >= 3:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_tinted(line) if self.drawing_colour else _hatch())
            painter.drawPolygon(QPolygonF(corners))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((_HALO, 3.4), (line, 1.6)):
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(QPolygonF(corners))
        painter.setPen(QPen(QColor(0, 0, 0), 1.0))
        painter.setBrush(QColor(255, 255, 255))
        for u, v in self.drawing[:1] if self.drawing_by_hand else self.drawing:
            painter.drawEllipse(viewport.to_widget(u, v), 3.5, 3.5)


def cut_line(start: QPointF, end: QPointF) -> tuple[QPointF, QPointF] | None:
    """The part of a segment within reach of the screen (Liang & Barsky 1984); None where there is none."""
    a, b = np.array([start.x(), start.y()]), np.array([end.x(), end.y()])
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    along, first, last = b - a, 0.0, 1.0
    for axis in (0, 1):
        if along[axis] == 0.0:
            if abs(a[axis]) > _FAR:
                return None
            continue
        one, other = sorted(((-_FAR - a[axis]) / along[axis], (_FAR - a[axis]) / along[axis]))
        first, last = max(first, one), min(last, other)
    if first > last:
        return None
    return QPointF(*(a + first * along)), QPointF(*(a + last * along))


def _draw_region(painter: QPainter, viewport: Viewport, region: RegionMark) -> None:
    """The outline of a body's shadow as a person drew it: dashed, in the body's colour, with its name."""
    corners = QPolygonF([viewport.to_widget(u, v) for u, v in region.corners_px])
    colour = QColor(region.colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_tinted(colour))
    painter.drawPolygon(corners)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_HALO, 3.2))
    painter.drawPolygon(corners)
    dashed = QPen(colour, 1.6)
    dashed.setDashPattern([5.0, 3.5])
    painter.setPen(dashed)
    painter.drawPolygon(corners)
    box = corners.boundingRect()
    metrics = QFontMetricsF(painter.font())
    wide, high = metrics.horizontalAdvance(region.name) + 12.0, metrics.height() + 4.0
    plate = QRectF(box.left(), box.top() - high - 3.0, wide, high)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(8, 9, 10, 175))
    painter.drawRoundedRect(plate, 4.0, 4.0)
    painter.setPen(colour)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, region.name)


def _tinted(colour: QColor) -> QBrush:
    tint = QColor(colour)
    tint.setAlpha(34)
    return QBrush(tint)


def _hatch() -> QBrush:
    return QBrush(_HATCH, Qt.BrushStyle.BDiagPattern)


def _cross(at: QPointF, inner: float, outer: float) -> Sequence[tuple[QPointF, QPointF]]:
    ways = [QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1)]
    return [(at + way * inner, at + way * outer) for way in ways]


def _draw_twice(painter: QPainter, lines: Sequence[tuple[QPointF, QPointF]]) -> None:
    for colour, width in ((_HALO, 3.2), (_LINE, 1.4)):
        painter.setPen(QPen(colour, width))
        for start, end in lines:
            painter.drawLine(start, end)
