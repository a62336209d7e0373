"""Cone-beam views: an X-ray source, a flat detector, and what one projects on the other.

OpenCV convention: x right, y down, z from the source to the detector; (0, 0) is the centre of the
top-left pixel; ``u = fx x/z + cx``, ``v = fy y/z + cy``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np
from jaxtyping import Float

from core.errors import CalibrationError, GeometryError
from core.geometry.rigid import Rigid

NEAREST_DEPTH_MM = 1e-6
"""Points closer to the source plane than this have no projection."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One calibrated X-ray view.

    ``pixel_spacing_mm`` is the detector's pixel size where it is known; the view then also knows
    its source-to-detector distance ``SDD = f_px * spacing_mm``.
    """

    name: str
    camera_from_world: Rigid
    focal_px: tuple[float, float]
    principal_px: tuple[float, float]
    width_px: int
    height_px: int
    pixel_spacing_mm: float | None = None

    def __post_init__(self) -> None:
        """Refuse a view that no camera could have.

        Raises:
            CalibrationError: a focal length, image size or spacing that is not positive and finite.
        """
        numbers = (*self.focal_px, *self.principal_px)
        if not np.isfinite(numbers).all():
            raise CalibrationError(f"view {self.name!r}: an intrinsic parameter is not finite: {numbers}")
        if min(self.focal_px) <= 0:
            raise CalibrationError(f"view {self.name!r}: focal lengths must be positive, got {self.focal_px} px")
        if self.width_px <= 0 or self.height_px <= 0:
            raise CalibrationError(
                f"view {self.name!r}: image size must be positive, got {self.width_px} x {self.height_px} px"
            )
        if self.pixel_spacing_mm is not None and not self.pixel_spacing_mm > 0:
            raise CalibrationError(
                f"view {self.name!r}: pixel spacing must be positive, got {self.pixel_spacing_mm} mm"
            )

    @property
    def source_world_mm(self) -> Float[np.ndarray, "3"]:
        """The X-ray source in world coordinates."""
        return self.camera_from_world.inverse().translation_mm

    @property
    def axis_world(self) -> Float[np.ndarray, "3"]:
        """Unit vector from the source along the optical axis, in world coordinates."""
        return self.camera_from_world.rotation[2]

    @property
    def detector_distance_mm(self) -> float | None:
        """Source-to-detector distance, where the pixel spacing is known."""
        if self.pixel_spacing_mm is None:
            return None
        return 0.5 * sum(self.focal_px) * self.pixel_spacing_mm

    def project_camera(self, points_camera_mm: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 2"]:
        """Pixels of points given in the camera frame; NaN for points at or behind the source."""
        points = np.asarray(points_camera_mm, dtype=np.float64)
        depth = np.where(points[..., 2:] > NEAREST_DEPTH_MM, points[..., 2:], np.nan)
        return np.asarray(points[..., :2] / depth * self.focal_px + self.principal_px)

    def project(self, points_world_mm: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 2"]:
        """Pixels of points given in the world frame; NaN for points at or behind the source."""
        return self.project_camera(self.camera_from_world.apply(points_world_mm))

    def back_project_camera(self, pixels: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 3"]:
        """Camera-frame points at depth 1 mm under the pixels (scale by a depth to get mm)."""
        flat = (np.asarray(pixels, dtype=np.float64) - self.principal_px) / self.focal_px
        return np.concatenate([flat, np.ones((*flat.shape[:-1], 1))], axis=-1)

    def rays_world(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
        """Unit directions in the world from the source through the pixels."""
        camera = self.back_project_camera(pixels)
        camera /= np.linalg.norm(camera, axis=-1, keepdims=True)
        return self.camera_from_world.inverse().rotate(camera)

    def point_at_depth(
        self, pixel: Float[np.ndarray, "2"] | Sequence[float], depth_mm: float
    ) -> Float[np.ndarray, "3"]:
        """The world point under a pixel at a depth along the optical axis."""
        camera = self.back_project_camera(np.asarray(pixel, dtype=np.float64)) * depth_mm
        return self.camera_from_world.inverse().apply(camera[None])[0]

    def depth_mm(self, point_world_mm: Float[np.ndarray, "3"] | Sequence[float]) -> float:
        """Distance of a world point from the source plane along the optical axis."""
        point = np.asarray(point_world_mm, dtype=np.float64)
        return float(self.camera_from_world.apply(point[None])[0, 2])

    def millimetres_per_pixel(self, depth_mm: float) -> float:
        """Size of a pixel's footprint at a depth."""
        return depth_mm / (0.5 * sum(self.focal_px))

    def corners_world_mm(self, distance_mm: float | None = None) -> Float[np.ndarray, "4 3"]:
        """Outer corners of the picture on the plane at a distance from the source.

        Order: top left, top right, bottom right, bottom left. The default distance is the
        detector's.

        Raises:
            GeometryError: no distance is given and the detector's is unknown.
        """
        distance = self.detector_distance_mm if distance_mm is None else distance_mm
        if distance is None:
            raise GeometryError(
                f"view {self.name!r} has no pixel spacing, so its detector plane is unknown; give a distance"
            )
        right, bottom = self.width_px - 0.5, self.height_px - 0.5
        pixels = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])
        return self.camera_from_world.inverse().apply(self.back_project_camera(pixels) * distance)

    def cropped(self, left_px: int, top_px: int, width_px: int, height_px: int) -> Self:
        """The view of a rectangle cut out of the picture."""
        return replace(
            self,
            principal_px=(self.principal_px[0] - left_px, self.principal_px[1] - top_px),
            width_px=width_px,
            height_px=height_px,
        )

    def scaled(self, width_px: int, height_px: int) -> Self:
        """The view of the same picture resampled to another size (area, pixel centres kept)."""
        sx, sy = width_px / self.width_px, height_px / self.height_px
        spacing = None if self.pixel_spacing_mm is None else self.pixel_spacing_mm / sx
        return replace(
            self,
            focal_px=(self.focal_px[0] * sx, self.focal_px[1] * sy),
            principal_px=(
                (self.principal_px[0] + 0.5) * sx - 0.5,
                (self.principal_px[1] + 0.5) * sy - 0.5,
            ),
            width_px=width_px,
            height_px=height_px,
            pixel_spacing_mm=spacing,
        )


