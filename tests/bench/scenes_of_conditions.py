"""Simulated picture pairs of three implants under the conditions that registration must bear, cached in a folder.

Pictures come from the surfaces themselves, another renderer, two energies, tissue, scatter, noise and a residual
distortion that differs from pair to pair; the registration gets other triangles and, where the condition says so,
wrong calibrations. Pictures of 512 px have pixels twice as large as those of 1024 px: 0.77 mm at the detector.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.imaging.field_of_view import find_field_of_view
from core.registration.body import prepare_body
from core.registration.values import Body, Problem, Shot
from core.simulation.anatomy import knee_anatomy
from core.simulation.detector import ImageChain, expose, make_aperture
from core.simulation.motion import KneePose, gait
from core.simulation.rig import dual_plane_rig
from core.simulation.xray import (
    COBALT_CHROMIUM_PER_MM,
    TITANIUM_PER_MM,
    MetalPart,
    Texture,
    metal_transmission,
    primary,
    tissue_attenuation,
)
from tests.bench.real_shapes import Components, procedural, real_components

VARIANTS = ("nominal", "titanium", "background x2", "noise x4")
"""What changes the pictures themselves; the other conditions change what the registration gets."""
CONDITIONS = (*VARIANTS, "partial view", "femur alone", "tibia alone", "calibration")
EVERYTHING = ("noise x4, calibration", "background x2, calibration")
"""Wrong calibrations together with bad pictures."""
_SUPERSAMPLE = 3

SOURCE_SD_MM = (0.4, 0.4, 1.0)
"""Errors of a source across and along its axis, its detector staying where it is."""
RELATION_SD_DEG, RELATION_SD_MM = 0.03, 0.1
"""Errors of each plane's pose about the world's origin."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """One instant of one implant: pictures of each variant and the truth."""

    implant: str
    seed: int
    views: tuple[View, View]
    pictures: dict[str, tuple[np.ndarray, np.ndarray]]
    usable: tuple[np.ndarray, np.ndarray]
    truth: tuple[Rigid, Rigid]

    def problem(self, condition: str, bodies: tuple[Body, ...]) -> tuple[Problem, tuple[Rigid, ...]]:
        """What the registration gets under a condition, and the truth of its bodies."""
        variant, _, more = condition.partition(", ")
        images = self.pictures[variant if variant in VARIANTS else "nominal"]
        shots = tuple(
            Shot(view=view, image=image, usable=usable)
            for view, image, usable in zip(self.views, images, self.usable, strict=True)
        )
        truth: tuple[Rigid, ...] = self.truth
        if condition == "partial view":
            shots = (shots[0], self._cut(shots[1], bodies[0]))
        elif "calibration" in (condition, more):
            shots = self.miscalibrated(shots)
        elif condition == "femur alone":
            bodies, truth = bodies[:1], truth[:1]
        elif condition == "tibia alone":
            bodies, truth = bodies[1:], truth[1:]
        return Problem(bodies=bodies, shots=shots), truth

    def miscalibrated(self, shots: Sequence[Shot]) -> tuple[Shot, ...]:
        """The same pictures with views that are a little wrong, drawn from the scene's seed."""
        draw = np.random.default_rng([self.seed, 77])
        return tuple(replace(shot, view=wrong_view(shot.view, draw)) for shot in shots)

    def _cut(self, shot: Shot, femur: Body) -> Shot:
        """The part of a picture on one side of the femoral component's middle."""
        middle = round(float(shot.view.project(self.truth[0].apply(femur.pivot_mm[None]))[0, 0]))
        size = shot.view.width_px
        left, right = (0, middle) if middle > size / 2 else (middle, size)
        return Shot(
            view=shot.view.cropped(left, 0, right - left, shot.view.height_px),
            image=np.ascontiguousarray(shot.image[:, left:right]),
            usable=np.ascontiguousarray(shot.usable[:, left:right]),
        )


