"""The scene's widget with the hands on it: orbit, pan, zoom, gizmo, click."""

from typing import final

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.views.scene.content import SceneContent
from app.views.scene.gizmo_hands import GizmoHands
from app.views.scene.gizmo_painter import paint_gizmo, paint_note, paint_readout
from app.views.scene.navigation import Gesture
from app.views.scene.surface import SceneSurface
from app.views.scene.values import GizmoMotion

CLICK_PX = 4.0
"""A press that moves less than this is a click."""


@final
class SceneCanvas(SceneSurface):
    """Turns mouse and keys on the scene into camera moves and signals."""

    gizmo_drag_started = Signal(str)
    gizmo_dragged = Signal(object)
    gizmo_drag_ended = Signal(object)
    gizmo_drag_cancelled = Signal(str)
    body_clicked = Signal(str)

    def __init__(self, content: SceneContent, parent: QWidget | None = None) -> None:
        super().__init__(content, parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.gizmo = GizmoHands()
        self._pressed: QPointF | None = None
        self._cursor: QPointF | None = None
        self._gesture: Gesture | None = None
        self._underway = False
        self._motion: GizmoMotion | None = None
        self._note = ""

    def set_note(self, words: str) -> None:
        """What is to be known about what is drawn, at the top; nothing where empty."""
        if words != self._note:
            self._note = words
            self.update()

    def paint_over(self, painter: QPainter) -> None:
        """The gizmo, and beside the cursor what a drag has done so far."""
        shapes = self.gizmo.shapes(self._shown(), self._size())
        paint_gizmo(painter, shapes, self.gizmo.hot, self.gizmo.grabbed)
        paint_note(painter, self._note, QRectF(self.rect()))
        if self._motion is not None and self._cursor is not None:
            words = self.gizmo.readout(self._motion)
            paint_readout(painter, words, self._cursor, QRectF(self.rect()))

    def in_hand(self) -> bool:
        """Whether a handle or the camera is being dragged."""
        return self._pressed is not None

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
        if not self._underway and self._pressed is not None:
            # a click with a trembling hand does not move the camera
            before = _px(self._pressed)
            if float(np.linalg.norm(now - before)) < CLICK_PX:
                return
        self._underway = True
        move = self.navigation.orbit if self._gesture == "orbit" else self.navigation.pan
        move(before, now, self._size())
        self.refresh(moving=True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag; a press without a move is a click on a body."""
        pressed, self._pressed = self._pressed, None
        gesture, self._gesture = self._gesture, None
        underway, self._underway = self._underway, False
        if pressed is None:
            return
        if self.gizmo.grabbed is not None:
            motion = self.gizmo.move(_px(event.position()))
            self.gizmo.let_go()
            self._motion = None
            self.gizmo_drag_ended.emit(motion)
        elif gesture == "orbit" and not underway:
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
        self._pressed, self._gesture, self._underway = None, None, False
        super().hideEvent(event)


def _px(point: QPointF) -> Float[np.ndarray, "2"]:
    return np.array([point.x(), point.y()])
