"""The work that is measured: a mesh and a volume in two views, with their truth; and pictures to register from."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, final

import numba as nb
import numpy as np
from jaxtyping import Float, Float32

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.view import View
from core.geometry.volume import Volume
from core.rendering.ray_casting import path_length_reference
from core.simulation.implants import femoral_component
from core.simulation.rig import dual_plane_rig

POSE = Rigid(rotation=so3_exp(np.array([0.3, -0.5, 0.2])), translation_mm=np.array([6.0, -9.0, 4.0]))
"""world_from_body of what is drawn: oblique, off the middle."""
_MARCH_MM = 0.1


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MeshWork:
    """Path length through a closed mesh."""

    mesh: TriangleMesh
    views: tuple[View, View]

    kind: ClassVar[str] = "mesh"

    @property
    def title(self) -> str:
        """For tables."""
        return f"mesh, {len(self.mesh.faces)} faces, {self.views[0].width_px} px"

    @cached_property
    def truth(self) -> Float[np.ndarray, "2 h w"]:
        """By the plain double-precision ray caster, mm."""
        return np.stack([path_length_reference(self.mesh, view, POSE) for view in self.views])

    def save(self, path: Path) -> None:
        """For a peer's process."""
        _save(
            path,
            vertices_world_mm=POSE.apply(self.mesh.vertices_mm),
            faces=self.mesh.faces,
            **of_views(self.views),
        )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeWork:
    """Line integrals of attenuation through a volume."""

    volume: Volume
    views: tuple[View, View]

    kind: ClassVar[str] = "volume"

    @property
    def title(self) -> str:
        """For tables."""
        return f"CT, {self.volume.shape_ijk[0]}^3, {self.views[0].width_px} px"

    @cached_property
    def truth(self) -> Float[np.ndarray, "2 h w"]:
        """By a dense march through the trilinear field, without unit."""
        return np.stack([march(self.volume, view, POSE, _MARCH_MM) for view in self.views])

    def save(self, path: Path) -> None:
        """For a peer's process."""
        _save(
            path,
            attenuation_per_mm=self.volume.attenuation_per_mm,
            spacing_mm=self.volume.spacing_mm,
            world_from_grid=(POSE @ self.volume.body_from_grid).as_matrix(),
            **of_views(self.views),
        )


Work = MeshWork | VolumeWork


def _save(path: Path, **arrays: np.ndarray) -> None:
    np.savez(path, allow_pickle=False, **arrays)


def of_views(views: tuple[View, View]) -> dict[str, np.ndarray]:
    """What a peer is told of the views."""
    return {
        "camera_from_world": np.stack([view.camera_from_world.as_matrix() for view in views]),
        "lens": np.array([[*view.focal_px, *view.principal_px] for view in views]),
        "size": np.array([views[0].height_px, views[0].width_px]),
        "spacing_px_mm": np.array([view.pixel_spacing_mm or 1.0 for view in views]),
    }


def mesh_work(size_px: int, edge_mm: float) -> MeshWork:
    """A femoral component in a dual-plane rig."""
    return MeshWork(mesh=femoral_component(edge_mm), views=dual_plane_rig(size_px))


def volume_work(voxels: int, size_px: int) -> VolumeWork:
    """A bone-like phantom in a dual-plane rig."""
    return VolumeWork(volume=phantom(voxels), views=dual_plane_rig(size_px))


def phantom(voxels: int, side_mm: float = 110.0) -> Volume:
    """Shell, marrow and two condyles of unequal size, with smooth grain, in a cube of air."""
    at = (np.arange(voxels) + 0.5) / voxels * 2 - 1
    z, y, x = np.meshgrid(at, at, at, indexing="ij")
    grain = 1 + 0.12 * np.sin(9 * x + 4 * y) * np.sin(7 * z - 5 * x) * np.sin(11 * y + 3)
    shaft = np.hypot(x / 0.34, z / 0.3) + 0.6 * np.maximum(y - 0.7, 0)
    condyles = np.minimum(
        np.sqrt(((x - 0.3) / 0.38) ** 2 + ((y + 0.45) / 0.42) ** 2 + ((z + 0.1) / 0.5) ** 2),
        np.sqrt(((x + 0.32) / 0.32) ** 2 + ((y + 0.4) / 0.36) ** 2 + (z / 0.44) ** 2),
    )
    inside = np.minimum(np.where(np.abs(y - 0.15) < 0.7, shaft, 9.0), condyles)
    edge = 3.0 * 2 / voxels
    solid = 1 / (1 + np.exp(np.clip((inside - 1) / edge, -30, 30)))
    marrow = 1 / (1 + np.exp(np.clip((inside - 0.82) / edge, -30, 30)))
    values = 0.055 * solid - 0.035 * marrow * grain
    values[values < 1e-5] = 0.0
    spacing = np.full(3, side_mm / voxels)
    middle = Rigid(rotation=np.eye(3), translation_mm=-0.5 * (voxels - 1) * spacing)
    return Volume(attenuation_per_mm=values.astype(np.float32), spacing_mm=spacing, body_from_grid=middle)


