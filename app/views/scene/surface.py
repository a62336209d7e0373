"""The widget's drawing half: asks for the newest picture when it is due, smooths it at rest, paints it."""

from abc import abstractmethod

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.views.scene.colours import BACKGROUNDS, TEXT
from app.views.scene.content import SceneContent
from app.views.scene.drawn import DrawnScene
from app.views.scene.navigation import Navigation
from app.views.scene.viewpoint import Viewpoint

SETTLE_MS = 180
"""Rest after which the scene is drawn again at full quality."""
EMPTY_HINT = "The rig and the bodies appear here once a trial is open"


class SceneSurface(QWidget):
    """Shows the scene; what is painted over it and whether a hand is on it is the subclass' matter."""

    def __init__(self, content: SceneContent, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(120, 90)
        self._content = content
        self.drawn = DrawnScene(content)
        self.navigation = Navigation(content)
        self._stale, self._moving = True, False
        self._next = QTimer(self)
        self._next.timeout.connect(self.update)
        self._settle = QTimer(self)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._come_to_rest)
        self._smooth = QTimer(self)
        self._smooth.timeout.connect(self._refine)
        for timer in (self._next, self._settle, self._smooth):
            timer.setSingleShot(True)

    @abstractmethod
    def paint_over(self, painter: QPainter) -> None:
        """Paint what belongs over the scene."""

    @abstractmethod
    def in_hand(self) -> bool:
        """Whether a drag is going on, so that full quality can wait."""

    def refresh(self, *, moving: bool) -> None:
        """The scene has changed: draw it soon, once, however often this is called."""
        self._stale = True
        if moving:
            self._moving = True
            self._settle.start()
        if not self._next.isActive():
            self._next.start(round(self.drawn.pacing.wait_ms()))

    @property
    def resting(self) -> bool:
        """Whether the picture is the newest, at full quality and as smooth as it gets."""
        return not self._stale and self.drawn.is_smooth

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the scene when it is due, then paint it."""
        self._draw_when_due()
        painter = QPainter(self)
        image = self.drawn.image
        if self.drawn.problem is not None or image is None:
            painter.fillRect(self.rect(), QColor(BACKGROUNDS[self._content.dark][0]))
            self._paint_words(painter, self.drawn.problem or "")
        else:
            self._paint_image(painter, image)
            if self._content.is_empty:
                self._paint_words(painter, EMPTY_HINT)
            self.paint_over(painter)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Frame again what a preset framed."""
        self.navigation.refit()
        self.refresh(moving=self.drawn.image is not None)
        super().resizeEvent(event)

    def _draw_when_due(self) -> None:
        if not self._stale or self.drawn.problem is not None:
            return
        if self.drawn.image is not None and self.drawn.pacing.wait_ms() > 1.0:
            if not self._next.isActive():
                self._next.start(round(self.drawn.pacing.wait_ms()))
            return
        ratio = self.devicePixelRatioF()
        self._stale = not self.drawn.draw(self._viewpoint(), self._size(), ratio, moving=self._moving)
        if not self._moving:
            self._smooth.start(round(self.drawn.pacing.wait_ms()))

    def _paint_image(self, painter: QPainter, image: QImage) -> None:
        if image.size() == self.size() * self.devicePixelRatioF():
            painter.drawImage(0, 0, image)
        else:
            painter.drawImage(QRectF(self.rect()), image)

    def _paint_words(self, painter: QPainter, words: str) -> None:
        painter.setPen(QColor(TEXT[self._content.dark]))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, words)

    def _come_to_rest(self) -> None:
        if self.in_hand():
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
