"""The picture on the screen: resampled once for a zoom, windowed at screen resolution, then only copied."""

from typing import final

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QPixmap

from app.views.fluoroscopy.viewport import Viewport
from core.imaging.field_of_view import find_field_of_view
from core.imaging.filters import edge_picture
from core.imaging.window_level import apply_window, auto_window, grey_levels, window_table

_SHOW_SQUARES = 6.0
"""From this many screen pixels a picture pixel on, pixels are shown as squares."""


@final
class PictureLayer:
    """One picture, its window, and its look on the screen as of the last drawing.

    The picture is resampled before it is windowed, so that dragging the window touches only pixels on the
    screen, and nothing is computed while only overlays move.
    """

    def __init__(self) -> None:
        self._picture: np.ndarray | None = None
        self._levels: list[np.ndarray] = []
        self._window: tuple[float, float] | None = None
        self._own_window: tuple[float, float] | None = None
        self._inverted = False
        self._edges = False
        self._grey_key: object = None
        self._grey: np.ndarray | None = None
        self._shown_key: object = None
        self._shown: QPixmap | None = None
        self._table_key: object = None
        self._table: UInt8[np.ndarray, " levels"] | None = None

    @property
    def picture(self) -> np.ndarray | None:
        """What was given."""
        return self._picture

    @property
    def window(self) -> tuple[float, float]:
        """Low and high grey value; the picture's own percentiles as long as none was set."""
        if self._window is not None:
            return self._window
        if self._own_window is None:
            self._own_window = (0.0, 1.0) if self._picture is None else auto_window(self._picture)
        return self._own_window

    @property
    def inverted(self) -> bool:
        """Whether bright is shown dark."""
        return self._inverted

    @property
    def edges(self) -> bool:
        """Whether the edge filter is on."""
        return self._edges

    def set_picture(self, picture: np.ndarray | None) -> None:
        """Another picture (h, w) of 8 or 16 bit, or none.

        Raises:
            ImageError: the picture is of another type.
        """
        if picture is not None:
            grey_levels(picture.dtype)
        self._picture = picture
        self._own_window = None
        self._forget()

    def set_window(self, low: float, high: float) -> None:
        """Grey values shown black and white."""
        self._window = (low, high)

    def set_inverted(self, inverted: bool) -> None:
        """Show bright as dark."""
        self._inverted = inverted

    def set_edges(self, edges: bool) -> None:
        """Show edges instead of the picture."""
        if edges != self._edges:
            self._edges = edges
            self._forget()

    def draw(self, painter: QPainter, viewport: Viewport, area: QRectF, ratio: float) -> None:
        """Draw the part of the picture that lies in an area of the widget, ``ratio`` screen pixels a unit."""
        if self._picture is None:
            return
        height, width = self._picture.shape
        outer = viewport.outer(width, height).intersected(area)
        screen = _screen_rectangle(outer, ratio)
        if screen.isEmpty():
            return
        self._resample(viewport, screen, ratio)
        self._colour()
        if self._shown is not None:
            self._shown.setDevicePixelRatio(ratio)
            painter.drawPixmap(QPointF(screen.left() / ratio, screen.top() / ratio), self._shown)

    def _forget(self) -> None:
        self._levels = []
        self._grey_key = self._shown_key = self._table_key = None
        self._grey = self._shown = None

    def _resample(self, viewport: Viewport, screen: QRect, ratio: float) -> None:
        key = (viewport, screen.getRect(), ratio)
        if key != self._grey_key:
            self._grey = self._warped(viewport, screen, ratio)
            self._grey_key, self._shown_key = key, None

    def _warped(self, viewport: Viewport, screen: QRect, ratio: float) -> np.ndarray:
        """The picture on the screen's pixel grid, by the exact affine map between their pixel centres."""
        scale = viewport.zoom * ratio
        level = self._level(max(0, int(np.floor(np.log2(1.0 / scale))) if scale < 1.0 else 0))
        assert self._picture is not None
        sx, sy = level.shape[1] / self._picture.shape[1], level.shape[0] / self._picture.shape[0]
        fine = 2 if scale / max(sx, sy) < 0.95 else 1
        step = 1.0 / (fine * ratio * viewport.zoom)
        first_u = (screen.left() / ratio - viewport.left) / viewport.zoom
        first_v = (screen.top() / ratio - viewport.top) / viewport.zoom
        level_from_screen = np.array(
            [
                [sx * step, 0.0, sx * (first_u + 0.5 * step) - 0.5],
                [0.0, sy * step, sy * (first_v + 0.5 * step) - 0.5],
            ]
        )
        smooth = cv2.INTER_NEAREST if scale >= _SHOW_SQUARES else cv2.INTER_LINEAR
        warped = cv2.warpAffine(
            level,
            level_from_screen,
            (screen.width() * fine, screen.height() * fine),
            flags=smooth | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if fine == 1:
            return np.asarray(warped)
        return np.asarray(cv2.resize(warped, (screen.width(), screen.height()), interpolation=cv2.INTER_AREA))

    def _level(self, index: int) -> np.ndarray:
        """The picture halved ``index`` times; level 0 is the picture, or its edges."""
        if not self._levels:
            assert self._picture is not None
            base = self._picture
            if self._edges:  # without the image circle, whose border would outshine everything
                base = edge_picture(base, _field_of_view(base))
            self._levels = [np.ascontiguousarray(base)]
        while len(self._levels) <= index and min(self._levels[-1].shape) > 2:
            height, width = self._levels[-1].shape
            size = (max(width // 2, 1), max(height // 2, 1))
            self._levels.append(np.asarray(cv2.resize(self._levels[-1], size, interpolation=cv2.INTER_AREA)))
        return self._levels[min(index, len(self._levels) - 1)]

    def _colour(self) -> None:
        window = (0.0, 255.0) if self._edges else self.window
        key = (window, self._inverted)
        if key == self._shown_key or self._grey is None:
            return
        if (*key, self._grey.dtype) != self._table_key:
            self._table = window_table(*window, self._grey.dtype, inverted=self._inverted)
            self._table_key = (*key, self._grey.dtype)
        assert self._table is not None
        grey = np.ascontiguousarray(apply_window(self._grey, self._table))
        height, width = grey.shape
        self._shown = QPixmap.fromImage(QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8))
        self._shown_key = key


def _screen_rectangle(area: QRectF, ratio: float) -> QRect:
    """The screen pixels whose centres lie in a rectangle of the widget."""
    left, top = round(area.left() * ratio), round(area.top() * ratio)
    return QRect(left, top, round(area.right() * ratio) - left, round(area.bottom() * ratio) - top)


def _field_of_view(picture: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """The image circle, found on a quarter of the resolution: good enough to leave its border out."""
    coarse = find_field_of_view([picture[::4, ::4]]).astype(np.uint8)
    height, width = picture.shape
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)).astype(bool)
