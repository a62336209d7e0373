"""How the timeline's resting part is painted: lanes of states, grid, score curves; frames share pixels when many."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self, final

import numpy as np
from jaxtyping import Float, Int
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPen, QPolygonF

from app.views.panels.colours import HEIGHTS, URGENCY, FrameState, state_colour, state_pixmap
from app.views.panels.theme import Theme

_SHAPE_ROOM = 9.0
"""Pixels a frame needs for its state to be drawn as a shape."""
_LANE = 14.0
_SHAPE = 9.0
_WIDE_PEN_POINTS = 400
_BY_URGENCY = sorted(URGENCY, key=lambda state: URGENCY[state])


def _no_scores() -> Float[np.ndarray, " n"]:
    return np.empty(0)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Lane:
    """One body along the frames."""

    name: str
    colour: str
    states: Sequence[FrameState]
    """One a frame."""
    scores: Float[np.ndarray, " n"] = field(default_factory=_no_scores)
    """One a frame, NaN where there is none; or empty."""
    risks: Float[np.ndarray, " n"] = field(default_factory=_no_scores)
    """Chance (0..1) of an error above 1 mm or 1 deg, one a frame, NaN where it is not known; or empty."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the parts of a strip lie, in widget pixels."""

    left: float
    right: float
    top: float
    curve_top: float
    axis_top: float
    bottom: float
    count: int

    @classmethod
    def of(cls, width: float, height: float, count: int, lanes: int, metrics: QFontMetrics) -> Self:
        """The layout for a size."""
        gutter = metrics.horizontalAdvance("0.0") + 8
        axis = height - metrics.height() - 2
        top = 2.0
        return cls(
            left=gutter,
            right=max(width - 4.0, gutter + 1),
            top=top,
            curve_top=top + lanes * _LANE + 2,
            axis_top=axis,
            bottom=height,
            count=count,
        )

    @property
    def step(self) -> float:
        """Pixels a frame takes."""
        return (self.right - self.left) / max(self.count, 1)

    def x_of(self, place: float) -> float:
        """Middle of a frame."""
        return self.left + (place + 0.5) * self.step

    def place_at(self, x: float) -> int:
        """The frame at a position; the nearest one outside."""
        return min(max(int((x - self.left) / self.step), 0), self.count - 1)

    def y_of(self, score: Float[np.ndarray, " n"] | float) -> Float[np.ndarray, " n"]:
        """Height of a score; below 0 counts as 0."""
        low, high = self.axis_top - 2, self.curve_top + 2
        return np.asarray(low - np.clip(score, 0.0, 1.0) * (low - high))


def paint_strip(
    painter: QPainter,
    layout: Layout,
    frames: Sequence[int],
    lanes: Sequence[Lane],
    gate: float | None,
    working: Sequence[int],
    theme: Theme,
) -> None:
    """Paint everything but the current frame."""
    painter.fillRect(_area(layout, layout.top, layout.axis_top), QColor(theme.field))
    _paint_working(painter, layout, working, theme)
    _paint_grid(painter, layout, gate, theme)
    _paint_numbers(painter, layout, frames, theme)
    for index, lane in enumerate(lanes):
        _paint_states(painter, layout, lane, layout.top + index * _LANE, theme)
    for lane in reversed(lanes):
        _paint_scores(painter, layout, lane, active=lane is lanes[0])


def columns_of(count: int, columns: int) -> Int[np.ndarray, " columns"]:
    """First frame of each pixel column, where frames are more than columns."""
    return np.asarray(np.arange(columns) * count // columns)


def worst_states(states: Sequence[FrameState], columns: int) -> list[FrameState]:
    """The most urgent state in each pixel column."""
    ranks = np.array([URGENCY[state] for state in states])
    worst = np.maximum.reduceat(ranks, columns_of(len(ranks), columns))
    return [_BY_URGENCY[rank] for rank in worst]


def score_range(
    scores: Float[np.ndarray, " n"], columns: int
) -> tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " columns"]]:
    """Lowest and highest score of each pixel column, NaN where there is none."""
    starts = columns_of(len(scores), columns)
    return np.fmin.reduceat(scores, starts), np.fmax.reduceat(scores, starts)


def _area(layout: Layout, top: float, bottom: float) -> QRectF:
    return QRectF(layout.left, top, layout.right - layout.left, bottom - top)


def _paint_working(painter: QPainter, layout: Layout, working: Sequence[int], theme: Theme) -> None:
    if not working:
        return
    first, last = min(working), max(working)
    left = layout.left + first * layout.step
    area = QRectF(left, layout.top, (last + 1 - first) * layout.step, layout.axis_top - layout.top)
    hatch = QColor(theme.accent)
    hatch.setAlpha(90)
    painter.fillRect(area, QBrush(hatch, Qt.BrushStyle.BDiagPattern))


