"""A fluoroscopy view with hands: zoom and pan, drags that move bodies, clicks, regions to leave out."""

from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.views.fluoroscopy.aim import body_to_move, body_under, clamped, clicked_body, pixel_under
from app.views.fluoroscopy.display import PictureDisplay
from app.views.fluoroscopy.hands import Hand, cursor_for, hand_for, hint_for
from app.views.fluoroscopy.hit_test import REACH
from app.views.fluoroscopy.labels import TitleBar
from app.views.fluoroscopy.pointing import KEYS, Answer, Pointing
from app.views.fluoroscopy.tool_tips import tool_tip
from app.views.fluoroscopy.values import BodyOverlay, ViewDrag

_DRAG_BEGINS = 2.5
"""Widget units that a press must move to become a drag."""
_LASSO_STEP = 4.0
"""Widget units between the corners of a line drawn by hand."""
_ZOOM_STEP = 1.2
_NOTCH = 120.0
_LABELS = 72
"""Height of the strip with the labels at the bottom."""


@final
@dataclass(slots=True)
class _Press:
    """A button that is down, and what its drag does."""

    hand: Hand
    button: Qt.MouseButton
    body: str
    start: QPointF
    last: QPointF
    start_px: tuple[float, float]
    now_px: tuple[float, float]
    window: tuple[float, float]
    moved: bool = False
    cancelled: bool = False

    def drag(self) -> ViewDrag | None:
        """What the drag has done to the body so far."""
        if self.hand.kind is None:
            return None
        return ViewDrag(kind=self.hand.kind, body=self.body, start_px=self.start_px, now_px=self.now_px)


