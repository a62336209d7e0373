"""Binds the pose panel: numbers in a frame of reference, steps, locks, uncertainty."""

from typing import final

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QObject, Signal

from app.presenters.pose_editor import PoseEditor
from app.presenters.reference_frames import NAMES, ReferenceFrame, explained, reference_frame
from app.presenters.session import Session
from app.state.appearance import Appearance
from app.state.live import Origin, Shown
from app.views.panels.colours import PLANE_NAMES
from app.views.panels.pose_panel import EULER_ORDERS, FRAMES, STEPS, PosePanel
from app.views.panels.uncertainty_table import InView, Uncertainty
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.study.values import PoseKey, PoseStatus

WITHIN = 1.6449
"""Standard deviations within which a normal error stays with 90 % chance."""


@final
class PoseNumbers(QObject):
    """Shows the active body's pose as numbers and moves it by them.

    Signals:
        reference_changed(): another frame of reference or another lock.
    """

    reference_changed = Signal()

    def __init__(
        self,
        session: Session,
        editor: PoseEditor,
        appearance: Appearance,
        panel: PosePanel,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._editor = editor
        self._appearance = appearance
        self._panel = panel
        preferences = session.preferences
        self.step = preferences.number("step", 1.0)
        self.frame = preferences.text("frame", "world")
        self.order = preferences.text("euler", "ZXY")
        if self.order not in EULER_ORDERS:
            self.order = "ZXY"
        self.locked = [False] * 6
        self._opened: tuple[PoseKey, Rigid] | None = None
        self._bind()

    def _bind(self) -> None:
        panel = self._panel
        panel.body_chosen.connect(self._session.selector.select_body)
        panel.value_edited.connect(self._on_value)
        panel.stepped.connect(self._on_step)
        panel.step_changed.connect(self.set_step)
        panel.frame_changed.connect(self.set_frame)
        panel.euler_changed.connect(self.set_order)
        panel.lock_changed.connect(self._on_lock)
        panel.set_step(self.step)
        panel.set_frame(self.frame)
        panel.set_euler(self.order)
        panel.set_axes(NAMES, explained(self.frame))

    def change_step(self, direction: int) -> None:
        """The next larger (1) or smaller (-1) step."""
        nearest = min(range(len(STEPS)), key=lambda at: abs(STEPS[at] - self.step))
        self.set_step(STEPS[min(max(nearest + direction, 0), len(STEPS) - 1)])

    def set_step(self, step: float) -> None:
        """Another step, mm and deg."""
        self.step = step
        self._session.preferences.put("step", step)
        self._panel.set_step(step)
        self._session.messages.status.emit(f"Step {step:g} mm, {step:g} deg")

    def set_frame(self, key: str) -> None:
        """Another frame of reference."""
        self.frame = key
        self._session.preferences.put("frame", key)
        self._panel.set_frame(key)
        self._panel.set_axes(NAMES, explained(key))
        self._changed_reference()

    def set_order(self, order: str) -> None:
        """Another Euler order."""
        self.order = order
        self._session.preferences.put("euler", order)
        self._panel.set_euler(order)
        self._changed_reference()

    def reference(self, base: Rigid | None = None) -> ReferenceFrame:
        """The frame in use; ``base`` is what the body's frame counts from."""
        return reference_frame(self.frame, self._views(), self._base() if base is None else base, self.order)

    def kept(self, base: Rigid, moved: Rigid, pivot_body_mm: Float[np.ndarray, "3"]) -> Rigid:
        """A movement without what the locks hold."""
        if not any(self.locked):
            return moved
        return self.reference(base).locked_motion(base, moved, pivot_body_mm, self.locked)

    def refresh(self) -> None:
        """Bodies, the choice of frames, and the numbers."""
        names = self._session.body_names
        colours = [(name, self._appearance.body(name).colour) for name in names]
        self._panel.set_bodies(colours, self._session.selection.body)
        views = len(self._views())
        self._panel.set_frames([item for item in FRAMES if item[0] != "view B" or views > 1])
        self._panel.set_frame(self.frame)
        self.refresh_numbers()

    def refresh_numbers(self) -> None:
        """The six numbers only; cheap enough for every move of a drag."""
        body = self._session.selection.body
        shown = None if body is None else self._session.shown(body)
        if body is None or shown is None:
            self._panel.set_pose(None, self._why_nothing())
            self._panel.set_uncertainty(None)
            return
        self._remember_opening(shown)
        origin = "" if shown.origin in {Origin.STORED, Origin.BY_HAND} else shown.origin.value.capitalize()
        self._panel.set_pose(self.reference().values(shown.pose), origin)
        self._panel.set_uncertainty(*self._certainty(shown))

    def _why_nothing(self) -> str:
        if self._session.document is None:
            return ""
        if not self._session.body_names:
            return "No body yet: add one with File, Add body."
        if self._session.trial is None:
            return "No trial yet: add one with File, Add trial."
        return "Preparing the body…"

    def _views(self) -> list[View]:
        trial = self._session.trial
        return [] if trial is None else [plane.view for plane in trial.views]

    def _base(self) -> Rigid:
        return Rigid.identity() if self._opened is None else self._opened[1]

    def _remember_opening(self, shown: Shown) -> None:
        key = self._session.selection.key
        if key is not None and (self._opened is None or self._opened[0] != key):
            self._opened = (key, shown.pose)

    def _certainty(self, shown: Shown) -> tuple[Uncertainty | None, str]:
        """How sure the shown pose is, or why that is not known."""
        record = self._session.record_here()
        if record is None or shown.origin not in {Origin.STORED, Origin.PROPOSED}:
            return None, ""
        if record.covariance is None or not np.isfinite(record.covariance).all():
            by_hand = record.status is PoseStatus.MANUAL or not record.method
            return None, "" if by_hand else "Uncertainty: not known for this pose."
        views = [(view, record.covariance) for view in self._views()]
        seen = [reference_frame("view A", [view], shown.pose, self.order).deviations(c) for view, c in views]
        rows = tuple(WITHIN * row for row in self.reference().deviations(record.covariance))
        return Uncertainty(
            rows=(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]),
            views=tuple(
                InView(
                    name=name,
                    in_plane_mm=WITHIN * float(np.hypot(one[0], one[1]) / np.sqrt(2.0)),
                    depth_mm=WITHIN * one[2],
                )
                for name, one in zip(PLANE_NAMES, seen, strict=False)
            ),
            turns_deg=(WITHIN * seen[0][3], WITHIN * seen[0][4], WITHIN * seen[0][5]),
            risk=record.risk,
        ), ""

    def _on_value(self, index: int, value: float) -> None:
        body = self._session.selection.body
        shown = None if body is None else self._session.shown(body)
        if body is not None and shown is not None:
            pose = self.reference().with_value(shown.pose, index, value)
            self._editor.set_pose(body, pose, f"Set {NAMES[index]} of {body}", "numbers")

    def _on_step(self, index: int, sign: int) -> None:
        body = self._session.selection.body
        shown = None if body is None else self._session.shown(body)
        pivot = None if body is None else self._editor.pivot_body_mm(body)
        if body is None or shown is None or pivot is None or self.locked[index]:
            return
        pose = self.reference().stepped(shown.pose, index, sign * self.step, pivot)
        self._editor.set_pose(body, pose, f"Step {NAMES[index]} of {body}", "steps")

    def _on_lock(self, index: int, on: bool) -> None:
        self.locked[index] = on
        self.reference_changed.emit()

    def _changed_reference(self) -> None:
        self.refresh_numbers()
        self.reference_changed.emit()
