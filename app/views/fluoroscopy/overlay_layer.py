"""Bodies over the picture: outlines, fills, simulated X-rays and ghosts, drawn exactly and crisply."""

from collections.abc import Sequence
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

from app.views.fluoroscopy.paths import loops_of_segments, path_of_loops, path_of_segments
from app.views.fluoroscopy.values import BodyOverlay, OverlayStyle
from app.views.fluoroscopy.viewport import Viewport
from app.views.fluoroscopy.xray_tint import Tinted, tinted_xray
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
_RIVAL_DASH = [1.5, 3.0]
_FILL_SHARE = 0.45
_UNSELECTED_SHARE = 0.85
_REACH = 4.0
"""Widget units that lines reach beyond their coordinates."""
_UNMADE = object()


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

    def area(self, viewport: Viewport, widget: QRectF) -> QRectF:
        """The part of a widget that the bodies may cover."""
        covered = QRectF()
        for drawn in self._drawn:
            if drawn.box_px is None:
                return widget
            left, top, right, bottom = drawn.box_px
            covered = covered.united(QRectF(viewport.to_widget(left, top), viewport.to_widget(right, bottom)))
        return covered.adjusted(-_REACH, -_REACH, _REACH, _REACH).intersected(widget)

    def draw(self, painter: QPainter, viewport: Viewport, picture_width_px: int) -> None:
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
        self._tinted: Tinted | object | None = _UNMADE

    @cached_property
    def box_px(self) -> tuple[float, float, float, float] | None:
        """Left, top, right, bottom of all that is drawn; None where that is not bounded by an outline."""
        overlay = self.overlay
        if overlay.xray is not None and not len(overlay.outline_path_px):
            return None
        parts = [overlay.segments_px, *overlay.outline_path_px]
        parts += [] if overlay.ghost_segments_px is None else [overlay.ghost_segments_px]
        parts += overlay.rival_segments_px
        points = np.concatenate([part.reshape(-1, 2) for part in parts])
        if len(points) == 0:
            return 0.0, 0.0, 0.0, 0.0
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @cached_property
    def _edges(self) -> QPainterPath:
        return path_of_segments(self.overlay.segments_px)

    @cached_property
    def _border(self) -> QPainterPath:
        """The border of the shadow; all edges where only these were given."""
        loops = self.overlay.outline_path_px
        return path_of_segments(shadow_border(loops)) if len(loops) else self._edges

    @cached_property
    def _shadow(self) -> QPainterPath:
        return path_of_loops(self.overlay.outline_path_px)

    @cached_property
    def _ghost(self) -> QPainterPath | None:
        """The border of the other pose where its edges close, else all its edges."""
        ghost = self.overlay.ghost_segments_px
        return None if ghost is None else _border_path(ghost)

    @cached_property
    def _rivals(self) -> tuple[QPainterPath, ...]:
        return tuple(_border_path(segments) for segments in self.overlay.rival_segments_px)

    def draw_area(self, painter: QPainter, viewport: Viewport, transform: QTransform, picture_width_px: int) -> None:
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
        for rival in self._rivals:
            _stroke(painter, transform.map(rival), _paler(overlay.colour), _GHOST_WIDTH, 0.9, _RIVAL_DASH)
        width = SELECTED_LINE_WIDTH if overlay.selected else LINE_WIDTH
        strength = _unit(overlay.opacity) * (1.0 if overlay.selected else _UNSELECTED_SHARE)
        colour = QColor(overlay.colour)
        if overlay.style is OverlayStyle.XRAY:
            _stroke(painter, transform.map(self._border), colour, 1.0, 0.6 * strength)
            return
        if self._border is not self._edges:
            _stroke(painter, transform.map(self._edges), colour, _INNER_WIDTH, _INNER_SHARE * strength, halo=False)
        _stroke(painter, transform.map(self._border), colour, width, strength)

    def _draw_xray(self, painter: QPainter, viewport: Viewport, picture_width_px: int) -> None:
        if self._tinted is _UNMADE:
            self._tinted = tinted_xray(self.overlay, picture_width_px)
        if isinstance(self._tinted, Tinted):
            outer = self._tinted.outer_px
            target = QRectF(
                viewport.left + viewport.zoom * outer.left(),
                viewport.top + viewport.zoom * outer.top(),
                viewport.zoom * outer.width(),
                viewport.zoom * outer.height(),
            )
            painter.drawImage(target, self._tinted.image, QRectF(self._tinted.image.rect()))


def _border_path(segments_px: Float[np.ndarray, "n 2 2"]) -> QPainterPath:
    """The border of a shadow where its edges close, else all its edges."""
    loops = loops_of_segments(segments_px)
    return path_of_segments(segments_px if loops is None else shadow_border(loops))


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