def triangulate(views: Sequence[View], pixels: Float[np.ndarray, "views 2"]) -> tuple[Float[np.ndarray, "3"], float]:
    """The world point closest to the rays of one pixel a view, and its RMS distance from them (mm).

    Raises:
        GeometryError: fewer than two views, or rays that are parallel.
    """
    if len(views) < 2:
        raise GeometryError("triangulation needs at least two views")
    directions = np.stack([v.rays_world(p[None])[0] for v, p in zip(views, pixels, strict=True)])
    sources = np.stack([view.source_world_mm for view in views])
    across = np.eye(3) - directions[:, :, None] * directions[:, None, :]
    normal = across.sum(axis=0)
    if np.linalg.cond(normal) > 1e10:
        raise GeometryError("the rays are parallel: the views cannot be triangulated")
    point = np.linalg.solve(normal, (across @ sources[..., None])[..., 0].sum(axis=0))
    residuals = (across @ (point - sources)[..., None])[..., 0]
    return point, float(np.sqrt((residuals**2).sum(axis=1).mean()))


def epipolar_line(
    seen: View,
    pixel: Float[np.ndarray, "2"] | Sequence[float],
    other: View,
    near_mm: float,
    far_mm: float,
) -> Float[np.ndarray, "2 2"]:
    """Where the ray of a pixel in one view runs in another: the pixels of its ends.

    ``near_mm`` and ``far_mm`` are depths in the view in which the pixel is seen. Ends behind the
    other source are NaN.
    """
    ends = np.stack([seen.point_at_depth(pixel, near_mm), seen.point_at_depth(pixel, far_mm)])
    return other.project(ends)
