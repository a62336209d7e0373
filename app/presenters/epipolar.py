"""The cursor of one picture as a line in the other: where a point seen here can lie there."""

from collections.abc import Sequence
from typing import final

import numpy as np
from PySide6.QtCore import QObject

from app.presenters.session import Session
from app.views.fluoroscopy import FluoroscopyView
from core.geometry.view import View, epipolar_line

_REACH_MM = 400.0
"""How far in front of and behind the middle the line runs."""


@final
class Epipolar(QObject):
    """Follows the cursor while it is on."""

    def __init__(self, session: Session, pictures: Sequence[FluoroscopyView], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pictures = tuple(pictures)
        self.on = session.preferences.flag("epipolar", default=True)
        for index, picture in enumerate(self._pictures):
            picture.cursor_moved.connect(lambda pixel, view=index: self._on_cursor(view, pixel))

    def toggle(self) -> bool:
        """On or off; what it is now."""
        self.on = not self.on
        self._session.preferences.put("epipolar", self.on)
        if not self.on:
            for picture in self._pictures:
                picture.set_epipolar_line(None)
        return self.on

    def _on_cursor(self, index: int, pixel: tuple[float, float] | None) -> None:
        trial = self._session.trial
        if trial is None or len(trial.views) < 2 or not self.on:
            return
        views = [plane.view for plane in trial.views]
        line = None if pixel is None else self._line(views[index], pixel, views[1 - index])
        self._pictures[1 - index].set_epipolar_line(line)

    def _line(self, seen: View, pixel: tuple[float, float], other: View) -> np.ndarray | None:
        depth = self._middle_depth(seen)
        ends = epipolar_line(seen, pixel, other, max(depth - _REACH_MM, 1.0), depth + _REACH_MM)
        return ends if np.isfinite(ends).all() else None

    def _middle_depth(self, view: View) -> float:
        body = self._session.selection.body
        shown = None if body is None else self._session.shown(body)
        if body is not None and shown is not None:
            centre = shown.pose.apply(self._session.bodies[body].pivot_mm[None])[0]
            return view.depth_mm(centre)
        return 0.75 * (view.detector_distance_mm or 1000.0)
