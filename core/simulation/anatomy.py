"""Bones and flesh around the implant, as closed surfaces: what else casts a shadow in the picture.

Bones are lofts with a marrow space, resected where the implant sits; patella and fibula are there too. The
leg is a tube of skin, with the muscles inside, that bends with the knee.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from manifold3d import Manifold
from scipy.interpolate import PchipInterpolator

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid, so3_exp
from core.simulation.implants import BONE_CUTS_ZY, Side
from core.simulation.motion import KneePose
from core.simulation.solids import as_mesh, as_solid, extruded_along_x, extruded_along_y, loft_mesh, outline

FEMUR_SECTIONS = np.array(
    [  # y, half width, half depth, middle z, cortex (all mm)
        [-21.0, 31.0, 20.0, 0.0, 0.8],
        [-10.0, 33.5, 23.0, 0.0, 0.8],
        [5.0, 34.0, 23.5, -1.0, 0.9],
        [20.0, 31.0, 21.5, 0.0, 1.0],
        [36.0, 25.5, 18.5, 1.5, 1.3],
        [56.0, 20.0, 15.8, 3.0, 2.4],
        [82.0, 16.6, 14.6, 4.5, 4.6],
        [120.0, 14.6, 14.4, 5.5, 6.2],
        [400.0, 15.0, 15.0, 0.0, 6.6],
    ]
)
TIBIA_SECTIONS = np.array(
    [
        [-420.0, 16.0, 16.0, 0.0, 2.0],
        [-330.0, 10.5, 11.5, 3.0, 4.6],
        [-245.0, 10.5, 12.0, 3.0, 5.2],
        [-110.0, 12.3, 14.6, 3.5, 5.4],
        [-72.0, 14.4, 15.6, 3.0, 4.2],
        [-48.0, 18.5, 18.0, 2.0, 2.4],
        [-30.0, 25.0, 20.0, 0.0, 1.3],
        [-15.0, 33.0, 22.0, -1.5, 0.9],
        [-4.0, 35.0, 22.5, -1.5, 0.9],
    ]
)
LEG_SECTIONS = np.array(
    [  # s along the leg from the knee upward, half width, front z, back z, fat (all mm)
        [-400.0, 36.0, 36.0, -38.0, 4.0],
        [-290.0, 38.0, 40.0, -46.0, 5.0],
        [-170.0, 46.0, 42.0, -62.0, 6.0],
        [-110.0, 51.0, 42.0, -66.0, 6.5],
        [-60.0, 50.0, 41.0, -57.0, 6.0],
        [-25.0, 51.0, 45.0, -50.0, 5.0],
        [15.0, 55.0, 52.0, -52.0, 5.0],
        [55.0, 58.0, 57.0, -58.0, 7.0],
        [110.0, 66.0, 65.0, -66.0, 8.0],
        [180.0, 74.0, 72.0, -74.0, 9.0],
        [380.0, 84.0, 82.0, -86.0, 12.0],
    ]
)
_BEND_MM = 85.0
"""Half of the length over which the leg bends."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bone:
    """A bone as two nested surfaces in its implant's frame: the outside and the marrow space."""

    outside: TriangleMesh
    marrow: TriangleMesh


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """The bones of one knee."""

    femur: Bone
    tibia: Bone
    fibula: Bone
    patella: Bone
    side: Side


def knee_anatomy(side: Side = Side.RIGHT) -> Anatomy:
    """The bones that fit the parametric components."""
    hand = 1.0 if side is Side.RIGHT else -1.0
    return Anatomy(
        femur=_femur(),
        tibia=Bone(outside=_shaft(TIBIA_SECTIONS, 0.0), marrow=_shaft(TIBIA_SECTIONS, 1.0)),
        fibula=_fibula(hand),
        patella=Bone(outside=_ellipsoid((21.0, 20.0, 10.5)), marrow=_ellipsoid((19.2, 18.2, 8.9))),
        side=side,
    )


def patella_in_femur(flexion_deg: float) -> Rigid:
    """The patella gliding down the groove: it turns about the condyles by three quarters of the flexion."""
    rotation = so3_exp(np.array([np.radians(0.75 * flexion_deg - 16.0), 0.0, 0.0]))
    return Rigid(rotation=rotation, translation_mm=rotation @ np.array([-2.5, 0.0, 43.0]))


def leg_tube(knee: KneePose, *, within_fat: bool, points: int = 72) -> TriangleMesh:
    """The skin of the leg at one instant in the world, or the muscles within the fat."""
    along = np.arange(-400.0, 381.0, 10.0)
    width, front, back, fat = (PchipInterpolator(LEG_SECTIONS[:, 0], c)(along) for c in LEG_SECTIONS.T[1:])
    if within_fat:
        width, front, back = width - fat, front - 0.7 * fat, back + fat
    axes = _leg_axes(knee, along)
    middle = _leg_middle(knee, along, axes)
    angle = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    across = width[:, None] * np.cos(angle)
    depth = 0.5 * (front - back)[:, None] * np.sin(angle) + 0.5 * (front + back)[:, None]
    rings = middle[:, None] + across[..., None] * axes[:, None, :, 0] + depth[..., None] * axes[:, None, :, 2]
    return as_mesh(as_solid(loft_mesh(rings)) + _knee_cap(knee, -4.0 if within_fat else 0.0))


