"""Geometry and small actors as PyVista has them: surfaces with normals, lines, quads, texts, pictures."""

from typing import final

import cv2
import numpy as np
import pyvista as pv
from jaxtyping import Float, Float32, UInt8
from vtkmodules.vtkFiltersCore import vtkQuadricClustering
from vtkmodules.vtkRenderingCore import vtkTextActor

from core.geometry.mesh import TriangleMesh

LARGEST_PICTURE_PX = 1024
FEATURE_ANGLE_DEG = 22.0
"""Edges sharper than this stay sharp in the shading."""
COARSE_FACES = 12_000
"""Surfaces above this are drawn coarser while something moves."""
COARSE_DIVISIONS = 56
"""Cells along the longest side of the box in which a coarse surface keeps one vertex."""


def surface(mesh: TriangleMesh) -> pv.PolyData:
    """The triangles as they are."""
    faces = np.empty((len(mesh.faces), 4), dtype=np.int64)
    faces[:, 0], faces[:, 1:] = 3, mesh.faces
    return pv.PolyData(mesh.vertices_mm.astype(np.float32), faces.ravel())


@final
class Level:
    """A surface at one level of detail: plain, with normals for shading, and as a rim around itself."""

    def __init__(self, plain: pv.PolyData) -> None:
        self.plain = plain
        self.shaded = shaded(plain)
        self._rim: pv.PolyData | None = None
        self._base: Float32[np.ndarray, "n 3"] | None = None
        self._normals: Float32[np.ndarray, "n 3"] | None = None
        self._width_mm = 0.0

    def rim(self, width_mm: float) -> pv.PolyData:
        """The surface blown up by a width: seen from the inside only, it shows as a rim around the body."""
        if self._rim is None or self._base is None or self._normals is None:
            smooth = shaded(self.plain, split=False)
            self._normals = np.array(smooth.point_data["Normals"], dtype=np.float32)
            self._base = np.array(smooth.points, dtype=np.float32)
            self._rim = pv.PolyData(self._base.copy(), smooth.faces)
        if abs(width_mm - self._width_mm) > 0.1 * self._width_mm:
            self._width_mm = width_mm
            self._rim.points = self._base + np.float32(width_mm) * self._normals
        return self._rim


def shaded(plain: pv.PolyData, *, split: bool = True) -> pv.PolyData:
    """The same surface with normals that are smooth, except (with split) at sharp edges."""
    return plain.compute_normals(
        cell_normals=False,
        split_vertices=split,
        feature_angle=FEATURE_ANGLE_DEG,
        consistent_normals=False,
        auto_orient_normals=False,
    )


def coarser(plain: pv.PolyData) -> pv.PolyData:
    """A surface of a few thousand triangles that looks alike from afar; small ones are returned as they are."""
    if plain.n_cells <= COARSE_FACES:
        return plain
    extent = np.ptp(np.reshape(plain.bounds, (3, 2)), axis=1)
    divisions = np.maximum(2, np.ceil(COARSE_DIVISIONS * extent / max(float(extent.max()), 1e-9)))
    cluster = vtkQuadricClustering()
    cluster.SetInputData(plain)
    cluster.AutoAdjustNumberOfDivisionsOff()
    cluster.SetNumberOfDivisions(*(int(n) for n in divisions))
    cluster.Update()
    found = pv.wrap(cluster.GetOutput())
    return found if found.n_cells else plain


def actor(dataset: pv.PolyData, colour: str = "#ffffff", opacity: float = 1.0, *, lit: bool = True) -> pv.Actor:
    """An actor of one colour."""
    mapper = pv.DataSetMapper(dataset=dataset)
    mapper.ScalarVisibilityOff()
    made = pv.Actor(mapper=mapper)
    made.prop.color = colour
    made.prop.opacity = opacity
    made.prop.lighting = lit
    made.prop.interpolation = "Gouraud"
    return made


def lines(points_mm: Float[np.ndarray, "n 3"], segments: list[tuple[int, int]]) -> pv.PolyData:
    """Segments between numbered points."""
    cells = np.array([(2, a, b) for a, b in segments])
    return pv.PolyData(np.asarray(points_mm, dtype=np.float32), lines=cells.ravel())


def picture_quad(corners_mm: Float[np.ndarray, "4 3"]) -> pv.PolyData:
    """A rectangle for a texture; corners from the top left, clockwise as the picture is seen."""
    quad = pv.PolyData(np.asarray(corners_mm, dtype=np.float32), faces=[4, 0, 1, 2, 3])
    corners = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], dtype=np.float64)
    quad.active_texture_coordinates = corners
    return quad


def ellipsoid(
    centre_mm: Float[np.ndarray, "3"], covariance_mm2: Float[np.ndarray, "3 3"], deviations: float
) -> pv.PolyData:
    """The surface at so many standard deviations from the centre."""
    variances, axes = np.linalg.eigh(np.asarray(covariance_mm2, dtype=np.float64))
    radii = deviations * np.sqrt(np.maximum(variances, 0.0))
    ball = pv.Sphere(radius=1.0, theta_resolution=32, phi_resolution=24)
    turned = (np.asarray(ball.points) * radii) @ axes.T + centre_mm
    moved = pv.PolyData(turned.astype(np.float32), ball.faces)
    return moved.compute_normals(cell_normals=False)


def text(words: str, colour: str, at_mm: Float[np.ndarray, "3"]) -> vtkTextActor:
    """Words that stand at a point of the world, in screen size, never behind anything."""
    made = vtkTextActor()
    made.SetInput(words)
    made.GetPositionCoordinate().SetCoordinateSystemToWorld()
    made.GetPositionCoordinate().SetValue(*(float(x) for x in at_mm))
    style = made.GetTextProperty()
    style.SetFontFamilyToArial()
    style.SetBold(True)
    style.SetJustificationToCentered()
    style.SetVerticalJustificationToCentered()
    style.SetColor(*pv.Color(colour).float_rgb)
    return made


def shrunk(picture: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h2 w2"]:
    """The picture with no side longer than a texture needs, averaged."""
    longest = max(picture.shape)
    if longest <= LARGEST_PICTURE_PX:
        return picture
    factor = LARGEST_PICTURE_PX / longest
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def texture_rows(picture: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "n 3"]:
    """Grey as RGB, rows from the bottom, as a texture stores them."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture[::-1]), cv2.COLOR_GRAY2RGB)).reshape(-1, 3)
