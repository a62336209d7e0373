"""What stands on the stage: X-ray planes, bodies in two levels of detail, and the triad of axes."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyvista as pv
from jaxtyping import Float, UInt8
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkRenderer,
    vtkRenderWindow,
    vtkTextActor,
    vtkTexture,
)

from app.views.scene.colours import AXIS_COLOURS, EMPTY_PICTURE, SELECTION
from app.views.scene.stage.surfaces import (
    Level,
    actor,
    coarser,
    lines,
    picture_quad,
    shrunk,
    surface,
    text,
    texture_rows,
)
from app.views.scene.values import SceneBody
from app.views.scene.viewpoint import Viewpoint
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid

TRIAD_PX = 92
BEHIND_OPACITY = 0.4
GHOST_OPACITY = 0.28
RIM_PX = 2.2
RIM_BEHIND = 0.008
RIM_SHARE = 0.02
"""Widest rim as a share of the body, so that a body far away is not all rim."""
SMALL_PX = 160.0
"""Bodies smaller than this on the screen are always drawn coarse: nobody sees the difference."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneShape:
    """One X-ray view as geometry: the source and the picture's corners (from the top left, clockwise)."""

    name: str
    colour: str
    source_mm: Float[np.ndarray, "3"]
    corners_mm: Float[np.ndarray, "4 3"]
    marker_mm: float


@final
class DrawnPlane:
    """A source marker, the frustum's edges, and the textured picture of one X-ray view."""

    def __init__(self, renderer: vtkRenderer, shape: PlaneShape) -> None:
        self.picture: UInt8[np.ndarray, "h w"] | None = None
        self.shape = shape
        corners = shape.corners_mm
        self._image = pv.ImageData(dimensions=(1, 1, 1))
        self._texture = vtkTexture()
        self._texture.InterpolateOn()
        self._texture.SetColorModeToDirectScalars()
        self._screen = actor(picture_quad(corners), lit=False)
        loop = lines(_in_front(shape), [(0, 1), (1, 2), (2, 3), (3, 0)])
        spokes = lines(np.vstack([shape.source_mm, corners]), [(0, 1), (0, 2), (0, 3), (0, 4)])
        self._border = actor(loop, shape.colour, lit=False)
        self._spokes = actor(spokes, shape.colour, lit=False)
        marker = pv.Sphere(radius=shape.marker_mm, center=shape.source_mm, theta_resolution=24, phi_resolution=16)
        self._marker = actor(marker, shape.colour)
        down = corners[3] - corners[0]
        self._title = text(shape.name, shape.colour, corners[:2].mean(axis=0) - 0.07 * down)
        self._source_title = text(f"source {shape.name}", shape.colour, shape.source_mm)
        self._source_title.GetTextProperty().SetVerticalJustificationToBottom()
        self._renderer = renderer
        for part in self._parts():
            renderer.AddActor(part)

    def _parts(self) -> tuple[vtkActor | vtkTextActor, ...]:
        pieces = (self._screen, self._border, self._spokes, self._marker)
        return (*pieces, self._title, self._source_title)

    def set_dark(self, dark: bool) -> None:
        """Choose the colour of a plane without a picture."""
        if self.picture is None:
            self._screen.prop.color = EMPTY_PICTURE[dark]

    def set_picture(self, picture: UInt8[np.ndarray, "h w"] | None, *, dark: bool) -> None:
        """Copy a picture into the texture, made smaller when it is large."""
        self.picture = picture
        if picture is None:
            self._screen.SetTexture(None)
            self.set_dark(dark)
            return
        small = shrunk(picture)
        size = (small.shape[1], small.shape[0], 1)
        if self._image.dimensions != size:
            self._image = pv.ImageData(dimensions=size)
            self._image.point_data["grey"] = texture_rows(small)
            self._image.set_active_scalars("grey")
            self._texture.SetInputData(self._image)
        else:
            np.asarray(self._image.point_data["grey"])[:] = texture_rows(small)
            self._image.GetPointData().GetScalars().Modified()
            self._image.Modified()
        self._screen.SetTexture(self._texture)
        self._screen.prop.color = "#ffffff"

    def prepare(self, viewpoint: Viewpoint, size: tuple[int, int], pixel_ratio: float) -> None:
        """Thin the picture when it is seen from behind, and hide what the eye stands in."""
        middle = self.shape.corners_mm.mean(axis=0)
        source = self.shape.source_mm
        in_front = float((viewpoint.eye_mm - middle) @ (source - middle)) > 0
        self._screen.prop.opacity = 1.0 if in_front else BEHIND_OPACITY
        at_source = float(np.linalg.norm(viewpoint.eye_mm - source)) < 2.0 * self.shape.marker_mm
        for part in (self._marker, self._spokes):
            part.SetVisibility(not at_source)
        seen = float(viewpoint.depth_mm(source)) > 2.0 * self.shape.marker_mm
        self._source_title.SetVisibility(seen and not at_source)
        self._title.SetVisibility(float(viewpoint.depth_mm(middle)) > 1.0 and not at_source)
        self._border.prop.line_width = 2.5 * pixel_ratio
        self._spokes.prop.line_width = 1.6 * pixel_ratio
        self._title.GetTextProperty().SetFontSize(round(18 * pixel_ratio))
        self._source_title.GetTextProperty().SetFontSize(round(13 * pixel_ratio))
        lift = 1.5 * self.shape.marker_mm + 6.0 * pixel_ratio * viewpoint.mm_per_px(source, size)
        self._source_title.GetPositionCoordinate().SetValue(*(source + lift * viewpoint.up))

    def remove(self) -> None:
        """Take everything off the stage."""
        for part in self._parts():
            self._renderer.RemoveActor(part)


