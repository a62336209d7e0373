"""The simulated dual-plane laboratory: two X-ray sources and detectors around the walking knee."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from core.errors import CalibrationError
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.view import View

SOURCE_TO_DETECTOR_MM = 1850.0
SOURCE_TO_CENTRE_MM = 1350.0
FIELD_AT_CENTRE_MM = 290.0
"""Width of the picture at the centre of the rig: the field of a 16 inch image intensifier."""


def dual_plane_rig(size_px: int = 1024, *, angle_deg: float = 70.0) -> tuple[View, View]:
    """Views A (from the right knee's outer side, a little behind) and B (oblique, from in front), square pictures.

    World: origin where the axes meet, y up, z where the walker looks, x to the right of someone who faces
    the walker. Both axes are a little tilted and rolled and miss the middle of their detectors, as they do.

    Raises:
        CalibrationError: a picture size or an angle that no rig has.
    """
    if not 64 <= size_px <= 8192:
        raise CalibrationError(f"a simulated picture must be 64 to 8192 px wide, got {size_px}")
    if not 10.0 <= angle_deg <= 170.0:
        raise CalibrationError(f"the angle between the planes must be 10 to 170 deg, got {angle_deg}")
    first = _view("A", size_px, azimuth_deg=-18.0, elevation_deg=-4.0, roll_deg=2.0, offset=(0.011, -0.017))
    second = _view("B", size_px, azimuth_deg=angle_deg - 18.0, elevation_deg=3.0, roll_deg=-3.0, offset=(-0.014, 0.009))
    return first, second


def _view(
    name: str, size_px: int, *, azimuth_deg: float, elevation_deg: float, roll_deg: float, offset: Sequence[float]
) -> View:
    """A view from an azimuth counted from -x toward +z; offsets are shares of the picture's width."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    toward_source = np.array(
        [-np.cos(azimuth) * np.cos(elevation), np.sin(elevation), np.sin(azimuth) * np.cos(elevation)]
    )
    world_from_camera = _looking_along(-toward_source) @ so3_exp(np.array([0.0, 0.0, np.radians(roll_deg)]))
    camera_from_world = Rigid(rotation=world_from_camera.T, translation_mm=np.array([0.0, 0.0, SOURCE_TO_CENTRE_MM]))
    spacing_mm = FIELD_AT_CENTRE_MM * SOURCE_TO_DETECTOR_MM / SOURCE_TO_CENTRE_MM / size_px
    focal_px = SOURCE_TO_DETECTOR_MM / spacing_mm
    middle = 0.5 * (size_px - 1)
    return View(
        name=name,
        camera_from_world=camera_from_world,
        focal_px=(focal_px, focal_px),
        principal_px=(middle + offset[0] * size_px, middle + offset[1] * size_px),
        width_px=size_px,
        height_px=size_px,
        pixel_spacing_mm=spacing_mm,
    )


def _looking_along(direction: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """Camera axes (columns: right, down, forward) of someone upright who looks along a direction."""
    right = np.cross(direction, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction], axis=-1)
