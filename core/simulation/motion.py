"""A walking knee: smooth, periodic, seeded poses of both components with the kinematics of a replaced knee.

Flexion has the two peaks of gait (loading response and swing). The tibia turns inward while the knee leaves
extension (the reverse of screw-home), the femur rolls back, and both condyles ride on the insert, which
decides height and ab/adduction. Amplitudes follow fluoroscopic studies of walking with total knee
arthroplasty (Schuetz et al. 2019; Dennis et al. 2005).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from core.errors import GeometryError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid, so3_exp
from core.simulation.implants import Side

INSERT_MM = 10.0
"""Height of the insert's surface above the tray's upper face."""
_CONTACT_SOFTNESS_MM = 0.05


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KneePose:
    """Where both components are at one instant, and the angles that put them there."""

    world_from_femur: Rigid
    world_from_tibia: Rigid
    flexion_deg: float
    internal_rotation_deg: float
    """Of the tibia against the femur."""
    adduction_deg: float
    """Rise of the medial condyle against the tray (what makes both condyles touch)."""

    @property
    def tibia_from_femur(self) -> Rigid:
        """The femoral component seen from the tray."""
        return self.world_from_tibia.inverse() @ self.world_from_femur


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """What differs from one walk to the next."""

    swing_peak_deg: float
    stance_peak_deg: float
    rotation_deg: float
    """Inward turn of the tibia from extension to flexion."""
    roll_back_mm: float
    turn_deg: float
    """Of the foot, outward."""
    lift_off_mm: float
    sway_mm: tuple[float, float, float]
    centre_mm: tuple[float, float, float]
    lag: float
    """Of the sway behind the flexion, as a share of the cycle."""


def random_walker(seed: int) -> Walker:
    """A plausible walk; the same seed gives the same walk."""
    draw = np.random.default_rng([seed, 1])
    return Walker(
        swing_peak_deg=float(draw.uniform(61.0, 65.0)),
        stance_peak_deg=float(draw.uniform(13.0, 18.0)),
        rotation_deg=float(draw.uniform(7.0, 10.0)),
        roll_back_mm=float(draw.uniform(3.5, 6.0)),
        turn_deg=float(draw.uniform(2.0, 9.0)),
        lift_off_mm=float(draw.uniform(0.1, 0.4)),
        sway_mm=(float(draw.uniform(4, 8)), float(draw.uniform(7, 12)), float(draw.uniform(22, 32))),
        centre_mm=(float(draw.uniform(-5, 5)), float(draw.uniform(4, 12)), float(draw.uniform(-8, 8))),
        lag=float(draw.uniform(-0.04, 0.04)),
    )


def flexion_deg(walker: Walker, phase: float) -> float:
    """Knee flexion at a share of the gait cycle: peaks at 15 % (stance) and 73 % (swing)."""
    return (
        1.5
        + (walker.stance_peak_deg - 1.5) * _bump(phase, 0.15, 5.5)
        + (walker.swing_peak_deg - 1.5) * _bump(phase, 0.73, 4.2)
    )


def _bump(phase: float, peak: float, sharpness: float) -> float:
    """A periodic bump of height 1 (von Mises)."""
    return float(np.exp(sharpness * (np.cos(2 * np.pi * (phase - peak)) - 1.0)))


def gait_phases(frames: int, *, start: float = 0.0, frames_per_cycle: int | None = None) -> list[float]:
    """The share of the cycle at each frame: one cycle over all frames unless said otherwise.

    Raises:
        GeometryError: no frames, or a cycle without frames.
    """
    per_cycle = frames if frames_per_cycle is None else frames_per_cycle
    if frames < 1 or per_cycle < 1:
        raise GeometryError(f"a motion needs at least one frame, got {frames} frames, {per_cycle} a cycle")
    return [(start + index / per_cycle) % 1.0 for index in range(frames)]


def gait(femoral: TriangleMesh, phases: Sequence[float], seed: int, side: Side = Side.RIGHT) -> tuple[KneePose, ...]:
    """The knee at each share of the gait cycle; the femoral surface decides how it rides on the insert."""
    walker = random_walker(seed)
    condyles = _condyles(femoral)
    return tuple(_knee_at(walker, condyles, phase, side) for phase in phases)


def _condyles(femoral: TriangleMesh) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "m 3"]]:
    """Vertices of the condyle on the +x and on the -x side."""
    vertices = femoral.vertices_mm[np.unique(femoral.faces)]
    outer = vertices[np.hypot(vertices[:, 1], vertices[:, 2]) > 24.0]
    return outer[outer[:, 0] > 8.0], outer[outer[:, 0] < -8.0]


def _knee_at(
    walker: Walker,
    condyles: tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "m 3"]],
    phase: float,
    side: Side,
) -> KneePose:
    hand = 1.0 if side is Side.RIGHT else -1.0
    flexion = flexion_deg(walker, phase)
    inward = walker.rotation_deg * (1.0 - np.exp(-flexion / 18.0)) - 4.0 + 0.04 * flexion
    lift = hand * walker.lift_off_mm * np.sin(2 * np.pi * (phase - 0.2))
    roll_back = -1.0 - walker.roll_back_mm * flexion / 65.0
    shift = np.array([0.8 * np.sin(2 * np.pi * phase), INSERT_MM, roll_back])
    tibia_from_femur, tilt = _resting(condyles, flexion, -hand * inward, lift, shift)
    world_from_tibia = _tibia(walker, phase, flexion, hand)
    return KneePose(
        world_from_femur=world_from_tibia @ tibia_from_femur,
        world_from_tibia=world_from_tibia,
        flexion_deg=flexion,
        internal_rotation_deg=float(inward),
        adduction_deg=float(hand * tilt),
    )


def _tibia(walker: Walker, phase: float, flexion: float, hand: float) -> Rigid:
    """The tray in the laboratory: the thigh swings, the shank hangs from it, the whole knee sways."""
    thigh = 9.0 + 21.0 * np.cos(2 * np.pi * (phase - 0.03))
    lean = np.radians(flexion - thigh)
    sway = 2 * np.pi * (phase - walker.lag)
    turn = np.radians(-hand * (walker.turn_deg + 2.0 * np.sin(sway)))
    aside = np.radians(hand * (1.5 + 1.5 * np.cos(sway)))
    rotation = (
        so3_exp(np.array([0.0, turn, 0.0])) @ so3_exp(np.array([0.0, 0.0, aside])) @ so3_exp(np.array([lean, 0.0, 0.0]))
    )
    path = np.array([hand * np.sin(sway), np.sin(2 * sway + 0.6), np.cos(sway + 0.4)]) * walker.sway_mm
    joint_mm = path + walker.centre_mm
    return Rigid(rotation=rotation, translation_mm=joint_mm - rotation @ np.array([0.0, INSERT_MM + 8.0, 0.0]))


def _resting(
    condyles: tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "m 3"]],
    flexion: float,
    turn: float,
    lift_mm: float,
    contact_mm: Float[np.ndarray, "3"],
) -> tuple[Rigid, float]:
    """The femur on the insert: the tilt (deg) at which both condyles touch, and the mean contact in place."""
    tilt = 0.0
    spin = so3_exp(np.array([0.0, np.radians(turn), 0.0]))
    bend = so3_exp(np.array([-np.radians(flexion), 0.0, 0.0]))
    for _ in range(6):
        rotation = spin @ so3_exp(np.array([0.0, 0.0, tilt])) @ bend
        right, left = (_lowest(points @ rotation.T) for points in condyles)
        tilt -= np.arctan2(right[1] - left[1] - lift_mm, right[0] - left[0])
    lowest = min(right[1], left[1])
    middle = 0.5 * (right + left)
    shift = contact_mm - np.array([0.0, lowest, middle[2]])
    return Rigid(rotation=rotation, translation_mm=shift), float(np.degrees(tilt))


def _lowest(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    """The lowest point of a surface, as a soft minimum that moves smoothly as the surface turns."""
    height = points[:, 1] - points[:, 1].min()
    near = height < 20 * _CONTACT_SOFTNESS_MM
    weight = np.exp(-height[near] / _CONTACT_SOFTNESS_MM)
    return np.asarray(weight @ points[near] / weight.sum())