def _knee_cap(knee: KneePose, thicker_mm: float) -> Manifold:
    """What bulges in front of a bent knee: one skin over the condyles, the patella and the tubercle."""
    parts = (
        (knee.world_from_femur, np.array([0.0, 2.0, -4.0]), np.array([54.0, 44.0, 46.0])),
        (knee.world_from_femur @ patella_in_femur(knee.flexion_deg), np.zeros(3), np.array([34.0, 33.0, 17.0])),
        (knee.world_from_tibia, np.array([0.0, -28.0, 4.0]), np.array([40.0, 30.0, 34.0])),
    )
    balls = []
    for pose, centre, semi_axes in parts:
        ball = _ellipsoid(semi_axes + thicker_mm)
        balls.append(as_solid(TriangleMesh(vertices_mm=pose.apply(ball.vertices_mm + centre), faces=ball.faces)))
    return Manifold.batch_hull(balls)


def _leg_axes(knee: KneePose, along: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3 3"]:
    """Frames (columns x, y, z) that turn from the tibia's to the femur's over the bend."""
    share = np.clip(0.5 * (1.0 + along / _BEND_MM), 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    femur_from_tibia = knee.world_from_tibia.inverse() @ knee.world_from_femur
    turn = femur_from_tibia.log()[3:]
    return knee.world_from_tibia.rotation @ so3_exp(share[:, None] * turn)


def _leg_middle(
    knee: KneePose, along: Float[np.ndarray, " n"], axes: Float[np.ndarray, "n 3 3"]
) -> Float[np.ndarray, "n 3"]:
    """The middle line: along both bones far from the knee, cutting the corner between."""
    steps = np.gradient(along)[:, None] * axes[:, :, 1]
    line = np.cumsum(steps, axis=0)
    joint = 0.5 * (knee.world_from_femur.translation_mm + knee.world_from_tibia.translation_mm)
    line += joint - line[int(np.argmin(np.abs(along)))]
    upper, lower = along > _BEND_MM, along < -_BEND_MM
    offset = np.zeros_like(line)
    offset[upper] = _off_axis(knee.world_from_femur, line[upper])
    offset[lower] = _off_axis(knee.world_from_tibia, line[lower])
    ends = np.array([-_BEND_MM - 5.0, 0.0, _BEND_MM + 5.0])
    inner = ~(upper | lower)
    stops = np.stack([offset[lower][-1], np.zeros(3), offset[upper][0]])
    offset[inner] = PchipInterpolator(ends, stops, axis=0)(np.clip(along[inner], ends[0], ends[-1]))
    return line + offset


def _off_axis(world_from_bone: Rigid, points_mm: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """What moves each point onto the bone's long axis."""
    axis = world_from_bone.rotation[:, 1]
    away = points_mm - world_from_bone.translation_mm
    return np.asarray(-(away - (away @ axis)[:, None] * axis))


def _shaft(sections: Float[np.ndarray, "n 5"], inset: float, points: int = 56) -> TriangleMesh:
    """A loft through elliptic sections, each shrunk by ``inset`` times its cortex; resected ends have none."""
    low, high = sections[0, 0], sections[-1, 0]
    y = np.linspace(low, high, 1 + round((high - low) / 3.0))
    width, depth, middle, cortex = (PchipInterpolator(sections[:, 0], c)(y) for c in sections.T[1:])
    angle = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    across = (width - inset * cortex)[:, None] * np.cos(angle)
    front = (depth - inset * cortex)[:, None] * (np.sin(angle) + 0.06 * np.cos(3 * angle)) + middle[:, None]
    return loft_mesh(np.stack([across, np.broadcast_to(y[:, None], across.shape), front], axis=-1))


def _femur() -> Bone:
    """The femur cut for the component: five facets and the notch, none of them with a cortex."""
    square = np.array([[-60.0, -60.0], [60.0, -60.0], [60.0, 60.0], [-60.0, 60.0]])
    slot = np.array([[-9.0, -60.0], [11.0, -60.0], [11.0, -1.0], [-9.0, -1.0]])
    kept = extruded_along_x(outline(BONE_CUTS_ZY), 60.0) + extruded_along_y(outline(square), 34.0, 420.0)
    kept -= extruded_along_y(outline(slot), -60.0, 2.0)
    outside, marrow = (as_mesh(as_solid(_shaft(FEMUR_SECTIONS, inset)) ^ kept) for inset in (0.0, 1.0))
    return Bone(outside=outside, marrow=marrow)


def _fibula(hand: float) -> Bone:
    """A thin tube behind and outside the tibia, with a head."""
    y = np.arange(-410.0, -17.0, 3.0)
    knots = np.array([-410.0, -70.0, -45.0, -30.0, -22.0, -17.0])
    radius = PchipInterpolator(knots, [7.5, 6.0, 7.0, 10.5, 9.5, 4.0])(y)
    wall = PchipInterpolator(knots, [2.5, 3.0, 2.2, 1.2, 1.0, 1.0])(y)
    angle = np.linspace(0.0, 2 * np.pi, 28, endpoint=False)
    tubes = []
    for r in (radius, radius - wall):
        x = -hand * 29.0 + r[:, None] * np.cos(angle)
        z = -18.0 + r[:, None] * np.sin(angle)
        tubes.append(loft_mesh(np.stack([x, np.broadcast_to(y[:, None], x.shape), z], axis=-1)))
    return Bone(outside=tubes[0], marrow=tubes[1])


def _ellipsoid(semi_axes_mm: Sequence[float] | Float[np.ndarray, "3"]) -> TriangleMesh:
    latitude = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 26)[1:-1, None]
    longitude = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    unit = np.stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.broadcast_to(np.sin(latitude), (24, 48)),
            np.cos(latitude) * np.sin(longitude),
        ],
        axis=-1,
    )
    return loft_mesh(unit * np.asarray(semi_axes_mm))
