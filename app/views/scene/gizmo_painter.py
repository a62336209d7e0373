"""Draws the gizmo over the scene with QPainter: sharp at every pixel ratio, and cheap to highlight."""

import numpy as np
from jaxtyping import Bool, Float
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app.views.scene.colours import AXIS_COLOURS, HOVER_COLOUR
from app.views.scene.gizmo_geometry import CENTRE_PX, Handle, HandleShape

LINE_PX = 3.0
HOT_LINE_PX = 4.5
HEAD_PX = 15.0
HALO = QColor(0, 0, 0, 110)
SCREEN_COLOUR = "#e8eaee"


def paint_gizmo(painter: QPainter, shapes: tuple[HandleShape, ...], hot: Handle | None, grabbed: Handle | None) -> None:
    """Draw the handles; while one is grabbed only that one stays solid.

    Args:
        painter: open on the widget, in logical pixels.
        shapes: the handles as they appear.
        hot: the handle under the cursor.
        grabbed: the handle being dragged.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for shape in sorted(shapes, key=lambda one: one.nearness):
        if shape.strength <= 0.0 or not np.isfinite(shape.points_px).all():
            continue
        lit = shape.handle is (grabbed or hot)
        colour = QColor(HOVER_COLOUR if lit else _colour(shape.handle))
        faded = grabbed is not None and not lit
        colour.setAlphaF(shape.strength * (0.25 if faded else 1.0))
        _paint_handle(painter, shape, colour, HOT_LINE_PX if lit else LINE_PX)
    painter.restore()


def _colour(handle: Handle) -> str:
    return SCREEN_COLOUR if handle.axis is None else AXIS_COLOURS[handle.axis]


def _paint_handle(painter: QPainter, shape: HandleShape, colour: QColor, width: float) -> None:
    if shape.handle is Handle.MOVE_SCREEN:
        _paint_centre(painter, shape, colour)
    elif shape.handle.turns:
        _paint_ring(painter, shape, colour, width)
    else:
        _paint_arrow(painter, shape, colour, width)


def _paint_centre(painter: QPainter, shape: HandleShape, colour: QColor) -> None:
    centre = QPointF(*shape.points_px[0])
    fill = QColor(colour)
    fill.setAlphaF(0.35 * colour.alphaF())
    painter.setBrush(fill)
    painter.setPen(QPen(_halo(colour), 4.0))
    painter.drawEllipse(centre, CENTRE_PX, CENTRE_PX)
    painter.setPen(QPen(colour, 2.0))
    painter.drawEllipse(centre, CENTRE_PX, CENTRE_PX)


def _paint_ring(painter: QPainter, shape: HandleShape, colour: QColor, width: float) -> None:
    if shape.handle is Handle.TURN_SCREEN:
        width -= 1.2
    far = QColor(colour)
    far.setAlphaF(0.28 * colour.alphaF())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen, front in (
        (QPen(far, 1.4), False),
        (QPen(_halo(colour), width + 2.0), True),
        (QPen(colour, width), True),
    ):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for run in _runs(shape.points_px, shape.front if front else ~shape.front):
            painter.drawPolyline(run)


def _paint_arrow(painter: QPainter, shape: HandleShape, colour: QColor, width: float) -> None:
    start, tip = shape.points_px[0], shape.points_px[-1]
    along = tip - start
    length = float(np.linalg.norm(along))
    if length < 2.0:
        return
    along = along / length
    across = np.array([-along[1], along[0]])
    head = min(HEAD_PX, 0.6 * length)
    neck = tip - along * head
    wings = (neck + across * head * 0.42, neck - across * head * 0.42)
    triangle = QPolygonF([QPointF(*tip), QPointF(*wings[0]), QPointF(*wings[1])])
    for pen, fill in ((QPen(_halo(colour), width + 2.0), _halo(colour)), (QPen(colour, width), colour)):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(*start), QPointF(*(neck + along)))
        painter.setBrush(fill)
        painter.setPen(QPen(fill, 2.0) if fill is not colour else Qt.PenStyle.NoPen)
        painter.drawPolygon(triangle)


def _halo(colour: QColor) -> QColor:
    halo = QColor(HALO)
    halo.setAlphaF(HALO.alphaF() * colour.alphaF())
    return halo


def _runs(points: Float[np.ndarray, "n 2"], keep: Bool[np.ndarray, " n"]) -> list[QPolygonF]:
    """Stretches of a polyline of which every segment has at least one kept end."""
    segments = keep[:-1] | keep[1:]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], segments, [False]]).astype(np.int8)))
    return [QPolygonF([QPointF(x, y) for x, y in points[first : last + 1]]) for first, last in edges.reshape(-1, 2)]


def paint_readout(painter: QPainter, words: str, at: QPointF, bounds: QRectF) -> None:
    """A small label beside the cursor with what the drag has done so far."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    metrics = painter.fontMetrics()
    box = QRectF(0, 0, metrics.horizontalAdvance(words) + 14, metrics.height() + 6)
    box.moveTopLeft(at + QPointF(18, 14))
    box.moveRight(min(box.right(), bounds.right() - 4))
    box.moveBottom(min(box.bottom(), bounds.bottom() - 4))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 190))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor("#ffffff"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()


def paint_note(painter: QPainter, words: str, bounds: QRectF) -> None:
    """A line on a dark plate in the upper left corner; nothing where there are no words."""
    if not words:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(int(bounds.width()) - 30, 0))
    box = QRectF(8, 8, metrics.horizontalAdvance(shown) + 14, metrics.height() + 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 175))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor("#f0f2f5"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)
    painter.restore()
