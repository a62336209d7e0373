"""What the hand does with the gizmo: hover, grab, drag, let go, take back. No Qt, no OpenGL."""

from typing import final

import numpy as np
from jaxtyping import Float

from app.views.scene.gizmo_drag import GizmoDrag
from app.views.scene.gizmo_geometry import Gizmo, Handle, HandleShape, handle_shapes, hit
from app.views.scene.values import GizmoMode, GizmoMotion
from app.views.scene.viewpoint import Size, Viewpoint


@final
class GizmoHands:
    """The gizmo's state: where it stands, whose it is, what is hot and what is grabbed."""

    def __init__(self) -> None:
        self._gizmo: Gizmo | None = None
        self._body: str | None = None
        self._hot: Handle | None = None
        self._drag: GizmoDrag | None = None

    @property
    def hot(self) -> Handle | None:
        """The handle under the cursor."""
        return self._hot

    @property
    def grabbed(self) -> Handle | None:
        """The handle that is being dragged."""
        return None if self._drag is None else self._drag.handle

    def place(
        self,
        mode: GizmoMode,
        body: str | None,
        pivot_world_mm: Float[np.ndarray, "3"],
        axes: Float[np.ndarray, "3 3"],
    ) -> None:
        """Stand somewhere else, or be nowhere (mode NONE or no body); a drag goes on as begun."""
        if mode is GizmoMode.NONE or body is None:
            self._gizmo, self._body, self._hot = None, None, None
            return
        directions = np.array(axes, dtype=np.float64)
        directions /= np.maximum(np.linalg.norm(directions, axis=0), 1e-9)
        pivot = np.array(pivot_world_mm, dtype=np.float64)
        self._gizmo = Gizmo(mode=mode, pivot_mm=pivot, axes=directions)
        self._body = body

    def shapes(self, viewpoint: Viewpoint, size: Size) -> tuple[HandleShape, ...]:
        """The handles as they appear."""
        return () if self._gizmo is None else handle_shapes(self._gizmo, viewpoint, size)

    def hover(self, cursor_px: Float[np.ndarray, "2"] | None, viewpoint: Viewpoint, size: Size) -> bool:
        """The cursor is here, or gone; returns whether another handle is hot than before."""
        found = None if cursor_px is None else hit(self.shapes(viewpoint, size), cursor_px)
        changed = found is not self._hot
        self._hot = found
        return changed

    def press(self, cursor_px: Float[np.ndarray, "2"], viewpoint: Viewpoint, size: Size) -> str | None:
        """Grab the handle under the cursor; returns the body's name, or None when there is no handle."""
        handle = hit(self.shapes(viewpoint, size), cursor_px)
        if handle is None or self._gizmo is None or self._body is None:
            return None
        self._drag = GizmoDrag(self._body, handle, self._gizmo, viewpoint, size, cursor_px)
        return self._body

    def move(self, cursor_px: Float[np.ndarray, "2"]) -> GizmoMotion | None:
        """The whole motion of the drag with the cursor here; None when nothing is grabbed."""
        return None if self._drag is None else self._drag.motion_at(cursor_px)

    def let_go(self) -> GizmoMotion | None:
        """End the drag; returns the motion that takes it back (none at all), or None without a drag."""
        drag, self._drag = self._drag, None
        return None if drag is None else drag.nothing()

    def readout(self, motion: GizmoMotion) -> str:
        """What the drag has done so far, for people: signed along its axis."""
        if self._drag is None:
            return ""
        if self._drag.handle.turns:
            return f"{np.degrees(self._drag.turned_rad):+.2f}°"
        if self._drag.handle.axis is None:
            return f"{np.linalg.norm(motion.translation_world_mm):.2f} mm"
        return f"{motion.translation_world_mm @ self._drag.axis:+.2f} mm"
