"""A fluoroscopy view with a picture, two bodies, and hands that send real events."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.views.fluoroscopy import BodyOverlay, FluoroscopyView, OverlayStyle

NONE = Qt.KeyboardModifier.NoModifier
LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton


def polygon_overlay(name: str, corners: np.ndarray, **looks) -> BodyOverlay:
    corners = np.asarray(corners, dtype=float)
    segments = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    given = {"colour": "#56b4e9", "segments_px": segments, "outline_path_px": (corners,)} | looks
    return BodyOverlay(name=name, **given)


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


class Hands:
    """Sends the events that a window system would."""

    def __init__(self, view: FluoroscopyView) -> None:
        self.view = view
        self.down = Qt.MouseButton.NoButton

    def at(self, u: float, v: float) -> QPointF:
        return self.view.widget_from_picture((u, v))

    def _send(self, kind: QEvent.Type, point: QPointF, button: Qt.MouseButton, keys: Qt.KeyboardModifier) -> None:
        event = QMouseEvent(kind, point, QPointF(self.view.mapToGlobal(point)), button, self.down, keys)
        QApplication.sendEvent(self.view, event)

    def press(self, point: QPointF, button=LEFT, keys=NONE) -> None:
        self.down = button
        self._send(QEvent.Type.MouseButtonPress, point, button, keys)

    def move(self, point: QPointF, keys=NONE) -> None:
        self._send(QEvent.Type.MouseMove, point, Qt.MouseButton.NoButton, keys)

    def release(self, point: QPointF, button=LEFT, keys=NONE) -> None:
        self.down = Qt.MouseButton.NoButton
        self._send(QEvent.Type.MouseButtonRelease, point, button, keys)

    def double_click(self, point: QPointF) -> None:
        self.press(point)
        self.release(point)
        self.down = LEFT
        self._send(QEvent.Type.MouseButtonDblClick, point, LEFT, NONE)
        self.release(point)

    def click(self, point: QPointF, button=LEFT, keys=NONE) -> None:
        self.press(point, button, keys)
        self.release(point, button, keys)

    def drag(self, points: list[QPointF], button=LEFT, keys=NONE) -> None:
        self.press(points[0], button, keys)
        for point in points[1:]:
            self.move(point, keys)
        self.release(points[-1], button, keys)

    def wheel(self, point: QPointF, turned: int, keys=NONE) -> None:
        event = QWheelEvent(
            point,
            QPointF(self.view.mapToGlobal(point)),
            QPoint(),
            QPoint(0, turned),
            Qt.MouseButton.NoButton,
            keys,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self.view, event)

    def key(self, key: Qt.Key, keys=NONE, *, up: bool = True) -> None:
        QApplication.sendEvent(self.view, QKeyEvent(QEvent.Type.KeyPress, key, keys))
        if up:
            self.key_up(key)

    def key_up(self, key: Qt.Key) -> None:
        QApplication.sendEvent(self.view, QKeyEvent(QEvent.Type.KeyRelease, key, NONE))

    def wants(self, key: Qt.Key) -> bool:
        """Whether the view keeps a key from the window's shortcuts."""
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, NONE)
        event.ignore()
        QApplication.sendEvent(self.view, event)
        return event.isAccepted()


@pytest.fixture
def picture() -> np.ndarray:
    generator = np.random.default_rng(0)
    v, u = np.mgrid[:300, :400]
    return (8000 + 60 * u + 40 * v + generator.integers(0, 500, (300, 400))).astype(np.uint16)


@pytest.fixture
def view(qtbot, picture) -> FluoroscopyView:
    """400 x 300 pixels; the femur is selected, the tibia overlaps it."""
    made = FluoroscopyView()
    qtbot.addWidget(made)
    made.resize(640, 520)
    made.set_title("A", "#4c9be8")
    made.set_picture(picture)
    made.set_window(8000, 44000)
    made.set_overlays(
        [
            polygon_overlay("femur", box(100, 60, 220, 160), selected=True),
            polygon_overlay("tibia", box(180, 140, 300, 260), style=OverlayStyle.FILL, colour="#e69f00"),
        ]
    )
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def hands(view) -> Hands:
    return Hands(view)
