"""The pictures of a bead phantom in both planes, which tell how they stand to each other."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from core.calibration.phantoms import BeadPhantom
from core.errors import CalibrationError
from core.geometry.rigid import Rigid
from core.simulation.phantoms.chain import PhantomChain, expose
from core.simulation.phantoms.plate import BEAD_PER_MM
from core.simulation.phantoms.rig import SimulatedPlane, SimulatedRig
from core.simulation.phantoms.shadows import shade_spheres

_TRIES = 500
_MARGIN_MM = 4.0


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BeadsAsMade:
    """A bead phantom with its beads where they really are."""

    phantom: BeadPhantom
    places_mm: Float[np.ndarray, "n 3"]
    """In the phantom's frame."""


def made_beads(phantom: BeadPhantom, seed: int) -> BeadsAsMade:
    """A phantom whose beads are off their certificate by its tolerance."""
    off = np.random.default_rng([seed, 50]).normal(0.0, phantom.certified_sd_mm, (len(phantom.positions_mm), 3))
    return BeadsAsMade(phantom=phantom, places_mm=phantom.points_mm + off)


def bead_places(plane: SimulatedPlane, made: BeadsAsMade, world_from_phantom: Rigid) -> Float[np.ndarray, "n 3"]:
    """The beads in the detector frame of a plane (mm)."""
    return np.asarray((plane.detector_from_world @ world_from_phantom).apply(made.places_mm))


def bead_picture(
    plane: SimulatedPlane,
    made: BeadsAsMade,
    world_from_phantom: Rigid,
    *,
    seed: int,
    chain: PhantomChain | None = None,
) -> np.ndarray:
    """The raw picture (h w, uint8 or uint16) of a bead phantom; the world is plane A's detector frame."""
    centres = bead_places(plane, made, world_from_phantom)
    passed = np.ones((plane.height_px, plane.width_px), dtype=np.float32)
    shade_spheres(passed, plane, centres, 0.5 * made.phantom.bead_diameter_mm, BEAD_PER_MM)
    distance = plane.source_mm[2]
    magnification = distance / (distance - float(centres[:, 2].mean()))
    return expose(passed, plane, chain or PhantomChain(), np.random.default_rng([seed, 51]), magnification)


def poses_in_view(rig: SimulatedRig, made: BeadsAsMade, count: int, seed: int) -> tuple[Rigid, ...]:
    """Poses (world_from_phantom), turned at random near the isocentre, at which both planes see every bead.

    Raises:
        CalibrationError: the phantom is too large for the field.
    """
    draw = np.random.default_rng([seed, 52])
    found: list[Rigid] = []
    for _ in range(_TRIES):
        if len(found) == count:
            return tuple(found)
        rotation = Rotation.random(rng=draw).as_matrix()
        place = np.array([0.0, 0.0, rig.settings.isocentre_mm]) + draw.uniform(-25.0, 25.0, 3)
        pose = Rigid(rotation=rotation, translation_mm=place - rotation @ made.places_mm.mean(axis=0))
        if all(_seen(plane, made, pose) for plane in rig.planes.values()):
            found.append(pose)
    raise CalibrationError(
        f"phantom {made.phantom.name!r} does not fit the simulated field of {rig.settings.field_mm:g} mm radius; "
        "choose a smaller one"
    )


def _seen(plane: SimulatedPlane, made: BeadsAsMade, pose: Rigid) -> bool:
    shadows = plane.shadow_mm(bead_places(plane, made, pose))
    away = np.linalg.norm(shadows - plane.field_centre_mm, axis=1)
    return bool((away < plane.field_mm - _MARGIN_MM).all())
