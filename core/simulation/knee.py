"""The simulated knee as a whole: parts, views and image chains made once from a seed, then pictures frame by frame.

The same seed gives the same bytes, whatever the order in which frames are asked for: each picture draws
from its own generator, seeded by (seed, frame, plane).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.simulation.anatomy import Anatomy, knee_anatomy
from core.simulation.detector import Aperture, ImageChain, expose, make_aperture
from core.simulation.implants import Side, femoral_component, tibial_component
from core.simulation.motion import KneePose, gait, gait_phases
from core.simulation.rig import dual_plane_rig
from core.simulation.xray import (
    COBALT_CHROMIUM_PER_MM,
    MetalPart,
    Texture,
    metal_transmission,
    primary,
    tissue_attenuation,
)

SIMULATION_EDGE_MM = 1.0
"""Edge length of the surfaces that are X-rayed; registration gets coarser ones."""
_SUPERSAMPLE = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedKnee:
    """Everything that stays the same over a simulated sequence."""

    views: tuple[View, View]
    femoral: MetalPart
    tibial: MetalPart
    anatomy: Anatomy
    texture: Texture
    apertures: tuple[Aperture, Aperture]
    chain: ImageChain
    poses: tuple[KneePose, ...]
    seed: int

    def picture(self, index: int, plane: int) -> np.ndarray:
        """The picture (h w, uint8 or uint16) of one frame in plane 0 or 1."""
        knee, view = self.poses[index], self.views[plane]
        parts = [(self.femoral, knee.world_from_femur), (self.tibial, knee.world_from_tibia)]
        metal = metal_transmission(view, parts, _SUPERSAMPLE)
        arriving = primary(tissue_attenuation(view, knee, self.anatomy, self.texture), metal)
        draw = np.random.default_rng([self.seed, 3, index, plane])
        return expose(arriving, self.apertures[plane], self.chain, view.pixel_spacing_mm or 1.0, draw)

    def truth(self, index: int) -> tuple[Rigid, Rigid]:
        """True world_from_femur and world_from_tibia of one frame."""
        return self.poses[index].world_from_femur, self.poses[index].world_from_tibia


def make_knee(
    phases: Sequence[float],
    seed: int,
    *,
    size_px: int = 1024,
    chain: ImageChain | None = None,
    side: Side = Side.RIGHT,
    tray_per_mm: Float[np.ndarray, "2"] = COBALT_CHROMIUM_PER_MM,
) -> SimulatedKnee:
    """A knee that walks through the given shares of the gait cycle (see ``gait_phases``).

    Trays are made of cobalt-chromium or, more translucent, of titanium (``TITANIUM_PER_MM``).
    """
    chain = ImageChain() if chain is None else chain
    femoral = femoral_component(SIMULATION_EDGE_MM, side)
    tibial = tibial_component(SIMULATION_EDGE_MM, side)
    draw = np.random.default_rng([seed, 2])
    first, second = (make_aperture(size_px, chain, draw) for _ in range(2))
    return SimulatedKnee(
        views=dual_plane_rig(size_px),
        femoral=MetalPart(mesh=femoral, per_mm=COBALT_CHROMIUM_PER_MM),
        tibial=MetalPart(mesh=tibial, per_mm=tray_per_mm),
        anatomy=knee_anatomy(side),
        texture=Texture.random(draw),
        apertures=(first, second),
        chain=chain,
        poses=gait(femoral, phases, seed, side),
        seed=seed,
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedFrame:
    """One report of a running simulation: the pictures of both planes and the truth."""

    index: int
    count: int
    pictures: tuple[np.ndarray, np.ndarray]
    knee: KneePose


def simulate(
    frames: int, seed: int, *, size_px: int = 1024, chain: ImageChain | None = None
) -> Generator[SimulatedFrame, None, SimulatedKnee]:
    """One gait cycle in so many frames, picture pair by picture pair."""
    knee = make_knee(gait_phases(frames), seed, size_px=size_px, chain=chain)
    for index in range(frames):
        pictures = (knee.picture(index, 0), knee.picture(index, 1))
        yield SimulatedFrame(index=index, count=frames, pictures=pictures, knee=knee.poses[index])
    return knee
