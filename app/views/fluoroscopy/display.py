"""A picture with everything drawn over it; it shows what it is told and has no hands of its own."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.fluoroscopy import labels
from app.views.fluoroscopy.comparison_layer import ComparisonLayer, Difference, EdgeLine
from app.views.fluoroscopy.labels import TITLE_HEIGHT, TitleBar
from app.views.fluoroscopy.marks import Marks, Pixel
from app.views.fluoroscopy.overlay_layer import OverlayLayer
from app.views.fluoroscopy.picture_layer import PictureLayer
from app.views.fluoroscopy.values import BodyOverlay, RegionMark
from app.views.fluoroscopy.viewport import Viewport

_NO_PICTURE = "No picture yet.\nAdd a trial with pictures of this plane."


class PictureDisplay(QWidget):
    """Picture, overlays, marks and labels in one painted widget.

    Pixels of the picture are (u, v) with (0, 0) the centre of the top-left one; widget coordinates are Qt's
    device-independent ones. Both are converted exactly, at any zoom, pan and device pixel ratio.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 140)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._picture = PictureLayer()
        self._overlays = OverlayLayer()
        self._comparison = ComparisonLayer()
        self._marks = Marks()
        self._title = TitleBar()
        self._viewport = Viewport()
        self._fitted = True
        self._empty_text = ""
        self._status = ""
        self._readout = ""
        self._banner = ""
        self._plates: dict[str, QRectF] = {}

    # What to show

    def set_title(self, text: str, colour: str) -> None:
        """The view's name and its plane's colour (``#rrggbb``)."""
        self._title.text, self._title.colour = text, QColor(colour)
        self.setAccessibleName(f"fluoroscopy view {text}")
        self.update()

    def set_picture(self, image: np.ndarray | None, empty_text: str = "") -> None:
        """Another picture (h, w) of 8 or 16 bit; without one, what to do next is said.

        Zoom and pan stay as long as the size does.

        Raises:
            ImageError: the picture is neither 8 nor 16 bit unsigned.
        """
        before = self._picture.picture
        self._picture.set_picture(image)
        self._empty_text = empty_text
        if image is not None and (before is None or before.shape != image.shape):
            self._fitted = self._fitted or before is not None
            self._refit()
        self.update()

    def set_window(self, low: float, high: float) -> None:
        """The grey values shown black and white; until it is set the picture's own percentiles."""
        self._picture.set_window(low, high)
        self.update()

    def set_inverted(self, inverted: bool) -> None:
        """Show bright as dark."""
        self._picture.set_inverted(inverted)
        self.update()

    def set_edges(self, edges: bool) -> None:
        """Show the picture's edges instead of it."""
        self._picture.set_edges(edges)
        self.update()

    def set_overlays(self, overlays: Sequence[BodyOverlay]) -> None:
        """The bodies as they are now; the selected one is drawn on top."""
        changed = self._overlays.area(self._viewport, self.area())
        self._overlays.set_overlays(overlays)
        changed = changed.united(self._overlays.area(self._viewport, self.area()))
        if not changed.isEmpty():
            self.update(changed.toAlignedRect())

    def set_overlay_hidden(self, hidden: bool) -> None:
        """Show the picture without bodies, while a key is held or for blinking."""
        self._overlays.hidden = hidden
        self.update()

    def set_epipolar_line(self, ends_px: np.ndarray | None, colour: str | None = None) -> None:
        """Where the other view's cursor can lie here: two points (2, 2), or None."""
        ends = None if ends_px is None else np.asarray(ends_px, dtype=np.float64)
        usable = ends is not None and ends.shape == (2, 2) and bool(np.isfinite(ends).all())
        line = (_pixel(ends[0]), _pixel(ends[1])) if usable and ends is not None else None
        if line != self._marks.epipolar:
            self._marks.epipolar = line
            self._marks.epipolar_colour = None if colour is None else QColor(colour)
            self.update()

    def set_cursor_mark(self, pixel: Sequence[float] | None) -> None:
        """A cross at a point, or none."""
        self._marks.cursor = None if pixel is None else _pixel(pixel)
        self.update()

    def set_pivot_mark(self, pixel: Sequence[float] | None) -> None:
        """Where turns have their centre, or none."""
        mark = None if pixel is None else _pixel(pixel)
        if mark != self._marks.pivot:
            self._marks.pivot = mark
            self.update()

    def set_excluded(self, polygons: Sequence[Sequence[Sequence[float]]]) -> None:
        """Regions left out of the registration, as corners in pixels."""
        self._marks.excluded = tuple(tuple(_pixel(corner) for corner in polygon) for polygon in polygons)
        self.update()

    def set_regions(self, regions: Sequence[RegionMark]) -> None:
        """Where the bodies' shadows were drawn."""
        if tuple(regions) != self._marks.regions:
            self._marks.regions = tuple(regions)
            self.update()

    def set_difference(self, difference: Difference | None) -> None:
        """What is left of the picture without the bodies, in its place; None: the picture."""
        if difference is not self._comparison.difference:
            self._comparison.difference = difference
            self.update()

    def set_edge_lines(self, lines: Sequence[EdgeLine]) -> None:
        """Outlines in the colours of the edges beside them."""
        if lines or self._comparison.lines:
            self._comparison.lines = tuple(lines)
            self.update()

    def set_status(self, text: str) -> None:
        """The similarity, in the lower left corner."""
        if text != self._status:
            self._status = text
            self.update()

    # Where it is shown

    @property
    def viewport(self) -> Viewport:
        """Zoom and pan as they are."""
        return self._viewport

    def area(self) -> QRectF:
        """The part of the widget below the title."""
        return QRectF(0.0, TITLE_HEIGHT, self.width(), max(self.height() - TITLE_HEIGHT, 1.0))

    def fit(self) -> None:
        """The whole picture as large as it fits; it stays so when the widget is resized."""
        self._fitted = True
        self._refit()
        self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Larger by a factor, the point ``at`` of the widget (default: the middle) staying where it is."""
        if self._picture.picture is not None:
            longest = max(self._picture.picture.shape)
            self._place(self._viewport.zoomed(factor, self.area().center() if at is None else at, longest))

    def pan_by(self, dx: float, dy: float) -> None:
        """Shift the picture by widget units."""
        self._place(self._viewport.panned(dx, dy))

    def picture_from_widget(self, point: QPointF) -> tuple[float, float]:
        """The pixel (u, v) under a point of the widget."""
        return self._viewport.to_picture(point)

    def widget_from_picture(self, pixel: Sequence[float]) -> QPointF:
        """The point of the widget where a pixel (u, v) is."""
        return self._viewport.to_widget(float(pixel[0]), float(pixel[1]))

    def sizeHint(self) -> QSize:
        """Large enough to see a knee."""
        return QSize(560, 560)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stay fitted, or keep what is in the middle there."""
        if self._fitted or not event.oldSize().isValid():
            self._refit()
        else:
            grown = event.size() - event.oldSize()
            self._viewport = self._viewport.panned(0.5 * grown.width(), 0.5 * grown.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw everything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), labels.surround(self.palette()))
        if self._picture.picture is None:
            text = self._empty_text or _NO_PICTURE
            labels.draw_empty(painter, self.area(), text, self.palette(), self.font())
        else:
            painter.setClipRect(self.area())
            self._paint_picture(painter, self._picture.picture.shape[1])
            self._paint_labels(painter)
            painter.setClipping(False)
        active = self.hasFocus()
        labels.draw_frame(painter, self.area(), self._title.colour, active=active)
        self._title.draw(painter, self.width(), self.palette(), self.font(), active=active)
        painter.end()

    def _paint_picture(self, painter: QPainter, width_px: int) -> None:
        self._picture.draw(painter, self._viewport, self.area(), self.devicePixelRatioF())
        self._comparison.draw_picture(painter, self._viewport)
        self._marks.draw_regions(painter, self._viewport)
        self._overlays.draw(painter, self._viewport, width_px)
        if not self._overlays.hidden:
            self._comparison.draw_lines(painter, self._viewport.transform())
        self._marks.draw_points(painter, self._viewport)

    def _paint_labels(self, painter: QPainter) -> None:
        area, small = self.area(), labels.tabular(self.font())
        painter.setFont(small)
        self._comparison.draw_legends(painter, area)
        bold = labels.tabular(self.font(), bold=True, larger=1.0)
        low, high = self._picture.window
        filters = "   ".join(
            word for word, on in (("inverted", self._picture.inverted), ("edges", self._picture.edges)) if on
        )
        looks = "" if self._picture.edges else labels.window_text(low, high)
        zoom = labels.magnifying(self._viewport.zoom)
        lower_right = "   ".join(text for text in (filters, zoom, looks) if text)
        plates = self._plates
        plates["status"] = labels.draw_corner(painter, area, self._status, bold, Qt.Corner.BottomLeftCorner)
        plates["looks"] = labels.draw_corner(painter, area, lower_right, small, Qt.Corner.BottomRightCorner, faint=True)
        above = plates["looks"].height() + 4.0
        corner = Qt.Corner.BottomRightCorner
        labels.draw_corner(painter, area, self._readout, small, corner, faint=True, offset=above)
        if self._banner:
            labels.draw_banner(painter, area, self._banner, small)

    def _place(self, viewport: Viewport) -> None:
        if viewport != self._viewport:
            self._viewport = viewport
            self._fitted = False
            self.update()

    def _refit(self) -> None:
        if self._picture.picture is not None:
            height, width = self._picture.picture.shape
            self._viewport = Viewport.fitted(width, height, self.area().adjusted(2.0, 2.0, -2.0, -2.0))


def _pixel(values: Sequence[float] | np.ndarray) -> Pixel:
    return float(values[0]), float(values[1])
