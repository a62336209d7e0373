"""Draws what the session holds: pictures, overlays in both views, the 3D scene; coalesced, cheap while dragging."""

from collections.abc import Sequence
from typing import final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.presenters.pictures import Frame
from app.presenters.session import Session
from app.state.appearance import Appearance, BodyLook, Overlay
from app.state.live import Origin, Shown
from app.views.fluoroscopy import BodyOverlay, FluoroscopyView, OverlayStyle
from app.views.panels.colours import PLANE_NAMES, plane_colour
from app.views.scene import SceneBody, SceneCamera, SceneView
from core.errors import GeometryError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.registration.values import Body
from core.rendering.path_length import line_integral, path_length
from core.rendering.silhouette import silhouette

MOST_FACES_DRAWN = 40_000
_STYLES = {
    Overlay.OUTLINE: OverlayStyle.OUTLINE,
    Overlay.FILL: OverlayStyle.FILL,
    Overlay.XRAY: OverlayStyle.XRAY,
    Overlay.OFF: OverlayStyle.OFF,
}
_BORROWED_OPACITY = 0.55


@final
class Drawing(QObject):
    """Keeps the two pictures and the scene as the session is.

    Signals:
        drawn(): overlays and scene show what the session holds.
    """

    drawn = Signal()

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        pictures: Sequence[FluoroscopyView],
        scene: SceneView,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._pictures = tuple(pictures)
        self._scene = scene
        self._meshes: dict[str, TriangleMesh] = {}
        self._ghosts: dict[str, str] = {}
        """Name of each ghost in the scene, and whose it is."""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.draw)
        self._scene_rests = False
        self._greys: list[np.ndarray | None] = []
        self._fine = True

    def soon(self) -> None:
        """Draw when the event loop is free: many movements become one drawing."""
        if not self._soon.isActive():
            self._soon.start()

    def show_trial(self) -> None:
        """Cameras and titles of the selected trial."""
        trial = self._session.trial
        views = [] if trial is None else [plane.view for plane in trial.views]
        for index, picture in enumerate(self._pictures):
            title = f"{PLANE_NAMES[index]}"
            if index < len(views) and views[index].name not in PLANE_NAMES:
                title = f"{title}  {views[index].name}"
            picture.set_title(title, plane_colour(index))
        self._scene.set_cameras(
            [
                SceneCamera(name=PLANE_NAMES[index], view=view, colour=plane_colour(index))
                for index, view in enumerate(views)
            ]
        )
        self._scene.show_preset("model")
        self.show_exclusions()

    def show_exclusions(self) -> None:
        """Excluded regions of the trial's views."""
        trial = self._session.trial
        for index, picture in enumerate(self._pictures):
            inside = trial is not None and index < len(trial.views)
            picture.set_excluded(trial.views[index].exclusions if trial is not None and inside else ())

    def show_pictures(self, frame: Frame | None, greys: Sequence[np.ndarray | None]) -> None:
        """Pictures of a frame in the views (as they are) and on the scene's planes (8-bit grey)."""
        trial = self._session.trial
        for index, picture in enumerate(self._pictures):
            if frame is None or index >= len(frame.images):
                picture.set_picture(None, self._nothing(index, trial is not None))
            else:
                picture.set_picture(frame.images[index], frame.errors[index])
        self._greys = list(greys)
        if not self._scene_rests:
            self._scene.set_pictures(self._greys)
        self.soon()

    def rest_scene(self, *, resting: bool) -> None:
        """Leave the 3D scene as it is: drawing it beside a registration would make the window wait."""
        self._scene_rests = resting
        self._scene.set_title("3D scene (waits for the registration)" if resting else "3D scene")
        if not resting:
            self._scene.set_pictures(self._greys)
            self.soon()

    def show_bodies(self) -> None:
        """Bodies of the study in the scene."""
        self._meshes = {name: display_mesh(body) for name, body in self._session.bodies.items()}
        self._scene.set_bodies(self._scene_bodies())
        self.soon()

    def draw(self) -> None:
        """Overlays and the scene's poses as they are now."""
        shown = {name: found for name in self._meshes if (found := self._session.shown(name)) is not None}
        self._fine = not any(item.origin in {Origin.BY_HAND, Origin.RUNNING} for item in shown.values())
        self._draw_overlays(shown)
        if not self._scene_rests:
            self._draw_scene(shown)
        self.drawn.emit()

    def _draw_scene(self, shown: dict[str, Shown]) -> None:
        poses = {name: item.pose for name, item in shown.items()}
        ghosts = _ghosts_of(shown)
        poses |= {ghost: pose for ghost, (_, pose) in ghosts.items()}
        owners = {ghost: name for ghost, (name, _) in ghosts.items()}
        if owners != self._ghosts:
            self._ghosts = owners
            self._scene.set_bodies(self._scene_bodies())
        self._scene.set_poses(poses)

    def _draw_overlays(self, shown: dict[str, Shown]) -> None:
        trial = self._session.trial
        for index, picture in enumerate(self._pictures):
            if trial is None or index >= len(trial.views):
                picture.set_overlays(())
                continue
            view = trial.views[index].view
            overlays = [self._overlay(view, name, item) for name, item in shown.items()]
            picture.set_overlays([overlay for overlay in overlays if overlay is not None])

    def _overlay(self, view: View, name: str, item: Shown) -> BodyOverlay | None:
        look = self._appearance.body(name)
        if not look.visible:
            return None
        mesh = self._meshes[name]
        outline = silhouette(mesh, view, item.pose)
        ghost = None if item.ghost is None else silhouette(mesh, view, item.ghost).segments_px
        xray = None
        if look.overlay is Overlay.XRAY:
            xray = self._xray(self._session.bodies[name], view, item.pose)
        borrowed = item.origin in {Origin.BORROWED, Origin.PLACED}
        return BodyOverlay(
            name=name,
            colour=look.colour,
            opacity=look.opacity * (_BORROWED_OPACITY if borrowed else 1.0),
            style=_STYLES[look.overlay],
            segments_px=outline.segments_px,
            outline_path_px=outline.loops_px,
            xray=xray,
            selected=name == self._session.selection.body,
            ghost_segments_px=ghost,
            rival_segments_px=[silhouette(mesh, view, pose).segments_px for pose in item.others],
        )

    def _xray(self, body: Body, view: View, pose: Rigid) -> np.ndarray | None:
        """Path length, or attenuation of a bone from CT; at half resolution while something moves."""
        divisor = 1 if self._fine else 2
        size = (view.height_px // divisor, view.width_px // divisor)
        volume = body.volume_for(1.0)
        try:
            if volume is not None:
                return line_integral(volume, view, pose, size)
            return path_length(body.level_for(0.1), view, pose, size)
        except GeometryError:
            return None

    def _scene_bodies(self) -> list[SceneBody]:
        bodies = []
        for name, mesh in self._meshes.items():
            look, selected = self._appearance.body(name), name == self._session.selection.body
            bodies.append(_scene_body(name, mesh, look, selected=selected))
            bodies += [
                SceneBody(name=ghost, mesh=mesh, colour=look.colour, opacity=0.25, visible=look.visible, ghost=True)
                for ghost, owner in self._ghosts.items()
                if owner == name
            ]
        return bodies

    @staticmethod
    def _nothing(index: int, trial: bool) -> str:
        if trial and index > 0:
            return "This trial has one view."
        return "Loading…" if trial else "Add a trial: pictures and calibration."


def _ghosts_of(shown: dict[str, Shown]) -> dict[str, tuple[str, Rigid]]:
    """Ghosts by their names in the scene: whose, and where."""
    found: dict[str, tuple[str, Rigid]] = {}
    for name, item in shown.items():
        if item.ghost is not None:
            found[f"{name} (before)"] = (name, item.ghost)
        for at, pose in enumerate(item.others, start=1):
            found[f"{name} (rival {at})"] = (name, pose)
    return found


def _scene_body(name: str, mesh: TriangleMesh, look: BodyLook, *, selected: bool) -> SceneBody:
    return SceneBody(
        name=name, mesh=mesh, colour=look.colour, opacity=look.opacity, visible=look.visible, selected=selected
    )


def display_mesh(body: Body) -> TriangleMesh:
    """The finest level that is quick to draw."""
    return next((mesh for mesh in body.levels if len(mesh.faces) <= MOST_FACES_DRAWN), body.levels[-1])
