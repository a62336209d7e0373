"""What lies about in a phantom's picture: cables, things that cover beads, scratches, loose beads."""

from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Float, Float32
from scipy.interpolate import CubicSpline

from core.simulation.phantoms.maps import Points
from core.simulation.phantoms.rig import SimulatedPlane
from core.simulation.phantoms.shadows import shade_spheres

_FINE = 16
"""OpenCV draws at sixteenths of a pixel."""
_METAL_PER_MM = 0.9


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Clutter:
    """How many of each; where they are is drawn at random."""

    cables: int = 0
    """Dark curves across the field, with blobs the size of beads along them."""
    covers: int = 0
    """Opaque patches of 8 to 25 mm."""
    scratches: int = 0
    """Thin lines, a little darker or brighter."""
    loose_beads: int = 0
    """Beads that belong to no lattice."""


def add_clutter(
    passed: Float32[np.ndarray, "h w"],
    plane: SimulatedPlane,
    clutter: Clutter,
    bead_radius_mm: float,
    draw: np.random.Generator,
) -> None:
    """Multiply what passes the clutter into a picture."""
    for _ in range(clutter.cables):
        path = _across(plane, draw)
        _draw_line(passed, plane, path, width_mm=draw.uniform(2.0, 4.5), exponent=draw.uniform(0.4, 1.2))
        blobs = path[draw.integers(0, len(path), draw.integers(8, 25))]
        _add_beads(passed, plane, blobs, bead_radius_mm * draw.uniform(0.8, 1.4, len(blobs)))
    for _ in range(clutter.covers):
        _cover(passed, plane, draw)
    for _ in range(clutter.scratches):
        start = _somewhere(plane, draw, 1)[0]
        path = start + np.linspace(0.0, draw.uniform(20.0, 120.0), 40)[:, None] * _direction(draw)
        _draw_line(passed, plane, path, width_mm=0.3, exponent=draw.uniform(-0.06, 0.1))
    loose = _somewhere(plane, draw, clutter.loose_beads)
    _add_beads(passed, plane, loose, np.full(len(loose), bead_radius_mm))


def _add_beads(
    passed: Float32[np.ndarray, "h w"], plane: SimulatedPlane, places_mm: Points, radii_mm: Float[np.ndarray, " n"]
) -> None:
    if len(places_mm):
        shade_spheres(passed, plane, np.column_stack([places_mm, np.zeros(len(places_mm))]), radii_mm, _METAL_PER_MM)


def _across(plane: SimulatedPlane, draw: np.random.Generator) -> Points:
    """A curve from edge to edge of the field, on the detector."""
    bearing = draw.uniform(0.0, 2.0 * np.pi)
    along = np.array([np.cos(bearing), np.sin(bearing)])
    aside = np.array([-along[1], along[0]]) * draw.uniform(-0.7, 0.7) * plane.field_mm
    knots = np.linspace(-1.1, 1.1, 6)
    bent = draw.normal(0.0, 0.12, len(knots)) * plane.field_mm
    places = knots[:, None] * along * plane.field_mm + aside + bent[:, None] * np.array([-along[1], along[0]])
    return plane.field_centre_mm + CubicSpline(knots, places)(np.linspace(-1.1, 1.1, 300))


def _cover(passed: Float32[np.ndarray, "h w"], plane: SimulatedPlane, draw: np.random.Generator) -> None:
    """A clip or a foot: an ellipse that little passes."""
    angle = np.linspace(0.0, 2.0 * np.pi, 60)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * draw.uniform(4.0, 12.5, 2)
    pixels = plane.map.px_from_mm(_somewhere(plane, draw, 1)[0] + ring)
    mask = np.zeros(passed.shape, dtype=np.float32)
    cv2.fillPoly(mask, [np.round(pixels * _FINE).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    passed *= np.exp(np.float32(-draw.uniform(2.0, 4.0)) * mask)


def _draw_line(
    passed: Float32[np.ndarray, "h w"], plane: SimulatedPlane, path_mm: Points, *, width_mm: float, exponent: float
) -> None:
    pixels = np.round(plane.map.px_from_mm(path_mm) * _FINE).astype(np.int32)
    width_px = width_mm / plane.pixel_mm
    mask = np.zeros(passed.shape, dtype=np.float32)
    cv2.polylines(mask, [pixels], isClosed=False, color=1.0, thickness=max(1, round(width_px)), shift=4)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.15 * width_px)))
    passed *= np.exp(np.float32(-exponent) * mask)


def _somewhere(plane: SimulatedPlane, draw: np.random.Generator, count: int) -> Points:
    """Places within the field."""
    bearing = draw.uniform(0.0, 2.0 * np.pi, count)
    away = 0.95 * plane.field_mm * np.sqrt(draw.random(count))
    return plane.field_centre_mm + np.column_stack([away * np.cos(bearing), away * np.sin(bearing)])


def _direction(draw: np.random.Generator) -> Float[np.ndarray, "2"]:
    bearing = draw.uniform(0.0, 2.0 * np.pi)
    return np.array([np.cos(bearing), np.sin(bearing)])