def wrong_view(view: View, draw: np.random.Generator) -> View:
    """A view whose source is off with the detector in place, and whose plane is off as a whole."""
    spacing, distance = view.pixel_spacing_mm or 1.0, view.detector_distance_mm or 1.0
    move = draw.normal(0.0, SOURCE_SD_MM)
    twist = np.concatenate([draw.normal(0.0, RELATION_SD_MM, 3), np.radians(draw.normal(0.0, RELATION_SD_DEG, 3))])
    off = view.camera_from_world @ Rigid.identity().perturbed(twist, np.zeros(3))
    focal = (distance - move[2]) / spacing
    return replace(
        view,
        camera_from_world=off.shifted(-move),
        focal_px=(focal, focal),
        principal_px=(view.principal_px[0] + move[0] / spacing, view.principal_px[1] + move[1] / spacing),
    )


@cache
def components(implant: str) -> Components:
    return procedural() if implant == "procedural" else real_components(implant)


@cache
def bodies_of(implant: str) -> tuple[Body, Body]:
    """The bodies that the registration gets: other triangles than were X-rayed."""
    femoral, tibial = components(implant).registered()
    return prepare_body("femur", femoral), prepare_body("tibia", tibial)


def scene(implant: str, seed: int, size_px: int, folder: Path) -> Scene:
    """From the cache, or simulated (about two seconds of CPU at 512 px) and put there."""
    path = folder / f"{implant}_{size_px}_{seed}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **simulated(components(implant), seed, size_px))
    stored = np.load(path)
    views = dual_plane_rig(size_px)
    pictures = {name: (pair[0], pair[1]) for name, pair in zip(VARIANTS, stored["pictures"], strict=True)}
    usable = tuple(find_field_of_view([pair[plane] for pair in pictures.values()]) for plane in range(2))
    truth = (Rigid.from_matrix(stored["truth"][0]), Rigid.from_matrix(stored["truth"][1]))
    return Scene(implant=implant, seed=seed, views=views, pictures=pictures, usable=(usable[0], usable[1]), truth=truth)


def simulated(parts: Components, seed: int, size_px: int) -> dict[str, np.ndarray]:
    """Pictures (variants, planes, h, w) and true poses (bodies, 4, 4) of one random instant."""
    draw = np.random.default_rng([seed, 41])
    knee = gait(parts.femoral, [float(draw.uniform())], seed, parts.side)[0]
    texture, chain = Texture.random(draw), ImageChain()
    planes = [_plane(parts, knee, view, texture, chain, draw, seed) for view in dual_plane_rig(size_px)]
    truth = [knee.world_from_femur.as_matrix(), knee.world_from_tibia.as_matrix()]
    return {"pictures": np.stack(planes, axis=1), "truth": np.stack(truth)}


def _plane(
    parts: Components,
    knee: KneePose,
    view: View,
    texture: Texture,
    chain: ImageChain,
    draw: np.random.Generator,
    seed: int,
) -> np.ndarray:
    aperture = make_aperture(view.width_px, chain, draw)
    tissue = tissue_attenuation(view, knee, knee_anatomy(parts.side), texture)
    cobalt = _metal(parts, knee, view, COBALT_CHROMIUM_PER_MM)
    titanium = _metal(parts, knee, view, TITANIUM_PER_MM)
    # noise has a variance that goes with the photons: a sixteenth of them has four times the deviation
    noisy = replace(chain, photons_at_white=chain.photons_at_white / 16)
    made = (
        (tissue, cobalt, chain),
        (tissue, titanium, chain),
        (_doubled(tissue), cobalt, chain),
        (tissue, cobalt, noisy),
    )
    spacing = view.pixel_spacing_mm or 1.0
    return np.stack(
        [
            expose(primary(flesh, metal), aperture, optics, spacing, np.random.default_rng([seed, 5, index]))
            for index, (flesh, metal, optics) in enumerate(made)
        ]
    )


def _metal(parts: Components, knee: KneePose, view: View, per_mm: np.ndarray) -> np.ndarray:
    placed = [
        (MetalPart(mesh=parts.femoral, per_mm=per_mm), knee.world_from_femur),
        (MetalPart(mesh=parts.tibial, per_mm=per_mm), knee.world_from_tibia),
    ]
    return metal_transmission(view, placed, _SUPERSAMPLE)


def _doubled(tissue: np.ndarray) -> np.ndarray:
    """Twice the contrast of everything within the leg, about its median."""
    middle = np.median(tissue[:, tissue[0] > 0.1], axis=1)[:, None, None]
    return np.maximum(2.0 * tissue - middle, 0.0).astype(np.float32)
