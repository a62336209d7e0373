"""The picture of a bead plate or a perforated one, as it lies on the detector or as it should not."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from core.calibration.phantoms import GridPlate
from core.errors import CalibrationError
from core.simulation.phantoms.chain import PhantomChain, expose
from core.simulation.phantoms.clutter import Clutter, add_clutter
from core.simulation.phantoms.rig import SimulatedPlane
from core.simulation.phantoms.shadows import open_holes, shade_spheres

BEAD_PER_MM = 0.9
"""Steel at 60 keV."""
SHEET_EXPONENT = 1.6
"""Of the metal between the holes of a perforated plate."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """What is not as it should be with the plate."""

    missing_share: float = 0.0
    """Of the beads, lost at random."""
    marker_missing: bool = False
    """Whether the orientation beads are lost."""
    quarter_turns: int = 0
    """Counter-clockwise as the detector frame shows it."""
    mirrored: bool = False
    """Whether the plate lies with its left side to the right (flipped about y); the turns come after."""
    tilt_deg: tuple[float, float] = (0.0, 0.0)
    """Rise of the beads along x and along y: they leave the detector plane."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PlateAsMade:
    """A plate with its beads where they really are."""

    plate: GridPlate
    indices: Int[np.ndarray, "n 2"]
    places_mm: Float[np.ndarray, "n 2"]
    """In the plate's frame."""


def made_plate(plate: GridPlate, seed: int) -> PlateAsMade:
    """A plate whose points are off their lattice by its tolerance."""
    draw = np.random.default_rng([seed, 30])
    off = draw.normal(0.0, plate.position_sd_mm, (len(plate.indices), 2))
    return PlateAsMade(plate=plate, indices=plate.indices, places_mm=plate.position_mm(plate.indices) + off)


def seated_beads(
    made: PlateAsMade, seating: Seating, seed: int
) -> tuple[Int[np.ndarray, "n 2"], Float[np.ndarray, "n 3"]]:
    """Lattice indices and true places (mm, detector frame) of the beads that are there.

    Bead centres lie in the detector plane unless the plate is tilted, and that plane shows them where they are:
    the height of a bead makes its shadow a little larger and no more.

    Raises:
        CalibrationError: a share that is none.
    """
    if not 0 <= seating.missing_share < 1:
        raise CalibrationError(
            f"the share of missing beads must be at least 0 and below 1, got {seating.missing_share}"
        )
    kept = np.random.default_rng([seed, 31]).random(len(made.indices)) >= seating.missing_share
    markers = {tuple(point) for point in made.plate.extra_points}
    marking = np.array([tuple(point) in markers for point in made.indices.tolist()], dtype=bool)
    kept = (kept & ~marking) if seating.marker_missing else kept
    places = made.places_mm[kept] * ([-1.0, 1.0] if seating.mirrored else [1.0, 1.0])
    for _ in range(seating.quarter_turns % 4):
        places = np.column_stack([-places[:, 1], places[:, 0]])
    heights = places @ np.tan(np.radians(seating.tilt_deg))
    return made.indices[kept], np.column_stack([places, heights])


def grid_picture(
    plane: SimulatedPlane,
    made: PlateAsMade,
    *,
    seed: int,
    chain: PhantomChain | None = None,
    seating: Seating | None = None,
    clutter: Clutter | None = None,
) -> np.ndarray:
    """The raw picture of a plate (h w, uint8 or uint16); the same seed gives the same bytes.

    Raises:
        CalibrationError: a share of missing beads that is none.
    """
    chain, clutter = chain or PhantomChain(), clutter or Clutter()
    plate = made.plate
    centres = seated_beads(made, seating or Seating(), seed)[1]
    passed = np.ones((plane.height_px, plane.width_px), dtype=np.float32)
    if plate.perforated:
        passed *= np.float32(np.exp(-SHEET_EXPONENT))
        open_holes(passed, plane, plane.shadow_mm(centres), 0.5 * plate.bead_diameter_mm, SHEET_EXPONENT)
    else:
        shade_spheres(passed, plane, centres, 0.5 * plate.bead_diameter_mm, BEAD_PER_MM)
    draw = np.random.default_rng([seed, 32])
    add_clutter(passed, plane, clutter, 0.5 * plate.bead_diameter_mm, draw)
    return expose(passed, plane, chain, draw)
