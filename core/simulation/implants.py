"""Parametric knee implant: a femoral component and a tibial tray, closed and in mm.

Body frames: y up along the bone, z anterior, x to the right of someone who faces the knee: medial in a
right knee, lateral in a left one, which is the mirror image. The femoral origin lies in the middle of the
condyles' arcs, the tibial one on the tray's upper face. Sizes are those of a medium component: 66 x 64 mm
femoral, 74 x 50 mm tray.
"""

from enum import Enum

import numpy as np
from jaxtyping import Float
from manifold3d import CrossSection, Manifold
from scipy.interpolate import CubicSpline

from core.errors import MeshError
from core.geometry.mesh import TriangleMesh
from core.simulation.solids import (
    as_mesh,
    as_solid,
    ellipse,
    extruded_along_x,
    extruded_along_y,
    extruded_along_z,
    hull,
    loft_mesh,
    outline,
)

MEDIAL_EDGE_MM, LATERAL_EDGE_MM = 32.0, -34.0
_EDGE_ROUNDING_MM = 3.0
_SAGITTAL_ZY = np.array(
    [
        [27.0, 42.0],
        [28.8, 27.0],
        [31.0, 14.0],
        [32.0, 2.0],
        [31.2, -9.0],
        [27.2, -18.5],
        [20.0, -25.3],
        [10.5, -29.0],
        [0.0, -30.0],
        [-10.0, -29.2],
        [-19.0, -26.0],
        [-26.5, -20.0],
        [-31.0, -11.5],
        [-32.0, -2.0],
        [-29.4, 6.0],
        [-24.0, 12.0],
        [-18.0, 17.0],
        [-12.0, 32.0],
        [4.0, 44.0],
        [19.0, 46.0],
    ]
)
"""Outer profile of the crowns: up the front flange, round the distal and posterior condyles, and back."""
BONE_CUTS_ZY = np.array(
    [[-23.0, 70.0], [-23.0, -9.0], [-13.0, -20.0], [12.0, -20.5], [20.8, -10.0], [22.2, 40.0], [22.2, 70.0]]
)
"""The five facets of the resected femur, seen from the side."""


class Side(Enum):
    """Which knee."""

    RIGHT = "right"
    LEFT = "left"


def femoral_component(edge_mm: float = 1.2, side: Side = Side.RIGHT) -> TriangleMesh:
    """The femoral component, with edges of about ``edge_mm``.

    Two condyles of different height, width and curvature, a patellar groove that runs outward, a front
    flange that is higher laterally, an intercondylar notch, five bone cuts and two pegs.

    Raises:
        MeshError: an edge length that is not positive or too long to show the shape.
    """
    _check_edge(edge_mm)
    body = as_solid(loft_mesh(_articular_rings(edge_mm)))
    body ^= _flange_and_tips(edge_mm)
    body -= extruded_along_x(outline(BONE_CUTS_ZY), 60.0)
    body -= extruded_along_y(_notch(edge_mm), -60.0, 60.0)
    for x, z in ((20.5, -4.0), (-21.0, -3.0)):
        body += _upright_cylinder(x, z, low=-21.5, high=-8.5, radii=(3.4, 2.6), edge_mm=edge_mm)
    return _for_side(as_mesh(body, edge_mm), side)


def tibial_component(edge_mm: float = 1.2, side: Side = Side.RIGHT) -> TriangleMesh:
    """The tibial tray, with edges of about ``edge_mm``.

    A larger medial plateau, a rim that holds the insert, a stem that leans back, and a keel of two wings
    of different length, turned against the tray.

    Raises:
        MeshError: an edge length that is not positive or too long to show the shape.
    """
    _check_edge(edge_mm)
    plate = _tray_outline(edge_mm)
    body = extruded_along_y(plate, -4.0, 0.0)
    rim = plate - plate.offset(-2.6) - outline(np.array([[-11, -60], [14, -60], [14, -10], [-11, -10]]))
    body += extruded_along_y(rim, -0.5, 2.2)
    body += _stem_and_keel(edge_mm)
    body += _upright_cylinder(23.0, -9.0, low=-10.0, high=-3.0, radii=(2.2, 3.2), edge_mm=edge_mm)
    return _for_side(as_mesh(body, edge_mm), side)


def _check_edge(edge_mm: float) -> None:
    if not 0.2 <= edge_mm <= 6.0:
        raise MeshError(f"the edge length of a simulated implant must be 0.2 to 6 mm, got {edge_mm}")


def _for_side(right: TriangleMesh, side: Side) -> TriangleMesh:
    if side is Side.RIGHT:
        return right
    return TriangleMesh(vertices_mm=right.vertices_mm * [-1.0, 1.0, 1.0], faces=right.faces[:, ::-1])


def _articular_rings(edge_mm: float) -> Float[np.ndarray, "rings points 3"]:
    """Sagittal sections from lateral to medial, each the outer profile lowered by the coronal shape."""
    angles = np.arctan2(-_SAGITTAL_ZY[:, 1], _SAGITTAL_ZY[:, 0])
    order = np.argsort(angles)
    knots = np.append(angles[order], angles[order][0] + 2 * np.pi)
    radii = np.hypot(*_SAGITTAL_ZY[order].T)
    profile = CubicSpline(knots, np.append(radii, radii[0]), bc_type="periodic")
    count = max(24, round(2 * np.pi * 33.0 / edge_mm))
    theta = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    x = _columns(edge_mm)
    radius = profile(theta)[None, :] - _drop(x[:, None], theta[None, :])
    z, y = radius * np.cos(theta), -radius * np.sin(theta)
    return np.stack([np.broadcast_to(x[:, None], z.shape), y, z], axis=-1)


