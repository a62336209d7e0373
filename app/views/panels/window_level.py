"""Window and level of each view: histogram with a range slider, automatic, invert, edges."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget
from superqt import QDoubleRangeSlider

from app.views.panels.action_buttons import ActionHint, tooltip
from app.views.panels.colours import PLANE_NAMES, plane_colour
from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade, tabular, theme_of


@final
class Histogram(QWidget):
    """The grey values of a picture, with the window marked on them.

    Signals:
        window_dragged(float, float): lower and upper end, moved together (left drag) or apart (right drag).
    """

    window_dragged = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: Float[np.ndarray, " bins"] = np.empty(0)
        self._ends = (0.0, 1.0)
        self._window = (0.0, 1.0)
        self._pressed: tuple[QPointF, tuple[float, float]] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Grey values of the picture. Left drag moves the window, right drag widens or narrows it")

    def sizeHint(self) -> QSize:
        """A low strip."""
        return QSize(200, 48)

    def set_counts(self, counts: Sequence[float] | np.ndarray, low: float, high: float) -> None:
        """Numbers of pixels in equal bins from low to high."""
        self._counts = np.asarray(counts, dtype=np.float64)
        self._ends = (low, max(high, low + 1e-9))
        self.update()

    def set_window(self, low: float, high: float) -> None:
        """The window in grey values."""
        self._window = (low, high)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the window."""
        self._pressed = (event.position(), self._window)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move or widen the window."""
        if self._pressed is None or not event.buttons():
            return
        start, (low, high) = self._pressed
        moved = (event.position().x() - start.x()) / max(self.width(), 1) * (self._ends[1] - self._ends[0])
        if event.buttons() & Qt.MouseButton.RightButton:
            least = 0.005 * (self._ends[1] - self._ends[0])
            moved = max(moved, 0.5 * (least - (high - low)))
            low, high = low - moved, high + moved
        else:
            moved = min(max(moved, self._ends[0] - low), self._ends[1] - high)
            low, high = low + moved, high + moved
        self.window_dragged.emit(max(low, self._ends[0]), min(high, self._ends[1]))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self._pressed = None

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Counts on a square-root scale, the window brighter."""
        theme, painter = theme_of(self), QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor(theme.field))
        if not self._counts.size or self._counts.max() <= 0:
            painter.setPen(QColor(theme.muted))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "no picture")
            return
        low, high = (self._x_of(value, area) for value in self._window)
        inside = QColor(theme.accent)
        inside.setAlpha(50)
        painter.fillRect(QRectF(low, 0, high - low, area.height()), inside)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.muted))
        painter.drawPolygon(self._hills(area))
        painter.setPen(QPen(QColor(theme.text), 1))
        painter.drawLine(QPointF(low, area.height()), QPointF(high, 0))

    def _x_of(self, value: float, area: QRectF) -> float:
        share = (value - self._ends[0]) / (self._ends[1] - self._ends[0])
        return float(min(max(share, 0.0), 1.0) * area.width())

    def _hills(self, area: QRectF) -> QPolygonF:
        heights = np.sqrt(self._counts / np.quantile(self._counts, 0.995).clip(min=1.0)).clip(max=1.0)
        x = (np.arange(len(heights)) + 0.5) / len(heights) * area.width()
        y = area.height() - heights * (area.height() - 4)
        outline = [QPointF(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        return QPolygonF([area.bottomLeft(), *outline, area.bottomRight()])


@final
class WindowLevelRow(QWidget):
    """Window and level of one view.

    Signals:
        window_changed(float, float): lower and upper grey value.
        auto_requested(): set them from the picture.
        inverted_changed(bool): bright and dark swapped.
        edges_changed(bool): the edge filter.
    """

    window_changed = Signal(float, float)
    auto_requested = Signal()
    inverted_changed = Signal(bool)
    edges_changed = Signal(bool)

    def __init__(self, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._index = index
        self._title, self._told = QLabel(), QLabel()
        self._told.setFont(tabular(self._told.font()))
        grade(self._told, "muted")
        self.histogram = Histogram()
        self.slider = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.slider.setAccessibleName(f"window of view {PLANE_NAMES[index % 2]}")
        self.slider.setToolTip("Grey values shown black (left) and white (right)")
        self.slider.valueChanged.connect(self._on_slider)
        self.histogram.window_dragged.connect(self._on_dragged)
        self.auto = self._button("auto", "Automatic window and level", checkable=False)
        self.invert = self._button("invert", "Invert the picture", checkable=True)
        self.edges = self._button("edges", "Show edges", checkable=True)
        self.auto.clicked.connect(self.auto_requested)
        self.invert.toggled.connect(self.inverted_changed)
        self.edges.toggled.connect(self.edges_changed)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._title)
        top.addWidget(self._told, 1, Qt.AlignmentFlag.AlignRight)
        for button in (self.auto, self.invert, self.edges):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self.histogram)
        column.addWidget(self.slider)
        self._colour()
        self.set_histogram((), 0.0, 1.0)

    def _button(self, name: str, label: str, *, checkable: bool) -> QToolButton:
        button = QToolButton()
        button.setCheckable(checkable)
        button.setToolTip(label)
        button.setAccessibleName(label)
        set_icon(button, name)
        return button

    def set_histogram(self, counts: Sequence[float] | np.ndarray, low: float, high: float) -> None:
        """Numbers of pixels in equal bins of grey values from low to high; empty without a picture."""
        self.histogram.set_counts(counts, low, high)
        self.setEnabled(len(counts) > 0)
        with QSignalBlocker(self.slider):
            self.slider.setRange(low, max(high, low + 1e-9))
        self._tell()

    def set_window(self, low: float, high: float) -> None:
        """The window in grey values."""
        with QSignalBlocker(self.slider):
            self.slider.setValue((low, high))
        self.histogram.set_window(low, high)
        self._tell(low, high)

    def set_inverted(self, on: bool) -> None:
        """Whether bright and dark are swapped."""
        with QSignalBlocker(self.invert):
            self.invert.setChecked(on)

    def set_edges(self, on: bool) -> None:
        """Whether the edge filter is on."""
        with QSignalBlocker(self.edges):
            self.edges.setChecked(on)

    def changeEvent(self, event: QEvent) -> None:
        """The plane's colour in another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._colour()

    def _colour(self) -> None:
        colour = plane_colour(self._index, theme_of(self))
        self._title.setText(f'<b style="color:{colour}">{PLANE_NAMES[self._index % 2]}</b>')

    def _tell(self, low: float | None = None, high: float | None = None) -> None:
        if low is None or high is None:
            low, high = self.slider.value()
        self._told.setText(f"{low:.0f} – {high:.0f}" if self.isEnabled() else "")

    def _on_slider(self, window: tuple[float, float]) -> None:
        self.histogram.set_window(*window)
        self._tell(*window)
        self.window_changed.emit(float(window[0]), float(window[1]))

    def _on_dragged(self, low: float, high: float) -> None:
        self.set_window(low, high)
        self.window_changed.emit(low, high)


@final
class WindowLevelPanel(QWidget):
    """Window and level of all views of the trial.

    Signals:
        window_changed(int, float, float): view, lower and upper grey value.
        auto_requested(int): set them from the picture of a view.
        inverted_changed(int, bool): bright and dark swapped in a view.
        edges_changed(int, bool): the edge filter of a view.
    """

    window_changed = Signal(int, float, float)
    auto_requested = Signal(int)
    inverted_changed = Signal(int, bool)
    edges_changed = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX, GRID_PX, GRID_PX, GRID_PX)
        column.setSpacing(2 * GRID_PX)
        self.rows = tuple(WindowLevelRow(index) for index in range(2))
        for index, row in enumerate(self.rows):
            self._connect(row, index)
            column.addWidget(row)
        column.addStretch(1)

    def _connect(self, row: WindowLevelRow, index: int) -> None:
        row.window_changed.connect(lambda low, high: self.window_changed.emit(index, low, high))
        row.auto_requested.connect(lambda: self.auto_requested.emit(index))
        row.inverted_changed.connect(lambda on: self.inverted_changed.emit(index, on))
        row.edges_changed.connect(lambda on: self.edges_changed.emit(index, on))

    def set_view_count(self, count: int) -> None:
        """One or two views."""
        for index, row in enumerate(self.rows):
            row.setVisible(index < count)

    def set_histogram(self, view: int, counts: Sequence[float] | np.ndarray, low: float, high: float) -> None:
        """Numbers of pixels in equal bins from low to high."""
        self.rows[view].set_histogram(counts, low, high)

    def set_window(self, view: int, low: float, high: float) -> None:
        """The window of a view."""
        self.rows[view].set_window(low, high)

    def set_inverted(self, view: int, on: bool) -> None:
        """Whether bright and dark are swapped in a view."""
        self.rows[view].set_inverted(on)

    def set_edges(self, view: int, on: bool) -> None:
        """Whether the edge filter of a view is on."""
        self.rows[view].set_edges(on)

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Labels, shortcuts and tips of the action table."""
        for row in self.rows:
            for action, button in (
                ("view.auto_window", row.auto),
                ("view.invert", row.invert),
                ("view.edges", row.edges),
            ):
                hint = hints.get(action)
                if hint is not None:
                    button.setToolTip(tooltip(hint.label, hint.keys, hint.tip))
