"""The widget in which the scene is painted, and the hands on it: orbit, pan, zoom, gizmo, click."""

from typing import final

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.views.scene.colours import BACKGROUNDS, TEXT
from app.views.scene.content import SceneContent
from app.views.scene.drawn import DrawnScene
from app.views.scene.gizmo_hands import GizmoHands
from app.views.scene.gizmo_painter import paint_gizmo, paint_readout
from app.views.scene.navigation import Gesture, Navigation
from app.views.scene.values import GizmoMotion
from app.views.scene.viewpoint import Viewpoint

SETTLE_MS = 180
"""Rest after which the scene is drawn again at full quality."""
CLICK_PX = 4.0
EMPTY_HINT = "The rig and the bodies appear here once a trial is open"


@final
class SceneCanvas(QWidget):
    """Paints the newest picture of the scene and turns mouse and keys into signals."""

    gizmo_drag_started = Signal(str)
    gizmo_dragged = Signal(object)
    gizmo_drag_ended = Signal(object)
    gizmo_drag_cancelled = Signal(str)
    body_clicked = Signal(str)

    def __init__(self, content: SceneContent, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(120, 90)
        self._content = content
        self.drawn = DrawnScene(content)
        self.navigation = Navigation(content)
        self.gizmo = GizmoHands()
        self._stale, self._moving = True, False
        self._pressed: QPointF | None = None
        self._cursor: QPointF | None = None
        self._gesture: Gesture | None = None
        self._motion: GizmoMotion | None = None
        self._next = QTimer(self, singleShot=True)
        self._next.timeout.connect(self.update)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._come_to_rest)
        self._smooth = QTimer(self, singleShot=True)
        self._smooth.timeout.connect(self._refine)

    # Drawing

    def refresh(self, *, moving: bool) -> None:
        """The scene has changed: draw it soon, once, however often this is called."""
        self._stale = True
        if moving:
            self._moving = True
            self._settle.start()
        if not self._next.isActive():
            self._next.start(round(self.drawn.pacing.wait_ms()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the scene when it is due, then the gizmo over it."""
        late = self._stale and (self.drawn.image is None or self.drawn.pacing.wait_ms() <= 1.0)
        if late and self.drawn.draw(self._viewpoint(), self._size(), self.devicePixelRatioF(), moving=self._moving):
            self._stale = False
            if not self._moving:
                self._smooth.start(round(self.drawn.pacing.wait_ms()))
        elif self._stale and self.drawn.problem is None and not self._next.isActive():
            self._next.start(round(self.drawn.pacing.wait_ms()))
        painter = QPainter(self)
        if self.drawn.problem is not None or self.drawn.image is None:
            self._paint_message(painter, self.drawn.problem or "")
        else:
            self._paint_scene(painter)
        painter.end()

    def _paint_scene(self, painter: QPainter) -> None:
        if self.drawn.image is None:
            return
        if self.drawn.image.size() == self.size() * self.devicePixelRatioF():
            painter.drawImage(0, 0, self.drawn.image)
        else:
            painter.drawImage(QRectF(self.rect()), self.drawn.image)
        if self._content.is_empty:
            self._paint_words(painter, EMPTY_HINT)
        shapes = self.gizmo.shapes(self._shown(), self._size())
        paint_gizmo(painter, shapes, self.gizmo.hot, self.gizmo.grabbed)
        if self._motion is not None and self._cursor is not None:
            words = self.gizmo.readout(self._motion)
            paint_readout(painter, words, self._cursor, QRectF(self.rect()))

    def _paint_message(self, painter: QPainter, words: str) -> None:
        painter.fillRect(self.rect(), QColor(BACKGROUNDS[self._content.dark][0]))
        self._paint_words(painter, words)

    def _paint_words(self, painter: QPainter, words: str) -> None:
        painter.setPen(QColor(TEXT[self._content.dark]))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, words)

    def _come_to_rest(self) -> None:
        if self.gizmo.grabbed is not None or self._gesture is not None:
            self._settle.start()
            return
        self._moving = False
        self.refresh(moving=False)

    def _refine(self) -> None:
        """Nothing moved since the last picture: smooth it a little more."""
        if self._stale or self._moving or not self.isVisible():
            return
        if self.drawn.refine(self.devicePixelRatioF()):
            self._smooth.start(round(self.drawn.pacing.wait_ms()))
        self.update()

    def _size(self) -> tuple[int, int]:
        return max(1, self.width()), max(1, self.height())

    def _viewpoint(self) -> Viewpoint:
        return self.navigation.viewpoint(self._size())

    def _shown(self) -> Viewpoint:
        """The viewpoint of the picture on the screen, which may be a moment behind the newest."""
        return self.drawn.viewpoint or self._viewpoint()

    # Hands

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab a handle, or begin to orbit (left) or pan (middle, or left with Shift)."""
        if self._pressed is not None:
            return
        left = event.button() is Qt.MouseButton.LeftButton
        if not left and event.button() is not Qt.MouseButton.MiddleButton:
            event.ignore()
            return
        self._pressed = self._cursor = event.position()
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        body = self.gizmo.press(_px(event.position()), self._shown(), self._size()) if left else None
        if body is not None:
            self._gesture = None
            self.gizmo_drag_started.emit(body)
        else:
            self._gesture = "orbit" if left and not shifted else "pan"
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the handle or move the camera; without a button, light up what would be grabbed."""
        before, self._cursor = self._cursor, event.position()
        now = _px(event.position())
        motion = self.gizmo.move(now)
        if motion is not None:
            self._motion = motion
            self.gizmo_dragged.emit(motion)
            self.update()
        elif self._pressed is not None and before is not None and self._gesture is not None:
            self._drag_camera(_px(before), now)
        elif self.gizmo.hover(now, self._shown(), self._size()):
            self.setCursor(Qt.CursorShape.ArrowCursor if self.gizmo.hot is None else Qt.CursorShape.OpenHandCursor)
            self.update()

    def _drag_camera(self, before: Float[np.ndarray, "2"], now: Float[np.ndarray, "2"]) -> None:
        if self._pressed is not None and not self._moving:
            # a click with a trembling hand does not move the camera
            if float(np.linalg.norm(now - _px(self._pressed))) < CLICK_PX:
                return
            before = _px(self._pressed)
        move = self.navigation.orbit if self._gesture == "orbit" else self.navigation.pan
        move(before, now, self._size())
        self.refresh(moving=True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag; a press without a move is a click on a body."""
        pressed, self._pressed = self._pressed, None
        gesture, self._gesture = self._gesture, None
        if pressed is None:
            return
        if self.gizmo.grabbed is not None:
            motion = self.gizmo.move(_px(event.position()))
            self.gizmo.let_go()
            self._motion = None
            self.gizmo_drag_ended.emit(motion)
        elif gesture == "orbit" and float(np.linalg.norm(_px(event.position() - pressed))) < CLICK_PX:
            self._click(_px(event.position()))
        self.refresh(moving=False)

    def _click(self, at: Float[np.ndarray, "2"]) -> None:
        viewpoint = self._shown()
        found = self._content.body_at(viewpoint.eye_mm, viewpoint.ray(at, self._size()))
        if found is not None:
            self.body_clicked.emit(found[0])

    def cancel_drag(self) -> bool:
        """Take a gizmo drag back; returns whether there was one."""
        nothing = self.gizmo.let_go()
        if nothing is None:
            return False
        self._pressed, self._motion = None, None
        self.gizmo_dragged.emit(nothing)
        self.gizmo_drag_cancelled.emit(nothing.body)
        self.refresh(moving=False)
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor; not in the middle of a drag."""
        if self._pressed is None and event.angleDelta().y() != 0:
            notches = event.angleDelta().y() / 120.0
            self.navigation.zoom(notches, _px(event.position()), self._size())
            self.refresh(moving=True)
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Keep Esc for the drag while there is one, before any shortcut of the window takes it."""
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and self.gizmo.grabbed is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc takes a drag back; all else is the window's."""
        if event.key() == Qt.Key.Key_Escape and self.cancel_drag():
            event.accept()
            return
        super().keyPressEvent(event)

    def leaveEvent(self, _event: QEvent) -> None:
        """No handle is hot without a cursor."""
        if self.gizmo.hover(None, self._shown(), self._size()):
            self.update()

    def hideEvent(self, event: QHideEvent) -> None:
        """A view that goes away in the middle of a drag takes it back."""
        self.cancel_drag()
        self._pressed = self._gesture = None
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Frame again what a preset framed."""
        self.navigation.refit()
        self.refresh(moving=self.drawn.image is not None)
        super().resizeEvent(event)


def _px(point: QPointF) -> Float[np.ndarray, "2"]:
    return np.array([point.x(), point.y()])