def _paint_grid(painter: QPainter, layout: Layout, gate: float | None, theme: Theme) -> None:
    line = QColor(theme.border)
    line.setAlpha(150)
    half = painter.fontMetrics().height() / 2
    roomy = layout.axis_top - layout.curve_top > 4 * half
    for score in (0.0, 0.5, 1.0):
        y = float(layout.y_of(score))
        painter.setPen(QPen(line, 1))
        painter.drawLine(QPointF(layout.left, y), QPointF(layout.right, y))
        if score != 0.5 or roomy:
            painter.setPen(QColor(theme.muted))
            middle = min(max(y, layout.curve_top + half - 4), layout.axis_top - half + 4)
            box = QRectF(0, middle - half, layout.left - 5, 2 * half)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{score:g}")
    if gate is not None:
        y = float(layout.y_of(gate))
        painter.setPen(QPen(QColor(theme.caution), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(layout.left, y), QPointF(layout.right, y))


def _paint_numbers(painter: QPainter, layout: Layout, frames: Sequence[int], theme: Theme) -> None:
    widest = painter.fontMetrics().horizontalAdvance(str(max(frames))) + 16
    every = _nice(widest / layout.step)
    painter.setPen(QColor(theme.muted))
    shown_to = -1e9
    for place, frame in enumerate(frames):
        if frame % every and place not in {0, len(frames) - 1}:
            continue
        x, half = layout.x_of(place), (widest - 16) / 2 + 1
        x = min(max(x, layout.left + half), layout.right - half)
        if x - half < shown_to + 8:
            continue
        box = QRectF(x - half, layout.axis_top, 2 * half, layout.bottom - layout.axis_top)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(frame))
        shown_to = x + half


def _nice(least: float) -> int:
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor >= least:
                return step * factor
        step *= 10


def _paint_states(painter: QPainter, layout: Layout, lane: Lane, top: float, theme: Theme) -> None:
    mark = QRectF(layout.left - 8, top + 3, 4, _LANE - 6)
    painter.fillRect(mark, QColor(lane.colour))
    if layout.step >= _SHAPE_ROOM:
        _paint_shapes(painter, layout, lane, top, theme)
        return
    columns = int(layout.right - layout.left)
    crowded = len(lane.states) > columns
    states = worst_states(lane.states, columns) if crowded else lane.states
    step = (layout.right - layout.left) / len(states)
    gap = 1.0 if step >= 4 else 0.0
    bars: dict[FrameState, list[QRectF]] = {}
    for index, state in enumerate(states):
        height = HEIGHTS[state] * (_LANE - 3)
        bar = QRectF(layout.left + index * step, top + _LANE - 1 - height, step - gap, height)
        bars.setdefault(state, []).append(bar)
    painter.setPen(Qt.PenStyle.NoPen)
    for state, boxes in bars.items():
        painter.setBrush(QColor(state_colour(state, theme)))
        painter.drawRects(boxes)


def _paint_shapes(painter: QPainter, layout: Layout, lane: Lane, top: float, theme: Theme) -> None:
    """Each shape is painted once and stamped where it belongs."""
    ratio = painter.device().devicePixelRatioF()
    room = round(_SHAPE + 4)
    stamps = {state: state_pixmap(state, theme, room, ratio, _SHAPE) for state in set(lane.states)}
    for place, state in enumerate(lane.states):
        at = QPointF(layout.x_of(place) - room / 2, top + (_LANE - room) / 2)
        painter.drawPixmap(at, stamps[state])


def _paint_scores(painter: QPainter, layout: Layout, lane: Lane, *, active: bool) -> None:
    scores = np.asarray(lane.scores, dtype=np.float64)
    if not np.isfinite(scores).any():
        return
    colour = QColor(lane.colour)
    colour.setAlpha(255 if active else 130)
    painter.save()
    columns = max(int(layout.right - layout.left), 1)
    if len(scores) > columns:
        _paint_band(painter, layout, scores, columns, colour)
    else:
        _paint_curve(painter, layout, scores, colour, 2.0 if active else 1.2)
    painter.restore()


def _paint_band(
    painter: QPainter, layout: Layout, scores: Float[np.ndarray, " n"], columns: int, colour: QColor
) -> None:
    """From the lowest to the highest score of each pixel column."""
    low, high = score_range(scores, columns)
    known = np.flatnonzero(np.isfinite(low))
    x, bottom, top = layout.left + known + 0.5, layout.y_of(low[known]), layout.y_of(high[known])
    thin = bottom - top < 2.0
    bottom, top = np.where(thin, bottom + 1.0, bottom), np.where(thin, top - 1.0, top)
    painter.setPen(QPen(colour, 1))
    ends = zip(x.tolist(), bottom.tolist(), top.tolist(), strict=True)
    painter.drawLines([QLineF(at, lower, at, upper) for at, lower, upper in ends])


def _paint_curve(
    painter: QPainter, layout: Layout, scores: Float[np.ndarray, " n"], colour: QColor, width: float
) -> None:
    """From frame to frame; a frame between two without scores is a dot."""
    x, y = layout.left + (np.arange(len(scores)) + 0.5) * layout.step, layout.y_of(scores)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # Wide pens are slow on many points: there a thin one draws twice as dense a curve anyway.
    painter.setPen(QPen(colour, width if len(scores) <= _WIDE_PEN_POINTS else 1.0))
    painter.setBrush(colour)
    for run in _runs(np.isfinite(scores)):
        points = [QPointF(a, b) for a, b in zip(x[run].tolist(), y[run].tolist(), strict=True)]
        if len(points) == 1:
            painter.drawEllipse(points[0], 1.2, 1.2)
        else:
            painter.drawPolyline(QPolygonF(points))


def _runs(known: np.ndarray) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
