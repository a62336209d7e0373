"""What colours mean everywhere: planes, bodies, and the state of a frame (a colour and a shape)."""

from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from app.views.panels.theme import Theme

PLANE_NAMES = ("A", "B")
_PLANES = {True: ("#6cacff", "#ffb02e"), False: ("#1c62c4", "#8a5600")}
PLANE_COLOURS = _PLANES[True]
"""On pictures and dark ground: A blue, B amber."""

BODY_COLOURS = ("#009e73", "#cc79a7", "#f0e442", "#d55e00", "#56b4e9", "#e69f00", "#0072b2")
"""Okabe and Ito's colours, those that resemble no plane first."""


def plane_colour(index: int, theme: Theme | None = None) -> str:
    """The colour of plane A (0) or B (1); with a theme, readable as text on its window."""
    return _PLANES[True if theme is None else theme.dark][index % 2]


def body_colour(index: int) -> str:
    """The colour of the body at a position of the study."""
    return BODY_COLOURS[index % len(BODY_COLOURS)]


class FrameState(Enum):
    """Where a body stands in a frame; the value is its name elsewhere in the program."""

    UNTOUCHED = "untouched"
    MANUAL = "manual"
    IMPORTED = "imported"
    AUTO = "auto"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PROPOSED = "proposed"
    DOUBTFUL = "doubtful"
    FAILED = "failed"
    UNSURE = "unsure"

    @property
    def label(self) -> str:
        """For people."""
        return _LABELS[self]


_LABELS = {
    FrameState.UNTOUCHED: "no pose yet",
    FrameState.MANUAL: "placed by hand",
    FrameState.IMPORTED: "imported",
    FrameState.AUTO: "automatic, not looked at",
    FrameState.ACCEPTED: "accepted",
    FrameState.REJECTED: "rejected",
    FrameState.PROPOSED: "proposal waits",
    FrameState.DOUBTFUL: "proposal in doubt",
    FrameState.FAILED: "registration failed",
    FrameState.UNSURE: "automatic, in doubt by its risk",
}
_URGENCY = (
    FrameState.UNTOUCHED,
    FrameState.ACCEPTED,
    FrameState.MANUAL,
    FrameState.IMPORTED,
    FrameState.AUTO,
    FrameState.PROPOSED,
    FrameState.REJECTED,
    FrameState.UNSURE,
    FrameState.DOUBTFUL,
    FrameState.FAILED,
)
URGENCY = {state: rank for rank, state in enumerate(_URGENCY)}
"""Which state wins where one pixel stands for several frames."""
HEIGHTS = {
    FrameState.UNTOUCHED: 0.12,
    FrameState.ACCEPTED: 1.0,
    FrameState.MANUAL: 0.85,
    FrameState.IMPORTED: 0.7,
    FrameState.AUTO: 0.55,
    FrameState.PROPOSED: 0.4,
    FrameState.REJECTED: 0.3,
    FrameState.DOUBTFUL: 0.3,
    FrameState.FAILED: 0.3,
    FrameState.UNSURE: 0.45,
}
"""Bar heights that replace the shapes where there is no room for them."""


def state_colour(state: FrameState, theme: Theme) -> str:
    """The colour of a state in a theme."""
    return {
        FrameState.UNTOUCHED: theme.faint,
        FrameState.MANUAL: theme.text,
        FrameState.IMPORTED: theme.muted,
        FrameState.AUTO: theme.muted,
        FrameState.ACCEPTED: theme.good,
        FrameState.REJECTED: theme.bad,
        FrameState.PROPOSED: QColor(theme.accent).lighter(135).name() if theme.dark else theme.accent,
        FrameState.DOUBTFUL: theme.caution,
        FrameState.FAILED: theme.bad,
        FrameState.UNSURE: theme.caution,
    }[state]


def paint_state(painter: QPainter, state: FrameState, centre: QPointF, size: float, theme: Theme) -> None:
    """Draw the shape of a state: dot, square, ring, diamonds, disc, cross, triangles, crossed square."""
    colour, half = QColor(state_colour(state, theme)), size / 2
    box = QRectF(centre.x() - half, centre.y() - half, size, size)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, max(1.2, size / 7), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(colour)
    _SHAPES[state](painter, box)
    painter.restore()


def state_pixmap(state: FrameState, theme: Theme, room: int, ratio: float, size: float) -> QPixmap:
    """The shape of a state in the middle of a square."""
    pixmap = QPixmap(QSize(round(room * ratio), round(room * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_state(painter, state, QPointF(room / 2, room / 2), size, theme)
    painter.end()
    return pixmap


def state_icon(state: FrameState, theme: Theme, size: int = 16, ratio: float = 2.0) -> QIcon:
    """The shape of a state as an icon."""
    return QIcon(state_pixmap(state, theme, size, ratio, size * 0.6))


def swatch(colour: str, size: int = 12, ratio: float = 2.0) -> QIcon:
    """A small rounded square of a body's colour."""
    pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(colour))
    painter.setPen(QPen(QColor(colour).darker(140), 1))
    painter.drawRoundedRect(QRectF(0.5, 0.5, size - 1, size - 1), 3, 3)
    painter.end()
    made = QIcon(pixmap)
    made.addPixmap(pixmap, QIcon.Mode.Selected)
    return made


def _dot(painter: QPainter, box: QRectF) -> None:
    painter.drawEllipse(box.center(), box.width() / 8, box.width() / 8)


def _square(painter: QPainter, box: QRectF) -> None:
    painter.drawRect(box.adjusted(1, 1, -1, -1))


def _disc(painter: QPainter, box: QRectF) -> None:
    painter.drawEllipse(box)


def _ring(painter: QPainter, box: QRectF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(box.adjusted(1, 1, -1, -1))


def _diamond(painter: QPainter, box: QRectF) -> None:
    middle = box.center()
    top, bottom = QPointF(middle.x(), box.top()), QPointF(middle.x(), box.bottom())
    painter.drawPolygon([top, QPointF(box.right(), middle.y()), bottom, QPointF(box.left(), middle.y())])


def _cross(painter: QPainter, box: QRectF) -> None:
    inner = box.adjusted(1, 1, -1, -1)
    painter.drawLine(inner.topLeft(), inner.bottomRight())
    painter.drawLine(inner.topRight(), inner.bottomLeft())


def _triangle(painter: QPainter, box: QRectF) -> None:
    painter.drawPolygon([QPointF(box.center().x(), box.top()), box.bottomRight(), box.bottomLeft()])


def _open_triangle(painter: QPainter, box: QRectF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _triangle(painter, box)
    middle = box.center().x()
    painter.drawLine(QPointF(middle, box.top() + box.height() * 0.42), QPointF(middle, box.bottom() - 3))


def _open_diamond(painter: QPainter, box: QRectF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _diamond(painter, box)
    middle = box.center()
    painter.drawLine(QPointF(middle.x(), middle.y() - 1.5), QPointF(middle.x(), middle.y() + 1.5))


def _crossed_square(painter: QPainter, box: QRectF) -> None:
    path = QPainterPath()
    path.addRect(box)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    _cross(painter, box)


_SHAPES = {
    FrameState.UNTOUCHED: _dot,
    FrameState.MANUAL: _square,
    FrameState.IMPORTED: _ring,
    FrameState.AUTO: _diamond,
    FrameState.ACCEPTED: _disc,
    FrameState.REJECTED: _cross,
    FrameState.PROPOSED: _triangle,
    FrameState.DOUBTFUL: _open_triangle,
    FrameState.FAILED: _crossed_square,
    FrameState.UNSURE: _open_diamond,
}
