"""The off-screen window: camera, lights, background, and the way from actors to an array of pixels.

Actors are made once and then changed in place: a pose is one matrix, a picture one copy into its
texture. Nothing here knows Qt.
"""

from collections.abc import Mapping, Sequence
from typing import final

import cv2
import numpy as np
import pyvista as pv
from jaxtyping import UInt8
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkRenderWindow

from app.views.scene.colours import BACKGROUNDS
from app.views.scene.stage.actors import DrawnBody, DrawnPlane, DrawnTriad, PlaneShape
from app.views.scene.stage.surfaces import actor, ellipsoid
from app.views.scene.stage.vtk_log import send_vtk_messages_to_log
from app.views.scene.values import SceneBody, SceneEllipsoid, SceneUnavailableError
from app.views.scene.viewpoint import Viewpoint
from core.geometry.rigid import Rigid

NO_OPENGL = (
    "The 3D scene needs OpenGL 3.2, which this computer does not offer. Install or update the graphics "
    "driver (on Debian and Ubuntu: libegl1 and libgl1-mesa-dri); everything else works without it."
)


@final
class Stage:
    """An off-screen scene with planes, bodies, ellipsoids and an axis triad."""

    def __init__(self) -> None:
        """Open an off-screen window.

        Raises:
            SceneUnavailableError: this computer offers no OpenGL that VTK can use.
        """
        send_vtk_messages_to_log()
        self._plotter = pv.Plotter(off_screen=True, window_size=[64, 64], lighting="none")
        window = self._plotter.render_window
        if window is None:
            raise SceneUnavailableError(NO_OPENGL)
        self._window: vtkRenderWindow = window
        self._window.SetMultiSamples(0)
        if not offers_opengl(window):
            self._plotter.close()
            raise SceneUnavailableError(NO_OPENGL)
        self._renderer = self._plotter.renderer
        headlight = pv.Light(light_type="headlight", intensity=0.7)
        key = pv.Light(position=(-0.5, 0.9, 0.7), light_type="camera light", intensity=0.45)
        for light in (headlight, key):
            self._plotter.add_light(light)
        self._planes: list[DrawnPlane] = []
        self._bodies: dict[str, DrawnBody] = {}
        self._ellipsoids: list[pv.Actor] = []
        self._triad = DrawnTriad(self._window)
        self._pixels = vtkUnsignedCharArray()
        self._dark = True
        self.set_background(dark=True)

    def set_background(self, *, dark: bool) -> None:
        """Reading-room grey, or light for slides."""
        self._dark = dark
        low, high = BACKGROUNDS[dark]
        self._renderer.set_background(low, top=high)
        for plane in self._planes:
            plane.set_dark(dark)

    def set_planes(self, shapes: Sequence[PlaneShape]) -> None:
        """Draw these X-ray views; pictures stay where the number of views stays the same."""
        pictures = [plane.picture for plane in self._planes]
        for plane in self._planes:
            plane.remove()
        self._planes = [DrawnPlane(self._renderer, shape) for shape in shapes]
        kept = pictures if len(pictures) == len(shapes) else [None] * len(shapes)
        for plane, picture in zip(self._planes, kept, strict=True):
            plane.set_picture(picture, dark=self._dark)

    def set_pictures(self, pictures: Sequence[UInt8[np.ndarray, "h w"] | None]) -> None:
        """Show other pictures on the planes; a plane without one is plain."""
        for index, plane in enumerate(self._planes):
            plane.set_picture(pictures[index] if index < len(pictures) else None, dark=self._dark)

    def set_bodies(self, bodies: Sequence[SceneBody]) -> None:
        """Draw these bodies; surfaces that were drawn before are not built again."""
        wanted = {body.name: body for body in bodies}
        for name, drawn in list(self._bodies.items()):
            if name not in wanted or wanted[name].mesh is not drawn.mesh:
                drawn.remove()
                del self._bodies[name]
        for name, body in wanted.items():
            if name not in self._bodies:
                self._bodies[name] = DrawnBody(self._renderer, body.mesh)
            self._bodies[name].style(body, dark=self._dark)

    def set_poses(self, poses: Mapping[str, Rigid]) -> None:
        """Move the bodies; a body without a pose is not drawn."""
        for name, drawn in self._bodies.items():
            drawn.place(poses.get(name))

    def set_ellipsoids(self, ellipsoids: Sequence[SceneEllipsoid]) -> None:
        """Draw these uncertainty ellipsoids, translucent."""
        for old in self._ellipsoids:
            self._renderer.RemoveActor(old)
        self._ellipsoids = [
            actor(ellipsoid(e.centre_world_mm, e.covariance_mm2, e.deviations), e.colour, opacity=0.4)
            for e in ellipsoids
        ]
        for new in self._ellipsoids:
            self._renderer.AddActor(new)

    def render(
        self,
        viewpoint: Viewpoint,
        width: int,
        height: int,
        *,
        pixel_ratio: float = 1.0,
        moving: bool = False,
        scale: float = 1.0,
        jitter_px: tuple[float, float] = (0.0, 0.0),
    ) -> UInt8[np.ndarray, "h w 4"]:
        """Draw the scene; RGBA, rows from the top, ``height * scale`` by ``width * scale`` pixels.

        Args:
            viewpoint: where it is looked at from.
            width: of the picture in pixels.
            height: of the picture in pixels.
            pixel_ratio: pixels a logical pixel, for line widths, texts and the triad.
            moving: draw big surfaces with fewer triangles.
            scale: draw into this share of the window only, for less resolution without the cost of
                another window size.
            jitter_px: moves the picture by a part of a pixel; the mean of several such pictures has
                smooth edges.
        """
        self._window.SetSize(width, height)
        part = (max(1, round(width * scale)), max(1, round(height * scale)))
        self._renderer.SetViewport(0.0, 0.0, part[0] / width, part[1] / height)
        self._prepare(viewpoint, part, pixel_ratio * scale, moving=moving)
        camera = self._renderer.GetActiveCamera()
        camera.SetWindowCenter(2.0 * jitter_px[0] / part[0], 2.0 * jitter_px[1] / part[1])
        self._triad.prepare(viewpoint, (width, height), pixel_ratio * scale)
        self._window.Render()
        self._window.GetRGBACharPixelData(0, 0, part[0] - 1, part[1] - 1, 0, self._pixels, 0)
        rows = vtk_to_numpy(self._pixels).reshape(part[1], part[0], 4)  # type: ignore[no-untyped-call]
        return np.asarray(cv2.flip(rows, 0))

    def _prepare(self, viewpoint: Viewpoint, size: tuple[int, int], pixel_ratio: float, *, moving: bool) -> None:
        camera = self._renderer.GetActiveCamera()
        camera.SetPosition(*viewpoint.eye_mm)
        camera.SetFocalPoint(*viewpoint.target_mm)
        camera.SetViewUp(*viewpoint.up)
        camera.SetViewAngle(viewpoint.angle_deg)
        for body in self._bodies.values():
            body.prepare(viewpoint, size, coarse=moving, pixel_ratio=pixel_ratio)
        for plane in self._planes:
            plane.prepare(viewpoint, size, pixel_ratio)
        self._renderer.ResetCameraClippingRange()

    def close(self) -> None:
        """Let go of the window and all that hangs on it."""
        for body in self._bodies.values():
            body.remove()
        for plane in self._planes:
            plane.remove()
        self._planes, self._bodies, self._ellipsoids = [], {}, []
        self._plotter.close()


def offers_opengl(window: vtkRenderWindow) -> bool:
    """Whether the window has a driver behind it; to draw without one would crash."""
    window.Initialize()
    return bool(window.GetInitialized() and window.SupportsOpenGL())
