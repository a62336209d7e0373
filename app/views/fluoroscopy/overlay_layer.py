"""Bodies over the picture: outlines, fills, simulated X-rays and ghosts, drawn exactly and crisply."""

from collections.abc import Sequence
from functools import cached_property
from typing import final

import cv2
import numpy as np
from jaxtyping import UInt8, UInt32
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QTransform

from app.views.fluoroscopy.paths import loops_of_segments, path_of_loops, path_of_segments
from app.views.fluoroscopy.values import BodyOverlay, OverlayStyle
from app.views.fluoroscopy.viewport import Viewport
from core.geometry.shadow_border import shadow_border

LINE_WIDTH = 1.4
SELECTED_LINE_WIDTH = 2.0
_INNER_WIDTH = 0.9
_INNER_SHARE = 0.5
"""Contours inside the shadow are drawn finer and paler than its border."""
_HALO = 1.6
"""How much wider the dark line is that is drawn under a coloured one, to be seen on any grey."""
_HALO_ALPHA = 0.45
_GHOST_WIDTH = 1.0
_GHOST_DASH = [5.0, 4.0]
_FILL_SHARE = 0.45
_XRAY_SHARE = 0.85
_UNSELECTED_SHARE = 0.85


@final
class OverlayLayer:
    """The bodies of one view; paths are made once for each set of overlays."""

    def __init__(self) -> None:
        self._drawn: list[_Drawn] = []
        self.hidden = False

    @property
    def overlays(self) -> tuple[BodyOverlay, ...]:
        """What was given, in the order of drawing: the selected body last, on top."""
        return tuple(drawn.overlay for drawn in self._drawn)

    def set_overlays(self, overlays: Sequence[BodyOverlay]) -> None:
        """Other bodies, poses or looks."""
        self._drawn = [_Drawn(overlay) for overlay in sorted(overlays, key=lambda overlay: overlay.selected)]

    def draw(self, painter: QPainter, viewport: Viewport, picture_width_px: int | None) -> None:
        """Draw everything that is to be seen, in widget coordinates."""
        if self.hidden:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        transform = viewport.transform()
        for drawn in self._drawn:
            drawn.draw_area(painter, viewport, transform, picture_width_px)
        for drawn in self._drawn:
            drawn.draw_lines(painter, transform)


