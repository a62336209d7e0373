"""Moments of one body in one view on a Warp device: what the tests hold against the plain renderers."""

import numpy as np
from jaxtyping import Float, Float32, Int32

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.geometry.volume import Volume
from core.rendering.warp_device import check_device, warp


class WarpView:
    """One view with its pose of one body, laid out for the kernels."""

    def __init__(self, view: View, camera_from_body: Rigid, pivot_mm: Float[np.ndarray, "3"], device: str) -> None:
        """Put the numbers of an item with one body on the device."""
        wp = warp()
        self.device = check_device(device)
        pivot = camera_from_body.apply(np.asarray(pivot_mm, dtype=np.float64)[None])
        lens = np.array([[*view.focal_px, *view.principal_px]], dtype=np.float64)
        size = np.array([[view.height_px, view.width_px]], dtype=np.int32)
        self.depth_mm = float(pivot[0, 2])
        self.rotations = wp.array(camera_from_body.rotation[None, None], dtype=wp.mat33d, device=self.device)
        self.pivots = wp.array(pivot[None], dtype=wp.vec3d, device=self.device)
        self.lenses = wp.array(lens, dtype=wp.vec4d, device=self.device)
        self.sizes = wp.array(size, dtype=wp.vec2i, device=self.device)
        self.active = wp.ones(1, dtype=int, device=self.device)
        self.moments = wp.zeros((1, view.height_px, view.width_px, 2), dtype=float, device=self.device)


def mesh_moments(
    vertices_mm: Float[np.ndarray, "n 3"],
    faces: Int32[np.ndarray, "m 3"],
    view: View,
    camera_from_body: Rigid,
    pivot_mm: Float[np.ndarray, "3"],
    device: str = "cpu",
) -> tuple[Float32[np.ndarray, "h w 2"], float]:
    """The two moments of a closed surface, and the depth z0 (mm) they are about.

    Raises:
        DeviceError: Warp or the device is not there.
    """
    wp = warp()
    from core.rendering import warp_kernels as kernels

    item = WarpView(view, camera_from_body, pivot_mm, device)
    about_pivot = np.asarray(vertices_mm - np.asarray(pivot_mm), dtype=np.float64)
    vertices = wp.array(about_pivot, dtype=wp.vec3d, device=item.device)
    corners = wp.array(np.asarray(faces, dtype=np.int32), dtype=wp.vec3i, device=item.device)
    positions = wp.empty((1, len(vertices_mm)), dtype=wp.vec3d, device=item.device)
    pixels = wp.empty((1, len(vertices_mm)), dtype=wp.vec2d, device=item.device)
    wp.launch(
        kernels.project,
        (1, len(vertices_mm)),
        [vertices, 0, item.rotations, item.pivots, item.lenses, item.active, 1, positions, pixels],
        device=item.device,
    )
    wp.launch(
        kernels.draw_faces,
        (1, len(faces), 1),
        [corners, 0, 1, positions, pixels, item.pivots, item.lenses, item.sizes, item.active, 1, 1, item.moments],
        device=item.device,
    )
    return item.moments.numpy()[0], item.depth_mm


def volume_moments(
    volume: Volume, view: View, camera_from_body: Rigid, step_mm: float, device: str = "cpu"
) -> tuple[Float32[np.ndarray, "h w 2"], float]:
    """The two moments of attenuation about the volume's middle (M0 without unit), and their depth z0 (mm).

    Raises:
        DeviceError: Warp or the device is not there.
    """
    wp = warp()
    from core.rendering import warp_kernels as kernels

    item = WarpView(view, camera_from_body, volume.centre_mm, device)
    turn, middle = index_from_body(volume, volume.centre_mm)
    wp.launch(
        kernels.draw_volume,
        (1, view.height_px, view.width_px),
        [
            wp.array(volume.attenuation_per_mm, dtype=float, device=item.device),
            wp.mat33(turn),
            wp.vec3(middle),
            step_mm,
            *(0, 1, item.rotations, item.pivots, item.lenses, item.sizes, item.active, 1, item.moments),
        ],
        device=item.device,
    )
    return item.moments.numpy()[0], item.depth_mm


def index_from_body(
    volume: Volume, pivot_mm: Float[np.ndarray, "3"]
) -> tuple[Float32[np.ndarray, "3 3"], Float32[np.ndarray, "3"]]:
    """The linear part of grid indices from body mm, and the indices of the pivot."""
    grid_from_body = volume.body_from_grid.inverse()
    linear = grid_from_body.rotation / volume.spacing_mm[:, None]
    pivot = grid_from_body.apply(np.asarray(pivot_mm, dtype=np.float64)[None])[0] / volume.spacing_mm
    return linear.astype(np.float32), pivot.astype(np.float32)