def _in_front(shape: PlaneShape) -> Float[np.ndarray, "4 3"]:
    """The picture's corners moved a hair outward and toward the source, so that the border is not cut."""
    middle = shape.corners_mm.mean(axis=0)
    outward = middle + (shape.corners_mm - middle) * 1.003
    return np.asarray(outward + (shape.source_mm - outward) * 0.002)


@final
class DrawnBody:
    """One body's surface in two levels of detail, with a rim around it where it is selected."""

    def __init__(self, renderer: vtkRenderer, mesh: TriangleMesh) -> None:
        self.mesh = mesh
        self._renderer = renderer
        self._centre_mm = mesh.centre_mm
        self._diameter_mm = float(np.linalg.norm(mesh.extent_mm))
        self._levels = {False: Level(surface(mesh))}
        self._actor = actor(self._levels[False].shaded)
        self._rim = actor(self._levels[False].shaded, lit=False)
        self._rim.prop.culling = "front"
        self._matrix = vtkMatrix4x4()
        self._rim_matrix = vtkMatrix4x4()
        for part, matrix in ((self._actor, self._matrix), (self._rim, self._rim_matrix)):
            part.SetUserMatrix(matrix)
            renderer.AddActor(part)
        self._visible, self._placed, self._selected = True, False, False

    def style(self, body: SceneBody, *, dark: bool) -> None:
        """Colour, opacity, selection."""
        prop = self._actor.prop
        prop.color = body.colour
        prop.opacity = min(body.opacity, GHOST_OPACITY) if body.ghost else body.opacity
        prop.specular, prop.specular_power = (0.0, 1.0) if body.ghost else (0.3, 24.0)
        prop.ambient, prop.diffuse = (0.25, 0.85) if body.selected else (0.16, 0.85)
        prop.culling = "back" if body.ghost else "none"
        self._rim.prop.color = SELECTION[dark]
        self._selected = body.selected and not body.ghost
        self._visible = body.visible
        self._show()

    def place(self, world_from_body: Rigid | None) -> None:
        """Move the body, or take it away while it has no pose."""
        self._placed = world_from_body is not None
        if world_from_body is not None:
            self._matrix.DeepCopy(world_from_body.as_matrix().ravel().tolist())
        self._show()

    def _show(self) -> None:
        self._actor.SetVisibility(self._visible and self._placed)
        self._rim.SetVisibility(self._visible and self._placed and self._selected)

    def prepare(self, viewpoint: Viewpoint, size: tuple[int, int], *, coarse: bool, pixel_ratio: float) -> None:
        """Choose the level of detail and the rim's width; coarse surfaces are made when first needed."""
        centre = np.array(self._matrix.MultiplyPoint((*self._centre_mm, 1.0))[:3])
        mm_per_px = pixel_ratio * viewpoint.mm_per_px(centre, size)
        coarse = coarse or self._diameter_mm < SMALL_PX * mm_per_px
        _show_surface(self._actor, self._level(coarse=coarse).shaded)
        if self._rim.GetVisibility():
            self._surround(viewpoint, min(RIM_PX * mm_per_px, RIM_SHARE * self._diameter_mm))

    def _surround(self, viewpoint: Viewpoint, width_mm: float) -> None:
        """Stand the blown-up surface a little behind the body, so that it only shows around it."""
        _show_surface(self._rim, self._level(coarse=True).rim(width_mm))
        self._rim_matrix.DeepCopy(self._matrix)
        behind = -(width_mm + RIM_BEHIND * self._diameter_mm) * viewpoint.back
        for axis in range(3):
            self._rim_matrix.SetElement(axis, 3, self._matrix.GetElement(axis, 3) + float(behind[axis]))

    def _level(self, *, coarse: bool) -> Level:
        if coarse not in self._levels:
            fine = self._levels[False]
            plain = coarser(fine.plain)
            self._levels[coarse] = fine if plain is fine.plain else Level(plain)
        return self._levels[coarse]

    def remove(self) -> None:
        """Take it off the stage."""
        self._renderer.RemoveActor(self._actor)
        self._renderer.RemoveActor(self._rim)


