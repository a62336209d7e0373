"""Words over the picture: the title in the plane's colour, the corners, what to do when there is no picture."""

from typing import final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPalette, QPen

TITLE_HEIGHT = 26.0
_MARGIN = 8.0
_PLATE = QColor(8, 9, 10, 175)
_TEXT = QColor(240, 242, 245)
_FAINT = QColor(196, 201, 208)


def tabular(font: QFont, *, bold: bool = False, larger: float = 0.0) -> QFont:
    """The font with figures of equal width."""
    changed = QFont(font)
    changed.setFeature(QFont.Tag("tnum"), 1)
    changed.setBold(bold)
    if larger and font.pointSizeF() > 0:
        changed.setPointSizeF(font.pointSizeF() + larger)
    return changed


def surround(palette: QPalette) -> QColor:
    """The grey around the picture: near black in the dark theme, so that pictures are what is brightest."""
    dark = palette.color(QPalette.ColorRole.Window).lightness() < 128
    return QColor(17, 18, 19) if dark else QColor(203, 206, 210)


@final
class TitleBar:
    """The strip above the picture: the plane's colour, its name, and what the mouse does here."""

    def __init__(self) -> None:
        self.text = ""
        self.colour = QColor(140, 140, 140)
        self.hint = ""

    @staticmethod
    def area(width: float) -> QRectF:
        """Where the strip is in a widget of this width."""
        return QRectF(0.0, 0.0, width, TITLE_HEIGHT)

    def draw(self, painter: QPainter, width: float, palette: QPalette, font: QFont, *, active: bool) -> None:
        """Draw the strip."""
        strip = self.area(width)
        painter.fillRect(strip, palette.color(QPalette.ColorRole.Window))
        painter.fillRect(QRectF(0.0, 0.0, 6.0, TITLE_HEIGHT), self.colour)
        painter.fillRect(QRectF(0.0, TITLE_HEIGHT - 2.0, width, 2.0), self.colour if active else _halved(self.colour))
        title = tabular(font, bold=True)
        inner = strip.adjusted(14.0, 0.0, -_MARGIN, -2.0)
        painter.setFont(title)
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text)
        used = QFontMetricsF(title).horizontalAdvance(self.text) + 20.0
        rest = inner.adjusted(used, 0.0, 0.0, 0.0)
        if self.hint and rest.width() > 60.0:
            painter.setFont(font)
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            shown = QFontMetricsF(font).elidedText(self.hint, Qt.TextElideMode.ElideRight, rest.width())
            painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, shown)


def draw_frame(painter: QPainter, area: QRectF, colour: QColor, *, active: bool) -> None:
    """The thin frame in the plane's colour around the picture area."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(colour if active else _halved(colour), 2.0 if active else 1.0)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    half = 0.5 * pen.widthF()
    painter.drawRect(area.adjusted(half, half, -half, -half))


def draw_corner(
    painter: QPainter,
    area: QRectF,
    text: str,
    font: QFont,
    corner: Qt.Corner,
    *,
    faint: bool = False,
    offset: float = 0.0,
) -> QRectF:
    """Text on a dark plate in a corner, ``offset`` away from it vertically; where it is drawn."""
    if not text:
        return QRectF()
    metrics = QFontMetricsF(font)
    room = max(area.width() - 2 * _MARGIN - 12.0, 0.0)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    width, height = metrics.horizontalAdvance(shown) + 12.0, metrics.height() + 6.0
    right = corner in {Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner}
    bottom = corner in {Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner}
    x = area.right() - _MARGIN - width if right else area.left() + _MARGIN
    y = area.bottom() - _MARGIN - height - offset if bottom else area.top() + _MARGIN + offset
    plate = QRectF(x, y, width, height)
    draw_plate(painter, plate)
    painter.setFont(font)
    painter.setPen(_FAINT if faint else _TEXT)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, shown)
    return plate


def draw_plate(painter: QPainter, plate: QRectF) -> None:
    """A dark rounded ground under words."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 4.0, 4.0)


def draw_empty(painter: QPainter, area: QRectF, text: str, palette: QPalette, font: QFont) -> None:
    """What to do next, in the middle of an empty view."""
    room = area.adjusted(24.0, 24.0, -24.0, -24.0)
    painter.setFont(tabular(font, larger=1.0))
    dark = surround(palette).lightness() < 128
    painter.setPen(QColor(176, 181, 189) if dark else QColor(60, 64, 70))
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)


def draw_banner(painter: QPainter, area: QRectF, text: str, font: QFont) -> None:
    """What the view is waiting for, at its top."""
    metrics = QFontMetricsF(font)
    width = min(metrics.horizontalAdvance(text) + 20.0, area.width() - 2 * _MARGIN)
    plate = QRectF(area.center().x() - 0.5 * width, area.top() + _MARGIN, width, metrics.height() + 10.0)
    draw_plate(painter, plate)
    painter.setFont(font)
    painter.setPen(_TEXT)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width - 16.0)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, shown)


def magnifying(zoom: float) -> str:
    """A zoom as a text, as exact as it matters."""
    return f"{100 * zoom:.0f} %" if zoom < 10 else f"{zoom:.0f} ×"


def window_text(low: float, high: float) -> str:
    """Window width and level."""
    return f"W {high - low:.0f}  L {0.5 * (low + high):.0f}"


def _halved(colour: QColor) -> QColor:
    dimmed = QColor(colour)
    dimmed.setAlphaF(0.55)
    return dimmed