def march(volume: Volume, view: View, world_from_body: Rigid, step_mm: float) -> Float32[np.ndarray, "h w"]:
    """Integral of the trilinear field along each pixel's ray: plain, slow, for the truth alone."""
    grid_from_camera = (view.camera_from_world @ world_from_body @ volume.body_from_grid).inverse()
    out = np.zeros((view.height_px, view.width_px), dtype=np.float32)
    lens = np.array([*view.focal_px, *view.principal_px])
    _march(
        volume.attenuation_per_mm,
        grid_from_camera.rotation / volume.spacing_mm[:, None],
        grid_from_camera.translation_mm / volume.spacing_mm,
        lens,
        step_mm,
        out,
    )
    return out


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _march(
    values: np.ndarray, turn: np.ndarray, origin: np.ndarray, lens: np.ndarray, step_mm: float, out: np.ndarray
) -> None:
    last = np.array([values.shape[2] - 1.0, values.shape[1] - 1.0, values.shape[0] - 1.0])
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            ray = np.array([(column - lens[2]) / lens[0], (row - lens[3]) / lens[1], 1.0])
            length = np.sqrt((ray**2).sum())
            along = turn @ (ray / length)
            near, far = 0.0, 1e9
            for axis in range(3):
                one, other = -origin[axis] / along[axis], (last[axis] - origin[axis]) / along[axis]
                near, far = max(near, min(one, other)), min(far, max(one, other))
            if far <= near:
                continue
            count = int(np.ceil((far - near) / step_mm))
            step = (far - near) / count
            total = 0.0
            for sample in range(count):
                at = origin + along * (near + (sample + 0.5) * step)
                i = min(max(int(at[0]), 0), values.shape[2] - 2)
                j = min(max(int(at[1]), 0), values.shape[1] - 2)
                k = min(max(int(at[2]), 0), values.shape[0] - 2)
                x, y, z = at[0] - i, at[1] - j, at[2] - k
                for c in range(2):
                    for b in range(2):
                        weight = (z if c else 1 - z) * (y if b else 1 - y)
                        total += weight * ((1 - x) * values[k + c, j + b, i] + x * values[k + c, j + b, i + 1])
            out[row, column] = total * step


def off_by_exactly(pose: Rigid, pivot_mm: Float[np.ndarray, "3"], mm: float, deg: float, seed: int) -> Rigid:
    """The pose moved by ``mm`` in a random direction and turned by ``deg`` about a random axis."""
    draw = np.random.default_rng(seed)
    shift, axis = draw.standard_normal((2, 3))
    twist = np.concatenate([mm * shift / np.linalg.norm(shift), np.radians(deg) * axis / np.linalg.norm(axis)])
    return pose.perturbed(twist, pivot_mm)


def noisy_picture(path: Float[np.ndarray, "h w"], seed: int, noise: float = 0.01) -> np.ndarray:
    """A 16-bit picture behind smoothly varying flesh, with noise of a share of white."""
    rows, columns = np.mgrid[: path.shape[0], : path.shape[1]] / max(path.shape)
    flesh = np.exp(-0.9 - 0.35 * np.cos(5 * columns + 0.7) - 0.2 * np.sin(4 * rows + seed))
    intensity = flesh * np.exp(-path)
    intensity += noise * flesh.max() * np.random.default_rng([seed, 7]).standard_normal(path.shape)
    return np.clip(np.round(60_000 * intensity / flesh.max()), 0, 65_535).astype(np.uint16)