def _show_surface(shown: pv.Actor, dataset: pv.PolyData) -> None:
    if shown.mapper.GetInput() is not dataset:
        shown.mapper.SetInputData(dataset)


@final
class DrawnTriad:
    """The labelled axes of the world in the lower left corner, in a layer of their own."""

    def __init__(self, window: vtkRenderWindow) -> None:
        self._renderer = vtkRenderer()
        self._renderer.SetLayer(1)
        self._renderer.InteractiveOff()
        window.SetNumberOfLayers(2)
        window.AddRenderer(self._renderer)
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._shafts: list[pv.Actor] = []
        self._letters: list[vtkTextActor] = []
        for tip, colour, letter in zip(np.eye(3), AXIS_COLOURS, "XYZ", strict=True):
            arrow = pv.Arrow(start=(0, 0, 0), direction=tip, tip_length=0.3, tip_radius=0.12, shaft_radius=0.045)
            shaft = actor(arrow, colour)
            shaft.prop.ambient, shaft.prop.diffuse = 0.6, 0.4
            self._shafts.append(shaft)
            self._letters.append(text(letter, colour, 1.28 * tip))
            self._renderer.AddActor(shaft)
            self._renderer.AddActor(self._letters[-1])

    def prepare(self, viewpoint: Viewpoint, size: tuple[int, int], pixel_ratio: float) -> None:
        """Turn with the scene, at the same size on every screen."""
        side = TRIAD_PX * pixel_ratio
        self._renderer.SetViewport(0.0, 0.0, min(1.0, side / size[0]), min(1.0, side / size[1]))
        camera = self._renderer.GetActiveCamera()
        camera.SetFocalPoint(0.0, 0.0, 0.0)
        camera.SetPosition(*(10.0 * viewpoint.back))
        camera.SetViewUp(*viewpoint.up)
        camera.SetParallelScale(1.6)
        camera.SetClippingRange(1.0, 20.0)
        for letter in self._letters:
            letter.GetTextProperty().SetFontSize(round(12 * pixel_ratio))
