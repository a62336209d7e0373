"""Where the picture lies in the widget: zoom and pan as one value, exact in both directions."""

from dataclasses import dataclass, replace
from typing import Self, final

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

LARGEST_ZOOM = 64.0
SMALLEST_SIDE = 48.0
"""The picture's longer side is never drawn smaller than this."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Viewport:
    """``x = left + zoom (u + 1/2)``: widget coordinates of picture pixels, whose centres are whole numbers.

    ``left, top`` is the outer corner of the picture in the widget, ``zoom`` the widget units per pixel.
    """

    zoom: float = 1.0
    left: float = 0.0
    top: float = 0.0

    @classmethod
    def fitted(cls, width_px: int, height_px: int, area: QRectF) -> Self:
        """The whole picture as large as it fits, in the middle of the area."""
        zoom = max(min(area.width() / width_px, area.height() / height_px), 1e-3)
        return cls(
            zoom=zoom,
            left=area.center().x() - 0.5 * zoom * width_px,
            top=area.center().y() - 0.5 * zoom * height_px,
        )

    def to_widget(self, u: float, v: float) -> QPointF:
        """Widget coordinates of a point of the picture."""
        return QPointF(self.left + self.zoom * (u + 0.5), self.top + self.zoom * (v + 0.5))

    def to_picture(self, point: QPointF) -> tuple[float, float]:
        """The point (u, v) of the picture under a point of the widget."""
        return (point.x() - self.left) / self.zoom - 0.5, (point.y() - self.top) / self.zoom - 0.5

    def zoomed(self, factor: float, at: QPointF, longest_px: int) -> Self:
        """Larger by a factor, the point of the picture under ``at`` staying there."""
        zoom = min(max(self.zoom * factor, SMALLEST_SIDE / longest_px), LARGEST_ZOOM)
        change = zoom / self.zoom
        return replace(
            self,
            zoom=zoom,
            left=at.x() - change * (at.x() - self.left),
            top=at.y() - change * (at.y() - self.top),
        )

    def panned(self, dx: float, dy: float) -> Self:
        """Shifted by widget units."""
        return replace(self, left=self.left + dx, top=self.top + dy)

    def outer(self, width_px: int, height_px: int) -> QRectF:
        """The rectangle that the picture covers in the widget."""
        return QRectF(self.left, self.top, self.zoom * width_px, self.zoom * height_px)

    def transform(self) -> QTransform:
        """Picture coordinates to widget coordinates, for Qt."""
        half = 0.5 * self.zoom
        return QTransform(self.zoom, 0.0, 0.0, self.zoom, self.left + half, self.top + half)
