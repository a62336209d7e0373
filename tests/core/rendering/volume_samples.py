"""Volumes and views for tests of X-raying a CT."""

import numpy as np
from scipy import ndimage

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.geometry.volume import Volume


def bone(
    shape: tuple[int, int, int] = (40, 36, 28),
    spacing_mm: tuple[float, float, float] = (1.0, 1.2, 1.7),
    smooth_voxels: float = 1.0,
    turned_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Volume:
    """A hollow lump with some texture, ``shape`` = (i, j, k) voxels, centred on the body's origin."""
    i, j, k = shape
    axes = [np.linspace(-1, 1, n) for n in (k, j, i)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt((x * 1.25) ** 2 + (y * 1.5 + 0.2 * x) ** 2 + (z * 1.3) ** 2)
    noise = np.random.default_rng(4).standard_normal(radius.shape)
    values = np.where(radius < 0.9, 0.03 + 0.004 * noise, 0.0) + np.where((radius > 0.75) & (radius < 0.9), 0.04, 0.0)
    values = ndimage.gaussian_filter(values, smooth_voxels)
    values[values < 1e-5] = 0.0
    turn = Rigid.from_euler(turned_deg, [0.0, 0.0, 0.0]).rotation
    spacing = np.array(spacing_mm)
    middle = 0.5 * (np.array(shape) - 1) * spacing
    return Volume(
        attenuation_per_mm=values.astype(np.float32),
        spacing_mm=spacing,
        body_from_grid=Rigid(rotation=turn, translation_mm=-turn @ middle),
    )


def view_of(size_px: int = 72, field_mm: float = 80.0) -> View:
    """A view whose picture spans so many mm around the world's origin, a metre from the source."""
    focal = 1000.0 * size_px / field_mm
    return View(
        name="A",
        camera_from_world=Rigid(rotation=np.eye(3), translation_mm=np.array([0.0, 0.0, 1000.0])),
        focal_px=(focal, focal),
        principal_px=(0.5 * (size_px - 1) + 1.3, 0.5 * (size_px - 1) - 0.7),
        width_px=size_px,
        height_px=size_px,
    )
