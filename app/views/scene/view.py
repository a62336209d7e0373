"""The 3D scene as a part of the window: a title with presets above the canvas; setters in, signals out."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from jaxtyping import Float, UInt8
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.views.scene.canvas import SceneCanvas
from app.views.scene.content import SceneContent
from app.views.scene.rig import PRESETS, Preset
from app.views.scene.values import GizmoMode, SceneBody, SceneCamera, SceneEllipsoid
from core.geometry.rigid import Rigid

PRESET_TIPS: dict[Preset, tuple[str, str]] = {
    "fit": ("Rig", "Show the whole rig with both sources"),
    "model": ("Model", "Zoom to the bodies"),
    "A": ("A", "Look from source A: bodies lie on picture A as on the detector"),
    "B": ("B", "Look from source B: bodies lie on picture B as on the detector"),
    "front": ("Front", "Look along the line midway between the two beams"),
    "side": ("Side", "Look at right angles to the front view"),
    "top": ("Top", "Look down from above"),
}


@final
class SceneView(QWidget):
    """Sources, picture planes, bodies and the gizmo in 3D.

    Signals: ``gizmo_drag_started(body)``, ``gizmo_dragged(GizmoMotion)`` with the whole motion since
    the press, ``gizmo_drag_ended(GizmoMotion)``, ``gizmo_drag_cancelled(body)`` after a last
    ``gizmo_dragged`` with no motion, ``body_clicked(name)``, ``maximise_requested()``.
    """

    gizmo_drag_started = Signal(str)
    gizmo_dragged = Signal(object)
    gizmo_drag_ended = Signal(object)
    gizmo_drag_cancelled = Signal(str)
    body_clicked = Signal(str)
    maximise_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = SceneContent()
        self._canvas = SceneCanvas(self._content, self)
        self._header = _Header(self)
        self._header.preset_chosen.connect(self.show_preset)
        self._header.double_clicked.connect(self.maximise_requested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._header)
        layout.addWidget(self._canvas, 1)
        for name in ("gizmo_drag_started", "gizmo_dragged", "gizmo_drag_ended"):
            getattr(self._canvas, name).connect(getattr(self, name))
        self._canvas.gizmo_drag_cancelled.connect(self.gizmo_drag_cancelled)
        self._canvas.body_clicked.connect(self.body_clicked)
        self.destroyed.connect(self._canvas.drawn.close)

    def set_cameras(self, cameras: Sequence[SceneCamera]) -> None:
        """Show these X-ray views, in order A, B."""
        if self._content.set_cameras(cameras):
            self._canvas.navigation.start_over()
        self._header.offer_sources(len(cameras))
        self._canvas.refresh(moving=False)

    def set_pictures(self, pictures: Sequence[UInt8[np.ndarray, "h w"] | None]) -> None:
        """Show these 8-bit grey pictures on the planes, one a camera; None leaves a plane plain."""
        self._content.set_pictures(pictures)
        self._canvas.refresh(moving=True)

    def set_bodies(self, bodies: Sequence[SceneBody]) -> None:
        """Show these bodies; keep the same mesh objects so that surfaces are not built again."""
        if self._content.set_bodies(bodies):
            self._canvas.navigation.refit()
        self._canvas.refresh(moving=False)

    def set_poses(self, poses: Mapping[str, Rigid]) -> None:
        """Put the bodies somewhere (``world_from_body``); cheap, meant for every move of a drag."""
        first = self._content.set_poses(poses)
        if first:
            self._canvas.navigation.refit()
        self._canvas.refresh(moving=not first)

    def set_ellipsoids(self, ellipsoids: Sequence[SceneEllipsoid]) -> None:
        """Show the uncertainty of points as translucent ellipsoids."""
        self._content.set_ellipsoids(ellipsoids)
        self._canvas.refresh(moving=False)

    def set_gizmo(
        self,
        mode: GizmoMode,
        body: str | None,
        pivot_world_mm: Float[np.ndarray, "3"],
        axes: Float[np.ndarray, "3 3"],
    ) -> None:
        """Show the gizmo of a body at a pivot; the columns of ``axes`` are its x, y, z in the world."""
        self._canvas.gizmo.place(mode, body, pivot_world_mm, axes)
        self._canvas.update()

    def show_preset(self, preset: Preset) -> None:
        """Go to a preset viewpoint: fit, model, A, B, front, side or top."""
        self._canvas.navigation.show(preset)
        self._canvas.refresh(moving=False)

    def set_background(self, dark: bool) -> None:
        """Dark for the reading room, light for slides."""
        self._content.set_background(dark=dark)
        self._canvas.refresh(moving=False)

    def set_title(self, words: str) -> None:
        """What the title says."""
        self._header.set_title(words)

    def set_note(self, words: str) -> None:
        """What is to be known about what is drawn, in a corner; nothing where empty."""
        self._canvas.set_note(words)

    def cancel_drag(self) -> bool:
        """Take a gizmo drag back (as Esc does); returns whether there was one."""
        return self._canvas.cancel_drag()

    @property
    def render_times_ms(self) -> tuple[float, ...]:
        """What the last drawings took, newest last."""
        return tuple(self._canvas.drawn.times_ms)

    @property
    def problem(self) -> str | None:
        """Why there is no picture on this computer, for people; None while there is one."""
        return self._canvas.drawn.problem

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let go of the graphics memory."""
        self._canvas.drawn.close()
        super().closeEvent(event)


@final
class _Header(QWidget):
    """The title and a button for each preset."""

    preset_chosen = Signal(str)
    double_clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = QLabel("3D scene", self)
        self._title.setToolTip("Double-click to make this view large")
        self._title.installEventFilter(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 4, 2)
        layout.setSpacing(2)
        layout.addWidget(self._title, 1)
        self._buttons: dict[Preset, QToolButton] = {}
        for preset in PRESETS:
            words, tip = PRESET_TIPS[preset]
            button = QToolButton(self)
            button.setText(words)
            button.setToolTip(tip)
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked=False, chosen=preset: self.preset_chosen.emit(chosen))
            layout.addWidget(button)
            self._buttons[preset] = button
        self.offer_sources(0)

    def set_title(self, words: str) -> None:
        """What the title says."""
        self._title.setText(words)

    def offer_sources(self, count: int) -> None:
        """Offer to look from as many sources as there are."""
        self._buttons["A"].setEnabled(count > 0)
        self._buttons["B"].setEnabled(count > 1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click on the title."""
        if watched is self._title and event.type() is QEvent.Type.MouseButtonDblClick:
            self.double_clicked.emit()
            return True
        return super().eventFilter(watched, event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click beside the title counts too."""
        self.double_clicked.emit()
        event.accept()
