"""From bodies to the X-rays that reach the detector: two-energy Beer-Lambert, exactly cast.

Metal is cast with several rays a pixel, and transmissions (not lengths) are averaged, as a detector does.
Flesh and bone are smooth and need one ray a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Float, Float32
from scipy import ndimage

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.rendering.ray_casting import path_length_reference
from core.simulation.anatomy import Anatomy, Bone, leg_tube, patella_in_femur
from core.simulation.motion import KneePose

ENERGY_SHARES = np.array([0.55, 0.45])
"""Of the photons at two effective energies, about 48 and 66 keV."""
FAT_PER_MM = np.array([0.0185, 0.0165])
MUSCLE_PER_MM = np.array([0.0225, 0.0198])
MARROW_PER_MM = np.array([0.0335, 0.0262])
CORTEX_PER_MM = np.array([0.082, 0.055])
COBALT_CHROMIUM_PER_MM = np.array([1.30, 0.55])
TITANIUM_PER_MM = np.array([0.52, 0.24])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetalPart:
    """An implant component with its attenuation at both energies (1/mm)."""

    mesh: TriangleMesh
    per_mm: Float[np.ndarray, "2"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texture:
    """Random density of bone and muscle, fixed to the bodies: a periodic block of unit variance."""

    fine: Float32[np.ndarray, "n n n"]
    streaks: Float32[np.ndarray, "n n n"]

    @classmethod
    def random(cls, draw: np.random.Generator, size: int = 48) -> "Texture":
        """A new block; muscle is streaked along y."""
        noise = draw.standard_normal((2, size, size, size)).astype(np.float32)
        fine = ndimage.gaussian_filter(noise[0], 0.8, mode="wrap")
        streaks = ndimage.gaussian_filter(noise[1], (1.0, 6.0, 1.0), mode="wrap")
        return cls(fine=fine / fine.std(), streaks=streaks / streaks.std())


def metal_transmission(
    view: View, parts: Sequence[tuple[MetalPart, Rigid]], supersample: int
) -> Float32[np.ndarray, "2 h w"]:
    """Share of the photons of both energies that pass the metal, averaged over the rays of each pixel."""
    passed = np.ones((2, view.height_px, view.width_px), dtype=np.float32)
    box = _shadow_box(view, parts)
    if box is None:
        return passed
    left, top, right, bottom = box
    cut = view.cropped(left, top, right - left, bottom - top)
    fine = cut.scaled(cut.width_px * supersample, cut.height_px * supersample)
    lengths = [_cast(part.mesh, fine, pose) for part, pose in parts]
    for energy in range(2):
        total = sum(np.float32(part.per_mm[energy]) * length for (part, _), length in zip(parts, lengths, strict=True))
        rays = np.exp(-np.asarray(total))
        shape = (cut.height_px, supersample, cut.width_px, supersample)
        passed[energy, top:bottom, left:right] = rays.reshape(shape).mean(axis=(1, 3))
    return passed


def _shadow_box(view: View, parts: Sequence[tuple[MetalPart, Rigid]]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the pixels that metal may shade, or None."""
    pixels = np.concatenate([view.project(pose.apply(part.mesh.vertices_mm)) for part, pose in parts])
    low = np.floor(pixels.min(axis=0)).astype(int) - 1
    high = np.ceil(pixels.max(axis=0)).astype(int) + 2
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), view.width_px), min(int(high[1]), view.height_px)
    return (left, top, right, bottom) if left < right and top < bottom else None


def tissue_attenuation(view: View, knee: KneePose, anatomy: Anatomy, texture: Texture) -> Float32[np.ndarray, "2 h w"]:
    """Exponents of both energies from skin to skin: fat, muscle, cortex and marrow, with their texture."""
    leg = _cast(leg_tube(knee, within_fat=False), view, Rigid.identity())
    muscle = _cast(leg_tube(knee, within_fat=True), view, Rigid.identity())
    muscle_share = 1.0 + 0.025 * _seen_texture(texture.streaks, view, knee.world_from_femur, 4.0)
    cortex, marrow = np.zeros_like(leg), np.zeros_like(leg)
    for bone, pose in _placed_bones(knee, anatomy):
        outside = _cast(bone.outside, view, pose)
        inside = _cast(bone.marrow, view, pose)
        grain = 1.0 + 0.16 * _seen_texture(texture.fine, view, pose, 2.0)
        cortex += np.maximum(outside - inside, 0.0)
        marrow += inside * grain
    fat = np.maximum(leg - muscle, 0.0)
    muscle = np.maximum(muscle - cortex - marrow, 0.0) * muscle_share
    amounts = ((FAT_PER_MM, fat), (MUSCLE_PER_MM, muscle), (CORTEX_PER_MM, cortex), (MARROW_PER_MM, marrow))
    exponents = np.zeros((2, view.height_px, view.width_px), dtype=np.float32)
    for per_mm, length in amounts:
        for energy in range(2):
            exponents[energy] += np.float32(per_mm[energy]) * length
    return exponents


def _cast(mesh: TriangleMesh, view: View, world_from_body: Rigid) -> Float32[np.ndarray, "h w"]:
    return path_length_reference(mesh, view, world_from_body).astype(np.float32)


def _placed_bones(knee: KneePose, anatomy: Anatomy) -> list[tuple[Bone, Rigid]]:
    patella = knee.world_from_femur @ patella_in_femur(knee.flexion_deg)
    return [
        (anatomy.femur, knee.world_from_femur),
        (anatomy.tibia, knee.world_from_tibia),
        (anatomy.fibula, knee.world_from_tibia),
        (anatomy.patella, patella),
    ]


def _seen_texture(
    block: Float32[np.ndarray, "n n n"], view: View, world_from_body: Rigid, grain_mm: float, every: int = 3
) -> Float32[np.ndarray, "h w"]:
    """The texture where each ray passes the body's middle; sampled on every third pixel and spread."""
    height, width = -(-view.height_px // every) + 1, -(-view.width_px // every) + 1
    depth = view.depth_mm(world_from_body.translation_mm)
    corners = np.array([[0.0, 0.0], [every, 0.0], [0.0, every]])
    body_from_camera = (view.camera_from_world @ world_from_body).inverse()
    start, right, down = body_from_camera.apply(view.back_project_camera(corners) * depth) / grain_mm
    rows, columns = np.arange(height)[:, None], np.arange(width)
    steps = zip(start, right - start, down - start, strict=True)
    places = np.stack([first + columns * across + rows * along for first, across, along in steps])
    seen = ndimage.map_coordinates(block, places, order=1, mode="grid-wrap", output=np.float32)
    spread = cv2.resize(seen, (width * every, height * every), interpolation=cv2.INTER_LINEAR)
    return np.asarray(spread[: view.height_px, : view.width_px])


def primary(tissue: Float32[np.ndarray, "2 h w"], metal: Float32[np.ndarray, "2 h w"]) -> Float32[np.ndarray, "h w"]:
    """Share of the detector's signal in air that arrives unscattered."""
    weighted = ENERGY_SHARES.astype(np.float32)[:, None, None] * np.exp(-tissue) * metal
    return np.asarray(weighted.sum(axis=0))
