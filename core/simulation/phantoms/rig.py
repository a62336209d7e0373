"""A simulated dual-plane laboratory whose distortions, sources and relation are known exactly.

Detector frame of a plane: x right, y up, z toward the source, mm; the bead plate defines it, so that its centre is the
origin and its beads lie in the plane z = 0. How the plate sits on the intensifier is part of the map to the picture.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Float
from scipy.interpolate import RectBivariateSpline

from core.errors import CalibrationError
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.view import View
from core.simulation.phantoms.maps import DetectorMap, GivenMap, Points, bent_map, without_similarity

_KNOTS = 104
FULL_HEIGHT_PX, FULL_WIDTH_PX = 1600, 1664


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RigSettings:
    """What rig is made; everything else is drawn by the seed."""

    height_px: int = FULL_HEIGHT_PX
    """Of the pictures; their width is 1.04 times as much."""
    level: float = 1.0
    """Of S, swirl, fifth-order and local distortion beside the usual one: 0, 0.3, 1, 3."""
    angle_deg: float = 110.0
    """Between the normals of the detectors, which point to the sources."""
    isocentre_mm: float = 381.0
    """From detector A to where the axes (nearly) cross."""
    distance_mm: float = 1855.0
    """From source to detector, +- 8 mm."""
    principal_mm: float = 10.0
    """The principal point is up to so far from the plate's centre, along x and along y."""
    field_mm: float = 170.0
    """Radius of the round field on the detector."""

    def __post_init__(self) -> None:
        """Refuse what no rig is.

        Raises:
            CalibrationError: sizes, angles or distances that no rig has.
        """
        if not 160 <= self.height_px <= 4096:
            raise CalibrationError(f"simulated phantom pictures are 160 to 4096 px high, not {self.height_px}")
        if not 0 <= self.level <= 5:
            raise CalibrationError(f"the level of a simulated distortion is 0 to 5, not {self.level}")
        if not 10 <= self.angle_deg <= 170:
            raise CalibrationError(f"the angle between the planes must be 10 to 170 deg, got {self.angle_deg}")
        if not (self.distance_mm > 2 * self.isocentre_mm > 0 and self.field_mm > 20):
            raise CalibrationError("a simulated rig needs its isocentre nearer to the detector than to the source")

    @property
    def width_px(self) -> int:
        """Of the pictures."""
        return round(self.height_px * FULL_WIDTH_PX / FULL_HEIGHT_PX)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedPlane:
    """One X-ray plane with everything that a calibration must find out."""

    name: str
    map: DetectorMap
    source_mm: Float[np.ndarray, "3"]
    """In the detector frame; its third coordinate is the source-to-detector distance."""
    detector_from_world: Rigid
    width_px: int
    height_px: int
    field_centre_mm: Float[np.ndarray, "2"]
    field_mm: float
    """Radius of the field."""

    def shadow_mm(self, points_mm: Float[np.ndarray, "n 3"]) -> Points:
        """Where points of the detector frame cast their shadow on the detector plane."""
        points = np.asarray(points_mm, dtype=np.float64)
        share = self.source_mm[2] / (self.source_mm[2] - points[:, 2:])
        return self.source_mm[:2] + (points[:, :2] - self.source_mm[:2]) * share

    def project(self, points_mm: Float[np.ndarray, "n 3"]) -> Points:
        """Where points of the detector frame are shown in the raw picture (px)."""
        return self.map.px_from_mm(self.shadow_mm(points_mm))

    @cached_property
    def mm_of_pixels(self) -> Float[np.ndarray, "h w 2"]:
        """The point of the detector at each pixel's centre; splines between exactly solved places (good to 1e-5 mm)."""
        down, across = (np.linspace(-2.0, size + 1.0, _KNOTS) for size in (self.height_px, self.width_px))
        v, u = np.meshgrid(down, across, indexing="ij")
        known = self.map.mm_from_px(np.column_stack([u.ravel(), v.ravel()])).reshape(*v.shape, 2)
        rows, columns = np.arange(self.height_px), np.arange(self.width_px)
        return np.stack([RectBivariateSpline(down, across, known[..., i])(rows, columns) for i in range(2)], axis=-1)

    @property
    def pixel_mm(self) -> float:
        """Size of a pixel in the middle of the picture."""
        middle = self.mm_of_pixels[self.height_px // 2, self.width_px // 2 : self.width_px // 2 + 2]
        return float(np.linalg.norm(middle[1] - middle[0]))

    def pinhole(self, spacing_mm: float, width_px: int, height_px: int) -> View:
        """The true view, in the world, of a straight picture whose middle is the detector frame's origin."""
        x, y, distance = self.source_mm
        flip = np.diag([1.0, -1.0, -1.0])
        camera_from_detector = Rigid(rotation=flip, translation_mm=-flip @ self.source_mm)
        return View(
            name=self.name,
            camera_from_world=camera_from_detector @ self.detector_from_world,
            focal_px=(distance / spacing_mm, distance / spacing_mm),
            principal_px=(0.5 * (width_px - 1) + x / spacing_mm, 0.5 * (height_px - 1) - y / spacing_mm),
            width_px=width_px,
            height_px=height_px,
            pixel_spacing_mm=spacing_mm,
        )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedRig:
    """Two planes; the world is plane A's detector frame."""

    planes: Mapping[str, SimulatedPlane]
    detector_a_from_detector_b: Rigid
    settings: RigSettings
    seed: int

    @property
    def angle_deg(self) -> float:
        """Between the detectors' normals."""
        return float(np.degrees(np.arccos(self.detector_a_from_detector_b.rotation[2, 2])))


def make_rig(
    seed: int,
    settings: RigSettings | None = None,
    given: Mapping[str, Callable[[Points], Points]] | None = None,
) -> SimulatedRig:
    """A rig drawn by a seed.

    Args:
        seed: same seed, same rig.
        settings: its size and kind.
        given: for planes "A" and "B", maps from raw pixels of a 1664 x 1600 picture to mm, in place of random ones.

    Raises:
        CalibrationError: a distortion that folds the picture over.
    """
    settings = RigSettings() if settings is None else settings
    relation = _relation(np.random.default_rng([seed, 10]), settings)
    worlds = {"A": Rigid.identity(), "B": relation.inverse()}
    planes = {}
    for number, (name, detector_from_world) in enumerate(worlds.items()):
        draw = np.random.default_rng([seed, 11, number])
        function = (given or {}).get(name)
        planes[name] = SimulatedPlane(
            name=name,
            map=_random_map(draw, settings) if function is None else _given_map(function, settings),
            source_mm=_source(draw, settings),
            detector_from_world=detector_from_world,
            width_px=settings.width_px,
            height_px=settings.height_px,
            field_centre_mm=draw.uniform(-2.0, 2.0, 2),
            field_mm=settings.field_mm,
        )
    return SimulatedRig(planes=planes, detector_a_from_detector_b=relation, settings=settings, seed=seed)


def distortion_size_mm(plane: SimulatedPlane, points_mm: Points) -> Float[np.ndarray, " n"]:
    """How far points are shown from where the best shift, turn and scale would show them, in mm on the detector."""
    shown = plane.map.px_from_mm(points_mm) * np.array([1.0, -1.0]) * plane.pixel_mm
    return np.asarray(np.linalg.norm(without_similarity(points_mm, shown), axis=1))


def _random_map(draw: np.random.Generator, settings: RigSettings) -> DetectorMap:
    return bent_map(
        draw, width_px=settings.width_px, height_px=settings.height_px, level=settings.level, field_mm=settings.field_mm
    )


def _given_map(function: Callable[[Points], Points], settings: RigSettings) -> DetectorMap:
    scale = settings.height_px / FULL_HEIGHT_PX
    return GivenMap(function=function, width_px=FULL_WIDTH_PX, height_px=FULL_HEIGHT_PX, scale=scale)


def _source(draw: np.random.Generator, settings: RigSettings) -> Float[np.ndarray, "3"]:
    x, y = draw.uniform(-settings.principal_mm, settings.principal_mm, 2)
    return np.array([x, y, settings.distance_mm + draw.uniform(-8.0, 8.0)])


def _relation(draw: np.random.Generator, settings: RigSettings) -> Rigid:
    """Detector B behind the isocentre, turned about y; small tilts, and axes that miss each other by some mm."""
    angle = np.radians(settings.angle_deg + draw.uniform(-0.4, 0.4))
    rotation = so3_exp(np.array([0.0, -angle, 0.0])) @ so3_exp(np.radians(draw.uniform(-0.6, 0.6, 3) * [1.0, 0.0, 1.0]))
    isocentre = np.array([0.0, 0.0, settings.isocentre_mm]) + draw.uniform(-4.0, 4.0, 3)
    return Rigid(rotation=rotation, translation_mm=isocentre - rotation[:, 2] * (settings.isocentre_mm + 2.0))
