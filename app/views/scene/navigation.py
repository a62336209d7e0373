"""Moving the scene's camera by hand and by preset; knows what the user last asked for."""

from typing import Literal, final

import numpy as np
from jaxtyping import Float

from app.views.scene.content import SceneContent
from app.views.scene.image import centre_mm
from app.views.scene.rig import Preset, preset_viewpoint, rig_up
from app.views.scene.viewpoint import Size, Viewpoint

ORBIT_RAD_PER_PX = 0.008
ZOOM_PER_NOTCH = 1.18

Gesture = Literal["orbit", "pan"]


@final
class Navigation:
    """The viewpoint, and how gestures change it.

    A preset stays in force (through resizing and new bodies) until the camera is moved by hand.
    Front, side and top frame what was framed before: the whole rig after "fit", else the bodies.
    """

    def __init__(self, content: SceneContent) -> None:
        self._content = content
        self._preset: Preset | None = "fit"
        self._whole_rig = True
        self._viewpoint: Viewpoint | None = None

    def viewpoint(self, size: Size) -> Viewpoint:
        """Where the scene is looked at from, in a viewport of this size."""
        if self._viewpoint is None:
            self._viewpoint = preset_viewpoint(
                self._preset or "fit",
                self._content.cameras,
                self._content.corners_mm(),
                size,
                whole_rig=self._whole_rig,
            )
        return self._viewpoint

    def show(self, preset: Preset) -> None:
        """Go to a preset."""
        if preset in {"fit", "model"}:
            self._whole_rig = preset == "fit"
        self._preset = preset
        self._viewpoint = None

    def start_over(self) -> None:
        """Another rig: where the camera was left by hand means nothing any more."""
        self.show("fit" if self._whole_rig else "model")

    def refit(self) -> None:
        """The viewport or the content is another: a preset that is in force is taken again."""
        if self._preset is not None:
            self._viewpoint = None

    def orbit(self, before: Float[np.ndarray, "2"], now: Float[np.ndarray, "2"], size: Size) -> None:
        """Walk around the bodies where they are on the screen, else around the target."""
        viewpoint = self.viewpoint(size)
        dx, dy = (np.asarray(now) - before) * ORBIT_RAD_PER_PX
        pivot = self._pivot(viewpoint, size)
        self._take(viewpoint.orbited(-float(dx), float(dy), pivot, rig_up(self._content.cameras)))

    def pan(self, before: Float[np.ndarray, "2"], now: Float[np.ndarray, "2"], size: Size) -> None:
        """Shift sideways with the cursor."""
        self._take(self.viewpoint(size).panned(before, now, size))

    def zoom(self, notches: float, at: Float[np.ndarray, "2"], size: Size) -> None:
        """Come closer to (or away from) what is under the cursor."""
        viewpoint = self.viewpoint(size)
        found = self._content.body_at(viewpoint.eye_mm, viewpoint.ray(at, size))
        depth_of = self._pivot(viewpoint, size) if found is None else found[1]
        aimed = viewpoint.retargeted(depth_of)
        keep = aimed.point_at(at, aimed.target_mm, size)
        self._take(aimed.zoomed(ZOOM_PER_NOTCH**notches, keep))

    def _take(self, viewpoint: Viewpoint) -> None:
        self._viewpoint, self._preset = viewpoint, None

    def _pivot(self, viewpoint: Viewpoint, size: Size) -> Float[np.ndarray, "3"]:
        centre = centre_mm(self._content.corners_mm())
        if centre is None:
            return viewpoint.target_mm
        seen = viewpoint.project(centre[None], size)[0]
        inside = bool(np.isfinite(seen).all() and (seen >= 0).all() and (seen <= size).all())
        return centre if inside else viewpoint.target_mm
