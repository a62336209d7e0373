"""How a simulated image intensifier bends its picture: maps between the detector (mm) and the raw picture (px).

They share nothing with the model that a calibration fits: the bent map is not a polynomial, it is defined from mm to px
(the other way round than a calibration's), and it is inverted by a solver of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from jaxtyping import Float

from core.errors import CalibrationError

Points = Float[np.ndarray, "n 2"]
UNIT_MM = 180.0
"""Lengths are divided by this before powers are taken: the radius of a 16 inch intensifier's field."""
BASE_RMS_MM = 1.25
"""What a bicubic fitted to a real intensifier leaves after the best shift, turn and scale, RMS over the field."""
LEVEL_RMS_MM = 0.32
"""What level 1 adds to it: S, swirl, fifth-order radial and local bumps."""
_QUARTER_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
_NEWTON_STEPS = 25


class DetectorMap(Protocol):
    """Both ways between the detector plane (mm, y up) and the raw picture (px, v down)."""

    def px_from_mm(self, points_mm: Points) -> Points:
        """Where points of the detector are shown."""

    def mm_from_px(self, pixels: Points) -> Points:
        """What point of the detector a place in the picture shows."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Bending:
    """Displacements (mm) of the picture of a point x, before shift, turn and scale; ``q = (x - centre) / UNIT_MM``."""

    centre_mm: Float[np.ndarray, "2"]
    pincushion_mm: float
    """``k |q|^2 q``."""
    lopsided_mm: Float[np.ndarray, "7 2"]
    """Coefficients of qx^2, qx qy, qy^2, qx^3, qx^2 qy, qx qy^2, qy^3: the earth's field, a tilted screen."""
    s_mm: float
    """``s |q|^2 J q``, J a quarter turn: the S shape of magnetic fields."""
    radial_5_mm: float
    swirl_deg: float
    """Turn about ``swirl_centre_mm``, fading out as a Gaussian."""
    swirl_centre_mm: Float[np.ndarray, "2"]
    swirl_reach_mm: float
    bumps_mm: Float[np.ndarray, "k 2"]
    bump_centres_mm: Float[np.ndarray, "k 2"]
    bump_reaches_mm: Float[np.ndarray, " k"]

    def usual(self, points_mm: Points) -> Points:
        """Pincushion and what is lopsided about it."""
        q = (points_mm - self.centre_mm) / UNIT_MM
        x, y = q.T
        terms = np.column_stack([x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3])
        return self.pincushion_mm * (q * q).sum(axis=1, keepdims=True) * q + terms @ self.lopsided_mm

    def unusual(self, points_mm: Points) -> Points:
        """S, fifth order, swirl and bumps."""
        q = (points_mm - self.centre_mm) / UNIT_MM
        square = (q * q).sum(axis=1, keepdims=True)
        bent = self.s_mm * square * (q @ _QUARTER_TURN.T) + self.radial_5_mm * square**2 * q
        away = points_mm - self.swirl_centre_mm
        fading = np.exp(-0.5 * (away**2).sum(axis=1, keepdims=True) / self.swirl_reach_mm**2)
        bent += np.radians(self.swirl_deg) * fading * (away @ _QUARTER_TURN.T)
        for bump, centre, reach in zip(self.bumps_mm, self.bump_centres_mm, self.bump_reaches_mm, strict=True):
            far = ((points_mm - centre) ** 2).sum(axis=1, keepdims=True)
            bent += bump * np.exp(-0.5 * far / reach**2)
        return bent


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BentMap:
    """Bending, then shift, turn and scale: ``px = centre + diag(1, -1) R(turn) (bent - shift) / pixel``."""

    bending: Bending
    usual_factor: float
    unusual_factor: float
    shift_mm: Float[np.ndarray, "2"]
    turn_deg: float
    pixel_mm: float
    centre_px: Float[np.ndarray, "2"]

    def bent_mm(self, points_mm: Points) -> Points:
        """Displacements without shift, turn and scale."""
        bent = self.usual_factor * self.bending.usual(points_mm)
        return bent + self.unusual_factor * self.bending.unusual(points_mm) if self.unusual_factor else bent

    def px_from_mm(self, points_mm: Points) -> Points:
        """Where points of the detector are shown."""
        points = np.asarray(points_mm, dtype=np.float64)
        angle = np.radians(self.turn_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned = (points + self.bent_mm(points) - self.shift_mm) @ turn.T
        return turned / self.pixel_mm * np.array([1.0, -1.0]) + self.centre_px

    def mm_from_px(self, pixels: Points) -> Points:
        """What point of the detector a place in the picture shows; solved to 1e-9 mm."""
        pixels = np.asarray(pixels, dtype=np.float64)
        start = (pixels - self.centre_px) * np.array([1.0, -1.0]) * self.pixel_mm + self.shift_mm
        return solved(self.px_from_mm, pixels, start, step=0.05)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class GivenMap:
    """A map that is known from px to mm, such as real coefficients, for pictures of ``scale`` times its pixels."""

    function: Callable[[Points], Points]
    width_px: int
    height_px: int
    """Of the pictures that the function is made for."""
    scale: float = 1.0

    def mm_from_px(self, pixels: Points) -> Points:
        """What point of the detector a place in the picture shows."""
        return self.function((np.asarray(pixels, dtype=np.float64) + 0.5) / self.scale - 0.5)

    def px_from_mm(self, points_mm: Points) -> Points:
        """Where points of the detector are shown; solved to 1e-9 px."""
        points = np.asarray(points_mm, dtype=np.float64)
        u, v = np.meshgrid(np.linspace(0, self.width_px - 1, 12), np.linspace(0, self.height_px - 1, 12))
        pixels = (np.column_stack([u.ravel(), v.ravel()]) + 0.5) * self.scale - 0.5
        known = np.column_stack([self.mm_from_px(pixels), np.ones(len(pixels))])
        affine = np.linalg.lstsq(known, pixels, rcond=None)[0]
        start = np.column_stack([points, np.ones(len(points))]) @ affine
        return solved(self.mm_from_px, points, start, step=0.2)


def solved(function: Callable[[Points], Points], wanted: Points, start: Points, *, step: float) -> Points:
    """Arguments at which a smooth map of the plane takes the wanted values: Newton's method on differences.

    Raises:
        CalibrationError: the map folds, so that there is no such argument near.
    """
    here = np.array(start, dtype=np.float64)
    shift = step * np.eye(2)
    for _ in range(_NEWTON_STEPS):
        slopes = [(function(here + side) - function(here - side)) / (2 * step) for side in shift]
        jacobian = np.stack(slopes, axis=-1)
        if not (np.abs(np.linalg.det(jacobian)) > 1e-9).all():
            break
        move = np.linalg.solve(jacobian, (wanted - function(here))[..., None])[..., 0]
        here += move
        if np.abs(move).max(initial=0.0) < 1e-9:
            return here
    raise CalibrationError("a simulated distortion folds the picture over; choose a lower level")


def random_bending(draw: np.random.Generator) -> Bending:
    """A bending of plausible proportions; its size is set by ``bent_map``."""
    count = 7
    bearing, away = draw.uniform(0, 2 * np.pi, count), UNIT_MM * np.sqrt(draw.uniform(0.02, 0.8, count))
    return Bending(
        centre_mm=draw.uniform(-12.0, 12.0, 2),
        pincushion_mm=float(draw.uniform(6.0, 7.0)),
        lopsided_mm=draw.normal(0.0, 1.0, (7, 2)) * np.array([0.35] * 3 + [0.8] * 4)[:, None],
        s_mm=float(draw.choice([-1.0, 1.0]) * draw.uniform(1.2, 2.0)),
        radial_5_mm=float(draw.choice([-1.0, 1.0]) * draw.uniform(0.8, 1.6)),
        swirl_deg=float(draw.choice([-1.0, 1.0]) * draw.uniform(0.3, 0.5)),
        swirl_centre_mm=draw.uniform(-40.0, 40.0, 2),
        swirl_reach_mm=float(draw.uniform(45.0, 70.0)),
        bumps_mm=draw.normal(0.0, 0.3, (count, 2)),
        bump_centres_mm=np.column_stack([away * np.cos(bearing), away * np.sin(bearing)]),
        bump_reaches_mm=draw.uniform(28.0, 45.0, count),
    )


def bent_map(draw: np.random.Generator, *, width_px: int, height_px: int, level: float, field_mm: float) -> BentMap:
    """A random distortion of the size of a real one, with ``level`` times the usual amount of other shapes."""
    bending = random_bending(draw)
    disc = points_on_disc(field_mm)
    return BentMap(
        bending=bending,
        usual_factor=BASE_RMS_MM * float(draw.uniform(0.97, 1.03)) / _unlike_similarity_mm(disc, bending.usual(disc)),
        unusual_factor=level * LEVEL_RMS_MM / _unlike_similarity_mm(disc, bending.unusual(disc)),
        shift_mm=draw.uniform(-4.0, 4.0, 2),
        turn_deg=float(draw.choice([-1.0, 1.0]) * draw.uniform(0.4, 0.9)),
        pixel_mm=float(draw.uniform(0.2225, 0.2275)) * 1600.0 / height_px,
        centre_px=0.5 * np.array([width_px - 1.0, height_px - 1.0]) + draw.uniform(-3.0, 3.0, 2) * height_px / 1600.0,
    )


def points_on_disc(radius_mm: float, across: int = 61) -> Points:
    """A square lattice of points on a disc round the origin."""
    line = np.linspace(-radius_mm, radius_mm, across)
    points = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return points[np.linalg.norm(points, axis=1) <= radius_mm]


def without_similarity(points_mm: Points, shown: Points) -> Points:
    """What is left of ``shown`` after the shift, turn and scale of ``points_mm`` that come nearest to it."""
    one, other = (shown - shown.mean(axis=0)) @ [1, 1j], (points_mm - points_mm.mean(axis=0)) @ [1, 1j]
    left = one - other * (np.vdot(other, one) / np.vdot(other, other))
    return np.column_stack([left.real, left.imag])


def _unlike_similarity_mm(points_mm: Points, displacement_mm: Points) -> float:
    left = without_similarity(points_mm, points_mm + displacement_mm)
    return float(np.sqrt((left**2).sum(axis=1).mean()))
