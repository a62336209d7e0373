"""Path length through closed surfaces and line integrals through volumes for whole pictures, by the fast renderers."""

import numpy as np
from jaxtyping import Float, Float32

from core.errors import GeometryError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.geometry.volume import Volume
from core.rendering.moment_raster import moments
from core.rendering.volume_moments import accumulate_volume_moments


def lens_of(view: View) -> Float[np.ndarray, "4"]:
    """(fx, fy, cx, cy) in pixels."""
    return np.array([*view.focal_px, *view.principal_px], dtype=np.float64)


def ray_stretch(view: View) -> Float32[np.ndarray, "h w"]:
    """|(x, y, 1)|: millimetres along the ray per millimetre of depth, for each pixel."""
    x = (np.arange(view.width_px) - view.principal_px[0]) / view.focal_px[0]
    y = (np.arange(view.height_px) - view.principal_px[1]) / view.focal_px[1]
    return np.sqrt(1.0 + x[None, :] ** 2 + y[:, None] ** 2).astype(np.float32)


def path_length(
    mesh: TriangleMesh, view: View, world_from_body: Rigid, size: tuple[int, int] | None = None
) -> Float32[np.ndarray, "h w"]:
    """Millimetres of material along the ray of every pixel centre.

    ``size`` = (height, width) resamples the view; by default its own size is used.

    Raises:
        GeometryError: a part of the surface lies behind the source.
    """
    if size is not None:
        view = view.scaled(size[1], size[0])
    vertices = (view.camera_from_world @ world_from_body).apply(mesh.vertices_mm)
    if vertices[:, 2].min() <= NEAREST_DEPTH_MM:
        raise GeometryError(f"the body lies partly behind the X-ray source of view {view.name!r}")
    drawn = moments(
        np.ascontiguousarray(vertices),
        mesh.faces,
        lens_of(view),
        float(vertices[:, 2].mean()),
        (view.height_px, view.width_px),
    )
    return np.asarray(drawn[..., 0] * ray_stretch(view))


def line_integral(
    volume: Volume, view: View, world_from_body: Rigid, size: tuple[int, int] | None = None
) -> Float32[np.ndarray, "h w"]:
    """Attenuation of a CT volume (no unit) integrated along the ray of every pixel centre.

    ``size`` = (height, width) resamples the view; by default its own size is used.

    Raises:
        GeometryError: a part of the volume lies behind the source.
    """
    if size is not None:
        view = view.scaled(size[1], size[0])
    drawn = np.zeros((view.height_px, view.width_px, 2), dtype=np.float32)
    camera_from_body = view.camera_from_world @ world_from_body
    if not accumulate_volume_moments(volume, camera_from_body, lens_of(view), 0.0, drawn):
        raise GeometryError(f"the volume lies partly behind the X-ray source of view {view.name!r}")
    return np.asarray(drawn[..., 0] * ray_stretch(view))