def _columns(edge_mm: float) -> Float[np.ndarray, " n"]:
    """Section positions, denser where the edges are rounded."""
    inner_low, inner_high = LATERAL_EDGE_MM + _EDGE_ROUNDING_MM, MEDIAL_EDGE_MM - _EDGE_ROUNDING_MM
    inner = np.linspace(inner_low, inner_high, max(12, round((inner_high - inner_low) / edge_mm)))
    steps = max(3, round(1.6 * _EDGE_ROUNDING_MM / edge_mm))
    bend = _EDGE_ROUNDING_MM * np.sin(np.linspace(0.0, 0.5 * np.pi, steps + 1)[1:])
    return np.concatenate([(inner_low - bend)[::-1], inner, inner_high + bend])


def _drop(x: Float[np.ndarray, "n 1"], theta: Float[np.ndarray, "1 m"]) -> Float[np.ndarray, "n m"]:
    """How far the surface lies below the crowns' profile (mm): condyles, groove and rounded edges.

    ``theta`` runs from anterior (0) over distal (90 deg) to posterior (180 deg).
    """
    around = np.degrees(np.where(theta > 1.5 * np.pi, theta - 2 * np.pi, theta))
    front = 1.0 / (1.0 + np.exp((around - 62.0) / 9.0))
    back = 1.0 / (1.0 + np.exp((118.0 - around) / 12.0))
    medial = -2.2 * front - (x - (20.5 - 2.5 * front)) ** 2 / (2 * (25.0 + 13.0 * front))
    lateral = -0.7 - 1.3 * back + 1.2 * front
    lateral = lateral - (x - (-22.0 + 2.0 * front)) ** 2 / (2 * (31.0 + 8.0 * front))
    softness = 0.9
    crowns = softness * np.logaddexp(medial / softness, lateral / softness)
    beyond = np.maximum(x - (MEDIAL_EDGE_MM - _EDGE_ROUNDING_MM), (LATERAL_EDGE_MM + _EDGE_ROUNDING_MM) - x).clip(
        0.0, _EDGE_ROUNDING_MM
    )
    return _EDGE_ROUNDING_MM - np.sqrt(_EDGE_ROUNDING_MM**2 - beyond**2) - crowns


def _flange_and_tips(edge_mm: float) -> Manifold:
    """What is left of the width toward the top: a flange higher laterally, rounded condyle tips."""
    points = max(16, round(55.0 / edge_mm))
    skirt = outline(np.array([[-36.0, -45.0], [36.0, -45.0], [36.0, -4.0], [-36.0, 0.0]]))
    flange = hull([skirt, ellipse((-12.5, 19.0), (9.0, 9.0), points), ellipse((8.5, 14.0), (9.0, 9.0), points)])
    tips = hull([skirt, ellipse((22.5, 2.5), (10.0, 10.0), points), ellipse((-25.5, 1.5), (9.0, 9.0), points)])
    return extruded_along_z(flange, 2.0, 60.0) + extruded_along_z(tips, -60.0, 2.0)


def _notch(edge_mm: float) -> CrossSection:
    """The intercondylar notch from below: round in front, opening backward, nearer the medial condyle."""
    points = max(16, round(60.0 / edge_mm))
    mouth = outline(np.array([[-11.5, -60.0], [12.5, -60.0], [12.5, -40.0], [-11.5, -40.0]]))
    return hull([ellipse((1.0, -4.5), (9.0, 9.0), points), mouth])


def _upright_cylinder(
    x: float, z: float, *, low: float, high: float, radii: tuple[float, float], edge_mm: float
) -> Manifold:
    """A cylinder or cone along y, from ``radii[0]`` at the low end to ``radii[1]`` at the high end."""
    segments = max(12, round(2 * np.pi * max(radii) / edge_mm))
    upright = Manifold.cylinder(high - low, *radii, segments).rotate([-90.0, 0.0, 0.0])
    return upright.translate([x, low, z])


def _tray_outline(edge_mm: float) -> CrossSection:
    points = max(32, round(130.0 / edge_mm))
    medial = ellipse((17.5, -1.5), (19.5, 25.0), points)
    lateral = ellipse((-18.5, 0.5), (18.5, 21.5), points)
    return hull([medial, lateral]) - ellipse((2.0, -28.0), (10.0, 8.5), points)


def _stem_and_keel(edge_mm: float) -> Manifold:
    """Stem with a round tip, and two wings: the medial one longer; all turned 7 deg and leaning 3 deg back."""
    segments = max(16, round(48.0 / edge_mm))
    stem = _upright_cylinder(0.0, 0.0, low=-42.0, high=-3.0, radii=(5.6, 7.6), edge_mm=edge_mm)
    stem += Manifold.sphere(5.6, segments).translate([0.0, -42.0, 0.0])
    medial = outline(np.array([[0.0, -3.0], [26.0, -3.0], [22.0, -9.0], [4.0, -31.0], [0.0, -31.0]]))
    lateral = outline(np.array([[0.0, -3.0], [21.0, -3.0], [18.0, -8.0], [4.0, -26.0], [0.0, -26.0]]))
    wings = extruded_along_z(medial, -1.6, 1.6).rotate([0.0, 24.0, 0.0])
    wings += extruded_along_z(lateral, -1.6, 1.6).rotate([0.0, 180.0 - 16.0, 0.0])
    leaning = (stem + wings).rotate([3.0, 7.0, 0.0]).translate([-1.0, 0.0, 3.0])
    below = outline(np.array([[-60.0, -60.0], [60.0, -60.0], [60.0, 60.0], [-60.0, 60.0]]))
    return leaning ^ extruded_along_y(below, -80.0, -1.0)
