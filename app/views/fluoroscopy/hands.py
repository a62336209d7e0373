"""What a mouse button does with which keys held, and the cursor that tells it before one presses."""

from enum import Enum
from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QCursor, QPainter, QPainterPath, QPen, QPixmap

from app.views.fluoroscopy.values import DragKind

_SIDE = 32


class Hand(Enum):
    """What a drag does."""

    NOTHING = "nothing"
    MOVE = DragKind.IN_PLANE
    DEPTH = DragKind.ALONG_RAY
    TURN = DragKind.TURN
    ROLL = DragKind.ROLL
    PAN = "pan"
    WINDOW = "window and level"

    @property
    def kind(self) -> DragKind | None:
        """What it does to a body, if it does something to one."""
        return self.value if isinstance(self.value, DragKind) else None


def hand_for(button: Qt.MouseButton, keys: Qt.KeyboardModifier, *, space: bool, on_body: bool, any_body: bool) -> Hand:
    """What a drag with a button and keys would do.

    ``on_body``: the cursor is over a body; ``any_body``: there is one, under the cursor or selected.
    """
    if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and space):
        return Hand.PAN
    if button == Qt.MouseButton.LeftButton:
        if keys & Qt.KeyboardModifier.AltModifier:
            return Hand.DEPTH if any_body else Hand.NOTHING
        return Hand.MOVE if on_body else Hand.NOTHING
    if button == Qt.MouseButton.RightButton:
        if keys & Qt.KeyboardModifier.ControlModifier:
            return Hand.WINDOW
        rolls = bool(keys & Qt.KeyboardModifier.ShiftModifier)
        return (Hand.ROLL if rolls else Hand.TURN) if any_body else Hand.NOTHING
    return Hand.NOTHING


def hint_for(keys: Qt.KeyboardModifier, body: str | None, *, on_body: bool) -> str:
    """What the mouse does here, in a few words."""
    if keys & Qt.KeyboardModifier.ControlModifier:
        return "wheel: along the ray   right drag: window and level"
    if body is None:
        return "wheel: zoom   middle drag: pan"
    if keys & Qt.KeyboardModifier.AltModifier:
        return f"drag: move {body} along the ray"
    if keys & Qt.KeyboardModifier.ShiftModifier:
        return f"right drag: roll {body} about the ray"
    if on_body:
        return f"{body}   drag: move   right drag: turn   Alt: depth   Shift: roll"
    return f"right drag: turn {body}   wheel: zoom   middle drag: pan"


def cursor_for(hand: Hand, *, pressed: bool) -> QCursor:
    """The cursor of a hand."""
    if hand is Hand.PAN:
        return QCursor(Qt.CursorShape.ClosedHandCursor if pressed else Qt.CursorShape.OpenHandCursor)
    if hand is Hand.MOVE:
        return QCursor(Qt.CursorShape.SizeAllCursor)
    if hand is Hand.NOTHING:
        return QCursor(Qt.CursorShape.ArrowCursor)
    return QCursor(_drawn(hand), _SIDE // 2, _SIDE // 2)


@cache
def _drawn(hand: Hand) -> QPixmap:
    """A cursor for what Qt has none: depth, turn, roll, window."""
    pixmap = QPixmap(2 * _SIDE, 2 * _SIDE)
    pixmap.setDevicePixelRatio(2.0)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0, 220), 4.4), (QColor(255, 255, 255), 1.9)):
        pen = QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(_SHAPES[hand](), pen)
    painter.end()
    return pixmap


def _depth_shape() -> QPainterPath:
    """Two squares, one behind the other, and an arrow between their corners."""
    path = QPainterPath()
    path.addRect(QRectF(5, 15, 12, 12))
    path.addRect(QRectF(19, 6, 7, 7))
    path.moveTo(14, 18)
    path.lineTo(20.5, 11.5)
    return path


def _turn_shape() -> QPainterPath:
    """Arrows round two axes."""
    path = QPainterPath()
    path.arcMoveTo(QRectF(4, 10, 24, 12), 200)
    path.arcTo(QRectF(4, 10, 24, 12), 200, 250)
    _head(path, QPointF(21.5, 10.6), QPointF(-5.0, -1.6), QPointF(-2.2, 4.2))
    path.arcMoveTo(QRectF(10, 4, 12, 24), -70)
    path.arcTo(QRectF(10, 4, 12, 24), -70, 250)
    _head(path, QPointF(10.0, 17.5), QPointF(-3.6, -3.8), QPointF(4.2, -2.8))
    return path


def _roll_shape() -> QPainterPath:
    """An arrow round a point."""
    path = QPainterPath()
    path.arcMoveTo(QRectF(6, 6, 20, 20), 60)
    path.arcTo(QRectF(6, 6, 20, 20), 60, 285)
    _head(path, QPointF(24.4, 21.2), QPointF(-0.6, -6.2), QPointF(-5.4, 1.0))
    path.addEllipse(QPointF(16, 16), 1.2, 1.2)
    return path


def _window_shape() -> QPainterPath:
    """A disc of which half is bright."""
    path = QPainterPath()
    path.addEllipse(QPointF(16, 16), 9, 9)
    for x in (16.0, 19.0, 22.0):
        half = max(81.0 - (x - 16.0) ** 2, 0.0) ** 0.5
        path.moveTo(x, 16 - half)
        path.lineTo(x, 16 + half)
    return path


def _head(path: QPainterPath, tip: QPointF, one: QPointF, other: QPointF) -> None:
    path.moveTo(tip + one)
    path.lineTo(tip)
    path.lineTo(tip + other)


_SHAPES = {
    Hand.DEPTH: _depth_shape,
    Hand.TURN: _turn_shape,
    Hand.ROLL: _roll_shape,
    Hand.WINDOW: _window_shape,
}
