"""Fulfils the deeds about what is shown: large views, zoom, overlays, looks, gizmo, cameras, theme, help."""

from collections.abc import Callable, Sequence
from typing import Protocol, cast, final

from PySide6.QtCore import QObject, QTimer, Signal

from app.presenters.comparison import Comparison
from app.presenters.dialogs import Dialogs
from app.presenters.epipolar import Epipolar
from app.presenters.files import Files
from app.presenters.hands import Hands
from app.presenters.picture_looks import PictureLooks
from app.presenters.session import Session
from app.presenters.uncertainty import SceneUncertainty
from app.state.appearance import Appearance
from app.views.fluoroscopy import FluoroscopyView
from app.views.main_window import MainWindow
from app.views.scene import GizmoMode, SceneView

_BLINK_MS = 450


class Helpers(Protocol):
    """Help that lies over the window; made by the composition root."""

    def show_shortcuts(self) -> None:
        """All keys."""

    def show_first_minute(self) -> None:
        """The first-minute card."""

    def show_log(self) -> None:
        """The log."""

    def show_about(self) -> None:
        """What this is."""


@final
class ViewDeedsOfWindow(QObject):
    """What is shown, and how.

    Signals:
        toggled(str, bool): a checkable action is on or off.
        theme_chosen(bool): dark (or light) from now on.
    """

    toggled = Signal(str, bool)
    theme_chosen = Signal(bool)

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        window: MainWindow,
        pictures: Sequence[FluoroscopyView],
        scene: SceneView,
        looks: PictureLooks,
        hands: Hands,
        epipolar_lines: Epipolar,
        files: Files,
        uncertainty: SceneUncertainty,
        comparison: Comparison,
        dialogs: Dialogs,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._appearance = appearance
        self._window = window
        self._pictures = tuple(pictures)
        self._scene = scene
        self._looks = looks
        self._hands = hands
        self._epipolar = epipolar_lines
        self._files = files
        self._uncertainty = uncertainty
        self._comparison = comparison
        self._dialogs = dialogs
        self.helpers: Helpers | None = None
        self._hidden = False
        self._blinker = QTimer(self)
        self._blinker.setInterval(_BLINK_MS)
        self._blinker.timeout.connect(self._blink_once)
        scene.maximise_requested.connect(lambda: self.toggle_large(len(self._pictures)))
        for index, picture in enumerate(self._pictures):
            picture.maximise_requested.connect(lambda at=index: self.toggle_large(at))
        for index, picture in enumerate(self._pictures):
            picture.polygon_finished.connect(lambda polygon, at=index: self._on_polygon(at, polygon))

    def maximise(self, view: int | None) -> None:
        """Show one of the three views large, or all."""
        trial = self._session.trial
        if view == 1 and trial is not None and len(trial.views) < 2:
            return
        self._window.only_view(view)
        if view is None:
            self._window.hide_view(1, hidden=trial is not None and len(trial.views) < 2)

    def toggle_large(self, view: int) -> None:
        """Large, or back to all."""
        self.maximise(None if self._window.large_view == view else view)

    def fit(self) -> None:
        """Fit the pictures into their views."""
        for picture in self._pictures:
            picture.fit()

    def zoom(self, factor: float) -> None:
        """Zoom the active picture."""
        self._active().zoom_by(factor)

    def next_overlay(self) -> None:
        """Outline, fill, X-ray, off."""
        overlay = self._appearance.next_overlay(self._session.body_names)
        if overlay is not None:
            self._session.messages.status.emit(f"Overlay: {overlay.value}")

    def blink(self) -> None:
        """Show and hide the overlays in turn."""
        if self._blinker.isActive():
            self._blinker.stop()
            self.hide_overlays(hidden=False)
        else:
            self._blinker.start()
        self.toggled.emit("view.blink", self._blinker.isActive())

    def hide_overlays(self, *, hidden: bool) -> None:
        """The picture alone."""
        self._hidden = hidden
        for picture in self._pictures:
            picture.set_overlay_hidden(hidden)

    def invert(self) -> None:
        """Invert the pictures."""
        self.toggled.emit("view.invert", self._looks.toggle("inverted"))

    def edges(self) -> None:
        """Show the edges of the pictures."""
        self.toggled.emit("view.edges", self._looks.toggle("edges"))

    def residual(self) -> None:
        """Show what the picture and the model do not have in common."""
        self.toggled.emit("view.residual", self._comparison.toggle_residual())

    def distances(self) -> None:
        """Colour outlines by how far the picture's edges are from them."""
        self.toggled.emit("view.distances", self._comparison.toggle_distances())

    def uncertainty(self) -> None:
        """Show how sure positions are, in the 3D scene."""
        self.toggled.emit("view.uncertainty", self._uncertainty.toggle())

    def auto_window(self) -> None:
        """Set window and level from the picture."""
        self._looks.auto()

    def epipolar(self) -> None:
        """Show the cursor's ray in the other view."""
        self.toggled.emit("view.epipolar", self._epipolar.toggle())

    def gizmo(self, mode: str) -> None:
        """Handles in the 3D scene: none, translate, rotate."""
        self._hands.set_gizmo_mode(GizmoMode(mode))

    def preset(self, name: str) -> None:
        """A camera of the 3D scene."""
        cast("Callable[[str], None]", self._scene.show_preset)(name)

    def exclude(self) -> None:
        """Draw a polygon to be left out of the registration."""
        self._active().start_polygon()
        self._session.messages.status.emit("Click the corners of the region to leave out; double-click to end")

    def theme(self, *, dark: bool) -> None:
        """Dark or light."""
        self._session.preferences.put("dark", dark)
        self._scene.set_background(dark)
        self.theme_chosen.emit(dark)

    def annotator(self) -> None:
        """Ask for the annotator's name."""
        name = self._dialogs.text(
            "Annotator", "Your name, as it is written beside every change:", self._session.preferences.author
        )
        if name:
            self._session.preferences.put("author", name)
            self._session.recorder.author = name

    def shortcuts(self) -> None:
        """Show all keys."""
        if self.helpers is not None:
            self.helpers.show_shortcuts()

    def first_minute(self) -> None:
        """Show the first-minute card again."""
        if self.helpers is not None:
            self.helpers.show_first_minute()

    def log(self) -> None:
        """Show the log."""
        if self.helpers is not None:
            self.helpers.show_log()

    def about(self) -> None:
        """Say what this is."""
        if self.helpers is not None:
            self.helpers.show_about()

    def _active(self) -> FluoroscopyView:
        return self._pictures[min(self._session.selection.view, len(self._pictures) - 1)]

    def _blink_once(self) -> None:
        self.hide_overlays(hidden=not self._hidden)

    def _on_polygon(self, index: int, polygon: Sequence[tuple[float, float]]) -> None:
        trial = self._session.trial
        self._session.messages.status.emit("")
        if trial is None or index >= len(trial.views) or len(polygon) < 3:
            return
        corners = tuple((float(u), float(v)) for u, v in polygon)
        self._files.set_exclusions(index, [*trial.views[index].exclusions, corners])
