"""Compares picture and model where the bodies are shown: what is left, and how far edges are from outlines."""

from dataclasses import dataclass
from typing import final

import numpy as np
from PySide6.QtCore import QObject

from app.presenters.session import Session
from app.state.appearance import Appearance
from app.state.live import Origin
from app.views.fluoroscopy import Difference, EdgeLine, FluoroscopyView
from app.workers.newest import Newest
from core.geometry.rigid import Rigid
from core.registration.recipe import Recipe
from core.registration.residual import outline_distances, residuals
from core.registration.values import Body, Problem
from core.rendering.edge_distance import EdgeDistances

_FINE_PX, _QUICK_PX = 512, 256
"""Longest side of the pictures that are compared: at rest, and while something moves."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Compared:
    """The answer for one frame, by view."""

    place: tuple[str, int]
    differences: tuple[Difference, ...]
    lines: tuple[tuple[EdgeLine, ...], ...]


@final
class Comparison(QObject):
    """Asks in a thread after every drawing while either is on; only the newest question is answered."""

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        pictures: tuple[FluoroscopyView, ...],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._pictures = pictures
        self.residual = False
        self.distances = False
        self._newest = Newest(self)
        self._newest.answered.connect(self._on_answer)
        self._newest.refused.connect(lambda _error: self._clear())

    def close(self) -> None:
        """End the thread."""
        self._newest.close()

    def toggle_residual(self) -> bool:
        """Show what is left, or the picture; what it is now."""
        self.residual = not self.residual
        self.refresh()
        return self.residual

    def toggle_distances(self) -> bool:
        """Colour the outlines by the edges beside them, or not; what it is now."""
        self.distances = not self.distances
        self.refresh()
        return self.distances

    def refresh(self) -> None:
        """Compare what is shown now; while a registration runs or nothing is known, show the picture alone."""
        trial, frame = self._session.trial, self._session.selection.frame
        asked = self._bodies() if self.residual or self.distances else None
        if trial is None or frame is None or asked is None:
            self._newest.forget()
            self._clear()
            return
        bodies, poses, moving = asked
        arrays, name = self._session.arrays, trial.name
        residual, distances = self.residual, self.distances
        attenuation = self._attenuation([body.name for body in bodies])

        def question() -> _Compared:
            problem = Problem(bodies=bodies, shots=arrays.shots(name, frame))
            size = _QUICK_PX if moving else _FINE_PX
            left = residuals(problem, poses, Recipe(), attenuation, picture_px=size) if residual else ()
            beside = outline_distances(problem, poses) if distances else ()
            return _Compared(
                place=(name, frame),
                differences=tuple(
                    Difference(
                        values=one.difference,
                        usable=one.usable,
                        left_px=one.left_px,
                        top_px=one.top_px,
                        factor=one.factor,
                    )
                    for one in left
                ),
                lines=tuple(
                    tuple(_line(body[index]) for body in beside if len(body[index].segments_px))
                    for index in range(len(problem.shots))
                ),
            )

        self._newest.ask(question)

    def _bodies(self) -> tuple[tuple[Body, ...], tuple[Rigid, ...], bool] | None:
        """What is seen where, and whether it moves; None where there is nothing to compare."""
        found = []
        for name, body in self._session.bodies.items():
            shown = self._session.shown(name)
            if shown is None or not self._appearance.body(name).visible or shown.origin is Origin.PLACED:
                continue
            if shown.origin is Origin.RUNNING:
                return None
            found.append((body, shown.pose, shown.origin is Origin.BY_HAND))
        if not found:
            return None
        bodies, poses, moving = zip(*found, strict=True)
        return bodies, poses, any(moving)

    def _attenuation(self, names: list[str]) -> tuple[float, ...] | None:
        """As the last registration of this frame found it; None where it did not."""
        values = []
        for name in names:
            record = self._session.record_here(name)
            value = None if record is None else record.details.get(f"attenuation_per_mm {name}")
            values.append(float(value) if isinstance(value, (int, float)) else None)
        known = tuple(value for value in values if value is not None)
        return known if len(known) == len(names) else None

    def _on_answer(self, answer: _Compared) -> None:
        chosen = self._session.selection
        if answer.place != (chosen.trial, chosen.frame):
            return
        for index, picture in enumerate(self._pictures):
            there = index < len(answer.differences)
            picture.set_difference(answer.differences[index] if there else None)
            picture.set_edge_lines(answer.lines[index] if index < len(answer.lines) else ())

    def _clear(self) -> None:
        for picture in self._pictures:
            picture.set_difference(None)
            picture.set_edge_lines(())


def _line(found: EdgeDistances) -> EdgeLine:
    known = np.isfinite(found.distance_px) & (np.abs(found.distance_mm) > 1e-9)
    ratio = float(np.median(found.distance_px[known] / found.distance_mm[known])) if known.any() else float("nan")
    return EdgeLine(segments_px=found.segments_px, distance_mm=found.distance_mm, px_per_mm=ratio)
