"""The painted strip of the timeline: lanes of states, the score curves, the current frame; scrub with the mouse."""

from collections.abc import Iterable, Sequence
from typing import final

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.views.panels.strip_painting import Lane, Layout, paint_strip
from app.views.panels.theme import tabular, theme_of

__all__ = ["FrameStrip", "Lane"]

_NOTCH = 120
_EMPTY = "No frames yet: add a trial with pictures, and every frame appears here."


@final
class FrameStrip(QWidget):
    """All frames on one line; thousands cost as much as ten, for what rests is painted once.

    Signals:
        frame_requested(int): the number of the frame under the mouse, or the next one by the wheel.
    """

    frame_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames: tuple[int, ...] = ()
        self._places: dict[int, int] = {}
        self._lanes: tuple[Lane, ...] = ()
        self._place: int | None = None
        self._asked: int | None = None
        self._gate: float | None = None
        self._working: frozenset[int] = frozenset()
        self._turned = 0
        self._rested: QPixmap | None = None
        self.setFont(tabular(self.font()))
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("frames")

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self._frames)

    @property
    def place(self) -> int | None:
        """Index of the current frame."""
        return self._place

    def sizeHint(self) -> QSize:
        """Room for two lanes and a curve."""
        return QSize(640, 96)

    def minimumSizeHint(self) -> QSize:
        """Lanes and a small curve."""
        return QSize(240, 64)

    def set_frames(self, frames: Sequence[int]) -> None:
        """Other frame numbers, in order; lanes and the current frame go."""
        self._frames = tuple(frames)
        self._places = {frame: index for index, frame in enumerate(self._frames)}
        self._lanes, self._place, self._working = (), None, frozenset()
        self._repaint_all()

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """States and scores, one entry a frame; lanes of another length are refused.

        Raises:
            ValueError: a lane has not as many entries as there are frames.
        """
        for lane in lanes:
            if len(lane.states) != self.count or (len(lane.scores) not in {0, self.count}):
                raise ValueError(f"lane {lane.name!r} has {len(lane.states)} states for {self.count} frames")
        self._lanes = tuple(lanes)
        self._repaint_all()

    def set_current(self, frame: int | None) -> None:
        """The frame that is shown."""
        self._place = None if frame is None else self._places.get(frame)
        self._asked = None
        self.update()

    def set_gate(self, score: float | None) -> None:
        """A dashed line at a score."""
        if score != self._gate:
            self._gate = score
            self._repaint_all()

    def set_working(self, frames: Iterable[int]) -> None:
        """Frames that a job has before it."""
        self._working = frozenset(frames)
        self._repaint_all()

    def nearest(self, number: int) -> int | None:
        """The existing frame number closest to a number."""
        return min(self._frames, key=lambda frame: abs(frame - number), default=None)

    def layout_now(self) -> Layout:
        """Where things are painted."""
        return Layout.of(self.width(), self.height(), self.count, len(self._lanes), self.fontMetrics())

    def place_at(self, x: float) -> int | None:
        """Index of the frame at a position."""
        return self.layout_now().place_at(x) if self._frames else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame under the mouse."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._ask(self.place_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(self.place_at(event.position().x()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A notch down is the next frame, a notch up the previous one."""
        self._turned += event.angleDelta().y() or event.angleDelta().x()
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        start = self._asked if self._asked is not None else self._place
        if notches and start is not None:
            self._ask(min(max(start - notches, 0), self.count - 1))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Say what stands under the mouse."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self.place_at(event.pos().x())
            QToolTip.showText(event.globalPos(), "" if place is None else self.describe(place), self)
            return True
        return bool(super().event(event))

    def describe(self, place: int) -> str:
        """What there is to say about a frame."""
        lines = [f"frame {self._frames[place]} ({place + 1} of {self.count})"]
        for lane in self._lanes:
            score = lane.scores[place] if len(lane.scores) else float("nan")
            risk = lane.risks[place] if len(lane.risks) else float("nan")
            told = "" if np.isnan(score) else f", score {score:.2f}"
            told += "" if np.isnan(risk) else f", risk {100 * risk:.0f} %"
            lines.append(f"{lane.name}: {lane.states[place].label}{told}")
        return "\n".join(lines)

    def changeEvent(self, event: QEvent) -> None:
        """Paint anew in another theme or font."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._repaint_all()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """What rests from the cache, then the current frame."""
        painter = QPainter(self)
        if not self._frames:
            painter.setPen(QColor(theme_of(self).muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, _EMPTY)
            return
        painter.drawPixmap(0, 0, self._resting())
        if self._place is not None:
            self._paint_current(painter, self._place)

    def _resting(self) -> QPixmap:
        size, ratio = self.size(), self.devicePixelRatioF()
        wanted = QSize(round(size.width() * ratio), round(size.height() * ratio))
        if self._rested is None or self._rested.size() != wanted:
            pixmap = QPixmap(wanted)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            painter.setFont(self.font())
            working = [self._places[frame] for frame in self._working if frame in self._places]
            paint_strip(painter, self.layout_now(), self._frames, self._lanes, self._gate, working, theme_of(self))
            painter.end()
            self._rested = pixmap
        return self._rested

    def _paint_current(self, painter: QPainter, place: int) -> None:
        theme, layout = theme_of(self), self.layout_now()
        x = layout.x_of(place)
        accent = QColor(theme.accent)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.text), 1.5))
        painter.drawLine(QPointF(x, layout.top), QPointF(x, layout.axis_top))
        text = str(self._frames[place])
        font = QFont(self.font())
        font.setBold(True)
        painter.setFont(font)
        wide = painter.fontMetrics().horizontalAdvance(text) + 10
        left = min(max(x - wide / 2, layout.left), layout.right - wide)
        box = QRectF(left, layout.axis_top, wide, layout.bottom - layout.axis_top)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor(theme.accent_text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _ask(self, place: int | None) -> None:
        if place is not None and place not in {self._asked, self._place if self._asked is None else None}:
            self._asked = place
            self.frame_requested.emit(self._frames[place])

    def _repaint_all(self) -> None:
        self._rested = None
        self.update()