@final
class _Drawn:
    """One overlay and what is made of it for drawing."""

    def __init__(self, overlay: BodyOverlay) -> None:
        self.overlay = overlay

    @cached_property
    def _edges(self) -> QPainterPath:
        return path_of_segments(self.overlay.segments_px)

    @cached_property
    def _border(self) -> QPainterPath | None:
        """The border of the shadow; None where only edges were given."""
        loops = self.overlay.outline_path_px
        return path_of_segments(shadow_border(loops)) if len(loops) else None

    @cached_property
    def _shadow(self) -> QPainterPath:
        return path_of_loops(self.overlay.outline_path_px)

    @cached_property
    def _ghost(self) -> QPainterPath | None:
        """The border of the other pose where its edges close, else all its edges."""
        ghost = self.overlay.ghost_segments_px
        if ghost is None:
            return None
        loops = loops_of_segments(ghost)
        return path_of_segments(ghost if loops is None else shadow_border(loops))

    def draw_area(
        self, painter: QPainter, viewport: Viewport, transform: QTransform, picture_width_px: int | None
    ) -> None:
        """Fill or simulated X-ray."""
        overlay = self.overlay
        if overlay.style is OverlayStyle.FILL:
            colour = QColor(overlay.colour)
            colour.setAlphaF(_FILL_SHARE * _unit(overlay.opacity))
            painter.fillPath(transform.map(self._shadow), colour)
        elif overlay.style is OverlayStyle.XRAY and overlay.xray is not None:
            self._draw_xray(painter, viewport, picture_width_px)

    def draw_lines(self, painter: QPainter, transform: QTransform) -> None:
        """Outline and ghost, each on a dark halo."""
        overlay = self.overlay
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if overlay.style is OverlayStyle.OFF:
            return
        if self._ghost is not None:
            _stroke(painter, transform.map(self._ghost), _paler(overlay.colour), _GHOST_WIDTH, 0.9, _GHOST_DASH)
        width = SELECTED_LINE_WIDTH if overlay.selected else LINE_WIDTH
        strength = _unit(overlay.opacity) * (1.0 if overlay.selected else _UNSELECTED_SHARE)
        colour = QColor(overlay.colour)
        if overlay.style is OverlayStyle.XRAY:
            _stroke(painter, transform.map(self._border or self._edges), colour, 1.0, 0.6 * strength)
            return
        if self._border is not None:
            _stroke(painter, transform.map(self._edges), colour, _INNER_WIDTH, _INNER_SHARE * strength, halo=False)
        _stroke(painter, transform.map(self._border or self._edges), colour, width, strength)

    def _draw_xray(self, painter: QPainter, viewport: Viewport, picture_width_px: int | None) -> None:
        overlay, made = self.overlay, self._xray
        if made is None or overlay.xray is None:
            return
        image, column, row = made
        scale = overlay.xray_scale
        if scale is None:
            scale = 1.0 if picture_width_px is None else picture_width_px / overlay.xray.shape[1]
        left, top = overlay.xray_origin_px[0] + scale * column, overlay.xray_origin_px[1] + scale * row
        target = QRectF(
            viewport.left + viewport.zoom * left,
            viewport.top + viewport.zoom * top,
            viewport.zoom * scale * image.width(),
            viewport.zoom * scale * image.height(),
        )
        painter.drawImage(target, image, QRectF(image.rect()))

    @cached_property
    def _xray(self) -> tuple[QImage, int, int] | None:
        """The tinted X-ray cut to the body, and the column and row where it begins."""
        millimetres = self.overlay.xray
        if millimetres is None:
            return None
        thickest = float(millimetres.max(initial=0.0))
        if thickest <= 0.0:
            return None
        grey: UInt8[np.ndarray, "h w"] = cv2.convertScaleAbs(np.maximum(millimetres, 0.0), alpha=255.0 / thickest)
        left, top, width, height = cv2.boundingRect(grey)
        if width == 0 or height == 0:
            return None
        tinted = _tints(self.overlay.colour, self.overlay.opacity)[grey[top : top + height, left : left + width]]
        image = QImage(tinted.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        return image.copy(), left, top


def _tints(colour: str, opacity: float) -> UInt32[np.ndarray, " levels"]:
    """Premultiplied ARGB for each of 256 steps of thickness: thin lets through, thick covers."""
    share = np.linspace(0.0, 1.0, 256)
    alpha = _XRAY_SHARE * _unit(opacity) * (1.0 - np.exp(-2.5 * share)) / (1.0 - np.exp(-2.5))
    # Thick parts run towards white, so that inner structure is seen besides the outline.
    base = np.array(_rgb(colour), dtype=np.float64)
    rgb = base + (255.0 - base) * (0.55 * share[:, None] ** 2)
    channels = np.round(np.column_stack([255.0 * alpha, rgb * alpha[:, None]])).astype(np.uint32)
    return np.asarray(channels @ np.array([1 << 24, 1 << 16, 1 << 8, 1], dtype=np.uint32), dtype=np.uint32)


def _stroke(
    painter: QPainter,
    path: QPainterPath,
    colour: QColor,
    width: float,
    strength: float,
    dash: list[float] | None = None,
    *,
    halo: bool = True,
) -> None:
    under, line = QColor(0, 0, 0), QColor(colour)
    under.setAlphaF(_HALO_ALPHA * strength)
    line.setAlphaF(strength)
    for pen_colour, pen_width in ((under, width + _HALO), (line, width)) if halo else ((line, width),):
        pen = QPen(pen_colour, pen_width)
        pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap if dash else Qt.PenCapStyle.SquareCap)
        if dash is not None:
            pen.setDashPattern([length / pen_width for length in dash])
        painter.strokePath(path, pen)


def _paler(colour: str) -> QColor:
    return QColor(*((255 + component) // 2 for component in _rgb(colour)))


def _rgb(colour: str) -> tuple[int, int, int]:
    parsed = QColor(colour)
    return parsed.red(), parsed.green(), parsed.blue()


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