@final
class FluoroscopyView(PictureDisplay):
    """One X-ray view that asks to be obeyed: it never changes a pose or a window itself.

    Signals:
        drag_started(ViewDrag), dragged(ViewDrag), drag_ended(ViewDrag), drag_cancelled(ViewDrag):
            a drag of a body; each tells the whole movement since the press.
        body_clicked(str): the body under a click, "" where there is none.
        cursor_moved((u, v) | None): the pixel under the cursor, None outside the picture.
        window_requested(float, float): low and high grey value.
        polygon_finished(tuple of (u, v)), polygon_cancelled(): the end of ``start_polygon``.
        region_finished(tuple of (u, v)): the end of ``start_region``.
        point_picked((u, v)), point_cancelled(): the end of ``start_picking``.
        maximise_requested(): the title was double-clicked.
        ray_step_requested(int): Ctrl + wheel, notches away from the user: away from the source.
    """

    drag_started = Signal(object)
    dragged = Signal(object)
    drag_ended = Signal(object)
    drag_cancelled = Signal(object)
    body_clicked = Signal(str)
    cursor_moved = Signal(object)
    window_requested = Signal(float, float)
    polygon_finished = Signal(object)
    polygon_cancelled = Signal()
    region_finished = Signal(object)
    point_picked = Signal(object)
    point_cancelled = Signal()
    maximise_requested = Signal()
    ray_step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._press: _Press | None = None
        self._pointing: Pointing | None = None
        self._space = False
        self._notches = 0.0
        self._at: QPointF | None = None

    # Asked for from outside

    def start_polygon(self) -> None:
        """Let the user outline a region by clicks or by hand; double-click or Enter ends, Esc cancels."""
        self._ask(Pointing(region=True))

    def start_region(self, body: str, colour: str) -> None:
        """The same around the shadow of a body, in its colour."""
        banner = f"Outline the shadow of {body}: click corners, or hold and draw   Enter: done   Esc: cancel"
        self._ask(Pointing(region=True, banner=banner, colour=colour))

    def start_picking(self, what: str = "Click a point   Esc: cancel") -> None:
        """Let the user click one point."""
        self._ask(Pointing(region=False, banner=what))

    @property
    def dragging(self) -> bool:
        """Whether a drag of a body is going on."""
        return self._press is not None and self._press.moved and self._press.hand.kind is not None

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin what the button does here."""
        if self._press is not None or self._picture.picture is None or self._in_title(event.position()):
            return
        at, bodies = event.position(), self._reachable()
        if self._pointing is not None and event.button() != Qt.MouseButton.MiddleButton and not self._space:
            pixel = clamped(self._picture.picture, self._viewport, at)
            self._answer(self._pointing.press(event.button(), pixel, 1.5 * REACH / self._viewport.zoom))
            return
        body = body_to_move(bodies, self._viewport, at)
        hand = hand_for(
            event.button(),
            event.modifiers(),
            space=self._space,
            on_body=body_under(bodies, self._viewport, at) is not None,
            any_body=body is not None,
        )
        pixel = self.picture_from_widget(at)
        self._press = _Press(
            hand, event.button(), body or "", at, at, pixel, pixel, self._picture.window, moved=hand is Hand.PAN
        )
        self._show_hand(event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with it, or tell what would happen here."""
        self._at = event.position()
        self._tell_cursor()
        press = self._press
        if self._pointing is not None and self._picture.picture is not None:
            here = clamped(self._picture.picture, self._viewport, event.position())
            if event.buttons() & Qt.MouseButton.LeftButton and press is None:
                self._pointing.drag(here, _LASSO_STEP / self._viewport.zoom)
            self._pointing.end = here
            self._show_pointing()
        if press is None:
            self._show_hand(event.modifiers())
        elif not press.cancelled:
            self._move(press, event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End it; a press that did not move is a click."""
        press = self._press
        if press is None and self._pointing is not None and event.button() == Qt.MouseButton.LeftButton:
            self._answer(self._pointing.release())
            return
        if press is None or event.button() != press.button:
            return
        if not press.cancelled:
            self._move(press, event.position())
            self._finish(press, event.position())
        self._press = None
        self._show_hand(event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On the title: larger. While a region is drawn: done. Else the second click is a press."""
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self._in_title(event.position()):
            self.maximise_requested.emit()
        elif left and self._pointing is not None:
            self._answer(self._pointing.end_here())
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor; with Ctrl steps along the ray."""
        turned = event.angleDelta().y() or event.angleDelta().x()
        event.accept()
        if self._picture.picture is None or turned == 0:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._step_along_ray(turned / _NOTCH)
        else:
            self.zoom_by(_ZOOM_STEP ** (turned / _NOTCH), event.position())
            self._tell_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        """The cursor is elsewhere."""
        self._at = None
        self._tell_cursor()
        self._set_hint("")
        super().leaveEvent(event)

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc, Enter, Backspace and Space while they mean something here, + and - to zoom."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            self._space = True
        elif key in {Qt.Key.Key_Plus, Qt.Key.Key_Minus}:
            self.zoom_by(_ZOOM_STEP if key == Qt.Key.Key_Plus else 1.0 / _ZOOM_STEP, self._at)
        elif not self._key_while_busy(key):
            super().keyPressEvent(event)
        self._show_hand(event.modifiers())

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space let go; the cursor follows the keys."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
        else:
            super().keyReleaseEvent(event)
        self._show_hand(event.modifiers())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The frame shows which view the keys act in."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keys held are forgotten."""
        self._space = False
        self.update()
        super().focusOutEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep keys from the window's shortcuts while they mean something here; tips; pinching."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if self._needs(Qt.Key(event.key())):
                event.accept()
                return True
        elif isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = tool_tip(QPointF(event.pos()), TitleBar.area(self.width()), self._plates, self._title.text)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        elif isinstance(event, QNativeGestureEvent) and (event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture):
            self.zoom_by(1.0 + event.value(), event.position())
            return True
        return super().event(event)

    # Drags

    def _move(self, press: _Press, at: QPointF) -> None:
        if at == press.last:
            return
        if not press.moved:
            if (at - press.start).manhattanLength() < _DRAG_BEGINS:
                return
            press.moved = True
            if press.hand.kind is not None:
                self.drag_started.emit(press.drag())
        step, press.last = at - press.last, at
        press.now_px = self.picture_from_widget(at)
        if press.hand is Hand.PAN:
            self.pan_by(step.x(), step.y())
        elif press.hand is Hand.WINDOW:
            self.window_requested.emit(*dragged_window(press.window, at - press.start))
        elif press.hand.kind is not None:
            self.dragged.emit(press.drag())

    def _finish(self, press: _Press, at: QPointF) -> None:
        if press.moved:
            if press.hand.kind is not None:
                self.drag_ended.emit(press.drag())
        elif press.button == Qt.MouseButton.LeftButton:
            self.body_clicked.emit(clicked_body(self._reachable(), self._viewport, at))

    def _cancel(self, press: _Press) -> None:
        press.cancelled = True
        if press.hand is Hand.WINDOW and press.moved:
            self.window_requested.emit(*press.window)
        elif press.moved and press.hand.kind is not None:
            self.drag_cancelled.emit(press.drag())

    def _step_along_ray(self, notches: float) -> None:
        """Fine wheels and touch pads send parts of a notch."""
        self._notches += notches
        whole = int(self._notches)
        if whole:
            self._notches -= whole
            self.ray_step_requested.emit(whole)

    # Asking for points

    def _ask(self, question: Pointing) -> None:
        self._pointing = question
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_hand(Qt.KeyboardModifier.NoModifier)
        self._show_pointing()

    def _answer(self, answer: Answer) -> None:
        asked = self._pointing
        if answer is not Answer.MORE and asked is not None:
            self._pointing = None
            self._show_hand(Qt.KeyboardModifier.NoModifier)
            if answer is Answer.CANCELLED:
                (self.polygon_cancelled if asked.is_region else self.point_cancelled).emit()
            elif asked.is_region:
                (self.region_finished if asked.colour else self.polygon_finished).emit(tuple(asked.corners))
            else:
                self.point_picked.emit(asked.corners[0])
        self._show_pointing()

    def _show_pointing(self) -> None:
        asked = self._pointing
        self._banner = "" if asked is None else asked.banner
        self._marks.drawing = tuple(asked.corners) if asked is not None and asked.is_region else None
        self._marks.drawing_to = None if asked is None else asked.end
        self._marks.drawing_colour = "" if asked is None else asked.colour
        self._marks.drawing_by_hand = asked is not None and asked.is_lasso
        self.update()

    def _needs(self, key: Qt.Key) -> bool:
        if key == Qt.Key.Key_Escape and self._press is not None and not self._press.cancelled:
            return True
        return key == Qt.Key.Key_Space or (self._pointing is not None and key in KEYS)

    def _key_while_busy(self, key: Qt.Key) -> bool:
        if not self._needs(key):
            return False
        if key == Qt.Key.Key_Escape and self._press is not None:
            self._cancel(self._press)
        elif self._pointing is not None:
            self._answer(self._pointing.key(key))
        return True

    # What is where

    def _in_title(self, at: QPointF) -> bool:
        return TitleBar.area(self.width()).contains(at)

    def _reachable(self) -> tuple[BodyOverlay, ...]:
        return () if self._overlays.hidden else self._overlays.overlays

    def _show_hand(self, keys: Qt.KeyboardModifier) -> None:
        """Cursor and hint for where the mouse is and which keys are held."""
        if self._pointing is not None:
            self.setCursor(Qt.CursorShape.CrossCursor)
            return
        if self._press is not None:
            self.setCursor(cursor_for(self._press.hand, pressed=True))
            return
        if self._at is None or self._picture.picture is None or self._in_title(self._at):
            self.unsetCursor()
            self._set_hint("")
            return
        bodies = self._reachable()
        under = body_under(bodies, self._viewport, self._at)
        body = body_to_move(bodies, self._viewport, self._at)
        left = Qt.MouseButton.LeftButton
        hand = hand_for(left, keys, space=self._space, on_body=under is not None, any_body=body is not None)
        self.setCursor(cursor_for(hand, pressed=False))
        self._set_hint(hint_for(keys, body, on_body=under is not None))

    def _set_hint(self, hint: str) -> None:
        if hint != self._title.hint:
            self._title.hint = hint
            self.update(TitleBar.area(self.width()).toAlignedRect())

    def _tell_cursor(self) -> None:
        """The pixel under the cursor and its grey value, here and to others."""
        pixel, readout = None, ""
        if self._at is not None and self._picture.picture is not None and not self._in_title(self._at):
            pixel, readout = pixel_under(self._picture.picture, self._viewport, self._at) or (None, "")
        if pixel is not None or self._readout:
            self.cursor_moved.emit(pixel)
        if readout != self._readout:
            self._readout = readout
            self.update(0, self.height() - _LABELS, self.width(), _LABELS)


def dragged_window(window: tuple[float, float], moved: QPointF) -> tuple[float, float]:
    """The window after a drag: to the right wider (less contrast), up brighter."""
    width, level = window[1] - window[0], 0.5 * (window[0] + window[1])
    wider = max(width * 2.0 ** (moved.x() / 150.0), 1.0)
    level += moved.y() / 300.0 * width
    return level - 0.5 * wider, level + 0.5 * wider
