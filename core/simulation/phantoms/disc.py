"""The picture of the round plate on its tube, which tells where the source is."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float32

from core.calibration.phantoms import DiscPlate
from core.geometry.rigid import so3_exp
from core.simulation.phantoms.chain import PhantomChain, expose
from core.simulation.phantoms.rig import SimulatedPlane

LEAST_PASSED = 0.02
"""Share of the X-rays that pass the plate."""
_RAYS = 8
"""Along each side of a pixel at the edge."""
_LAYERS = 7


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DiscAsMade:
    """A disc as it really is, in the frame of its tube."""

    radius_mm: float
    height_mm: float
    """Of the rim nearer to the source, above the detector plane."""
    offset_mm: tuple[float, float] = (0.0, 0.0)
    """Of its centre from the tube's axis."""
    tilt_deg: tuple[float, float] = (0.0, 0.0)
    """Turn about x, and about y."""
    thickness_mm: float = 0.0
    """Below that rim, with an upright wall; 0 is a knife edge."""


def made_disc(plate: DiscPlate, seed: int) -> DiscAsMade:
    """A disc that is off its description by its tolerances."""
    draw = np.random.default_rng([seed, 40])
    x, y = draw.normal(0.0, plate.centre_sd_mm, 2)
    about_x, about_y = draw.normal(0.0, plate.tilt_sd_deg, 2)
    return DiscAsMade(
        radius_mm=float(plate.radius_mm + draw.normal(0.0, plate.radius_sd_mm)),
        height_mm=float(plate.height_mm + draw.normal(0.0, plate.height_sd_mm)),
        offset_mm=(float(x), float(y)),
        tilt_deg=(float(about_x), float(about_y)),
    )


def disc_picture(
    plane: SimulatedPlane,
    disc: DiscAsMade,
    *,
    turn_deg: float = 0.0,
    seat_mm: tuple[float, float] = (0.0, 0.0),
    seed: int,
    chain: PhantomChain | None = None,
) -> np.ndarray:
    """The raw picture (h w, uint8 or uint16) of a disc whose tube is turned and sits off the middle.

    ``turn_deg`` counts from x toward y of the detector frame, counter-clockwise as seen from the source. The tube is
    hidden behind the disc's shadow.
    """
    passed = _passed(plane, disc, turn_deg, seat_mm)
    magnification = plane.source_mm[2] / (plane.source_mm[2] - disc.height_mm)
    draw = np.random.default_rng([seed, 41])
    return expose(passed, plane, chain or PhantomChain(), draw, magnification)


def disc_frame(
    disc: DiscAsMade, turn_deg: float, seat_mm: tuple[float, float]
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Centre (mm) and unit normal of the disc in the detector frame."""
    turn = so3_exp(np.array([0.0, 0.0, np.radians(turn_deg)]))
    centre = turn @ np.array([*disc.offset_mm, 0.0]) + np.array([*seat_mm, disc.height_mm])
    normal = turn @ so3_exp(np.radians(np.array([*disc.tilt_deg, 0.0]))) @ np.array([0.0, 0.0, 1.0])
    return centre, normal


def rim_mm(
    plane: SimulatedPlane, disc: DiscAsMade, turn_deg: float, seat_mm: tuple[float, float], count: int = 360
) -> Float[np.ndarray, "n 2"]:
    """Points on the true edge of the shadow of the rim, on the detector."""
    centre, normal = disc_frame(disc, turn_deg, seat_mm)
    across = np.cross(normal, [0.0, 1.0, 0.0])
    across /= np.linalg.norm(across)
    angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)[:, None]
    rim = centre + disc.radius_mm * (np.cos(angle) * across + np.sin(angle) * np.cross(normal, across))
    return plane.shadow_mm(rim)


def _passed(
    plane: SimulatedPlane, disc: DiscAsMade, turn_deg: float, seat_mm: tuple[float, float]
) -> Float32[np.ndarray, "h w"]:
    """Share that passes; pixels at the edge are shot with many rays."""
    centre, normal = disc_frame(disc, turn_deg, seat_mm)
    layers = np.linspace(0.0, disc.thickness_mm, _LAYERS) if disc.thickness_mm else np.zeros(1)

    def covered(points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, " *n"]:
        share = [_within(plane, points, centre - depth * normal, normal, disc.radius_mm) for depth in layers]
        return np.asarray(np.mean(share, axis=0, dtype=np.float64))

    table = plane.mm_of_pixels
    share = covered(table)
    edge = np.zeros(share.shape, dtype=bool)
    changed_down, changed_across = share[1:] != share[:-1], share[:, 1:] != share[:, :-1]
    edge[1:] |= changed_down
    edge[:-1] |= changed_down
    edge[:, 1:] |= changed_across
    edge[:, :-1] |= changed_across
    rows, columns = np.nonzero(edge | ((share > 0) & (share < 1)))
    passed = np.exp(np.log(LEAST_PASSED) * share).astype(np.float32)
    down, along = np.gradient(table, axis=0)[rows, columns], np.gradient(table, axis=1)[rows, columns]
    line = (np.arange(_RAYS) + 0.5) / _RAYS - 0.5
    total = np.zeros(len(rows))
    for du, dv in np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2):
        total += np.exp(np.log(LEAST_PASSED) * covered(table[rows, columns] + du * along + dv * down))
    passed[rows, columns] = total / _RAYS**2
    return passed


def _within(
    plane: SimulatedPlane,
    points: Float[np.ndarray, "*n 2"],
    centre: Float[np.ndarray, "3"],
    normal: Float[np.ndarray, "3"],
    radius_mm: float,
) -> Bool[np.ndarray, " *n"]:
    """Whether the rays to points of the detector plane pass through a disc."""
    source = plane.source_mm
    x, y = source[0] - points[..., 0], source[1] - points[..., 1]
    height = (centre[0] - points[..., 0]) * normal[0] + (centre[1] - points[..., 1]) * normal[1] + centre[2] * normal[2]
    share = height / (x * normal[0] + y * normal[1] + source[2] * normal[2])
    away = (points[..., 0] + share * x - centre[0]) ** 2 + (points[..., 1] + share * y - centre[1]) ** 2
    return away + (share * source[2] - centre[2]) ** 2 <= radius_mm**2
