"""The main window's layout: two pictures above the 3D scene, panels around them; no behaviour of its own."""

from collections.abc import Sequence
from typing import final

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

LAYOUT_VERSION = 2
"""Raised when docks change, so that a remembered layout of another version is not forced on the new one."""


@final
class MainWindow(QMainWindow):
    """Puts the parts in their places.

    Signals:
        close_requested(): the person closes the window; it closes when ``allow_close`` was called.
    """

    close_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("main")
        self.setWindowTitle("Duoscope")
        self.setDockNestingEnabled(True)
        self.setMinimumSize(QSize(960, 600))
        self._closing = False
        self._asking = False
        self._docks: list[QDockWidget] = []
        self._docks_when_full: QByteArray | None = None
        self._views: list[QWidget] = []
        self._pictures = _splitter(Qt.Orientation.Horizontal)
        self._all = _splitter(Qt.Orientation.Vertical)
        self._all.addWidget(self._pictures)
        self._bars = QVBoxLayout()
        self._bars.setSpacing(0)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._all)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._bars)
        column.addWidget(self._stack, 1)
        self.setCentralWidget(centre)

    @property
    def centre(self) -> QWidget:
        """Where the views are: cards may lie over it."""
        return self._stack

    def add_view(self, view: QWidget) -> None:
        """Pictures first, side by side; the third view goes below them."""
        self._views.append(view)
        view.setMinimumSize(QSize(160, 120))
        (self._pictures if len(self._views) <= 2 else self._all).addWidget(view)
        self._all.setSizes([600, 400])
        self._pictures.setSizes([500, 500])

    def add_bar(self, bar: QWidget) -> None:
        """A bar above the views that shows itself when it has something to say."""
        self._bars.addWidget(bar)

    def set_empty_page(self, page: QWidget) -> None:
        """What is shown while no study is open."""
        self._stack.addWidget(page)

    def show_empty_page(self, *, empty: bool) -> None:
        """Show the page without a study alone, or the views with their docks."""
        last = self._stack.count() - 1
        self._stack.setCurrentIndex(last if empty and last else 0)
        if empty and self._docks_when_full is None:
            self._docks_when_full = self.saveState(LAYOUT_VERSION)
            for dock in self._docks:
                dock.hide()
        elif not empty and self._docks_when_full is not None:
            self.restoreState(self._docks_when_full, LAYOUT_VERSION)
            self._docks_when_full = None

    def add_panel(
        self, title: str, name: str, panel: QWidget, area: Qt.DockWidgetArea, *, titled: bool = True
    ) -> QDockWidget:
        """A dock that can be moved and is remembered by its name."""
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(panel)
        if not titled:
            dock.setTitleBarWidget(QWidget(dock))
        self.addDockWidget(area, dock)
        self._docks.append(dock)
        return dock

    def only_view(self, index: int | None) -> None:
        """Show one view alone, or all of them."""
        for at, view in enumerate(self._views):
            view.setVisible(index is None or at == index)
        self._pictures.setVisible(index is None or index < 2)

    @property
    def large_view(self) -> int | None:
        """The view that is shown alone."""
        shown = [at for at, view in enumerate(self._views) if not view.isHidden()]
        return shown[0] if len(shown) == 1 and len(self._views) > 1 else None

    def hide_view(self, index: int, *, hidden: bool) -> None:
        """A trial with one view has no second picture."""
        self._views[index].setVisible(not hidden)

    def set_status_line(self, line: QWidget) -> None:
        """The line at the foot."""
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(line, 1)

    def arrange(self, docks: Sequence[QDockWidget]) -> None:
        """First widths and heights: study and levels left, pose right, frames at the foot over the whole width."""
        study, levels, pose, frames = docks
        for corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.resizeDocks([study, pose], [230, 290], Qt.Orientation.Horizontal)
        self.resizeDocks([study, levels], [500, 220], Qt.Orientation.Vertical)
        self.resizeDocks([frames], [128], Qt.Orientation.Vertical)

    def layout_state(self) -> Sequence[tuple[str, QByteArray]]:
        """What restores the layout in the next session."""
        return (
            ("window/geometry", self.saveGeometry()),
            ("window/docks", self._docks_when_full or self.saveState(LAYOUT_VERSION)),
            ("window/pictures", self._pictures.saveState()),
            ("window/views", self._all.saveState()),
        )

    def restore_layout(self, states: Sequence[QByteArray]) -> None:
        """Restore what ``layout_state`` gave; what does not fit is ignored."""
        geometry, docks, pictures, views = states
        if not geometry.isEmpty():
            self.restoreGeometry(geometry)
        if not docks.isEmpty():
            self.restoreState(docks, LAYOUT_VERSION)
        if not pictures.isEmpty():
            self._pictures.restoreState(pictures)
        if not views.isEmpty():
            self._all.restoreState(views)

    def allow_close(self) -> None:
        """Nothing is lost any more: close."""
        self._closing = True
        if not self._asking:
            self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask first; the answer may come at once."""
        if not self._closing:
            self._asking = True
            self.close_requested.emit()
            self._asking = False
        event.setAccepted(self._closing)


def _splitter(orientation: Qt.Orientation) -> QSplitter:
    made = QSplitter(orientation)
    made.setChildrenCollapsible(False)
    made.setHandleWidth(4)
    return made
