"""The work of registering: from exactly 5 mm and 5 degrees off, with noise, by us and by peers alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import trimesh
from jaxtyping import Float

from app.benchmark.ours import VOLUMES
from app.benchmark.results import OURS, Row, timed
from app.benchmark.work import POSE, march, noisy_picture, of_views, off_by_exactly, phantom
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.view import View
from core.geometry.volume import Volume
from core.io.software import SOFTWARE
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe
from core.registration.values import Body, Problem, Shot, finish
from core.rendering.ray_casting import path_length_reference
from core.simulation.implants import femoral_component

METAL_PER_MM = 0.6
OFF_MM, OFF_DEG = 5.0, 5.0
_FOCUS_MM, _DETECTOR_MM, _FIELD_MM = 1350.0, 1850.0, 200.0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RegisterWork:
    """Pictures of a body, and starts; one picture pair and start a seed."""

    body: Body
    views: tuple[View, View]
    pictures: tuple[tuple[np.ndarray, np.ndarray], ...]
    starts: tuple[Rigid, ...]
    title: str

    kind: ClassVar[str] = "register"

    @property
    def volume(self) -> Volume | None:
        """What is X-rayed, if it is a bone from CT."""
        return self.body.volumes[0] if self.body.volumes else None

    @cached_property
    def can_be_ours(self) -> bool:
        """Whether this version draws what the work needs."""
        return self.volume is None or find_spec(VOLUMES) is not None

    def save(self, path: Path) -> None:
        """For a peer's process: attenuation pictures, starts, the volume; not the truth."""
        if self.volume is None:
            raise TypeError("peers register volumes only")
        white = np.percentile(np.array(self.pictures), 99.9)
        darkness = -np.log(np.maximum(np.array(self.pictures, dtype=np.float64), 1.0) / white)
        np.savez(
            path,
            allow_pickle=False,
            attenuation_per_mm=self.volume.attenuation_per_mm,
            spacing_mm=self.volume.spacing_mm,
            body_from_grid=self.volume.body_from_grid.as_matrix(),
            darkness=darkness.astype(np.float32),
            starts=np.stack([start.as_matrix() for start in self.starts]),
            **of_views(self.views),
        )


def level_rig(size_px: int, angle_deg: float = 70.0) -> tuple[View, View]:
    """Two views that differ by a turn about the world's z through the origin: some peers know no other rig."""
    aside = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    spacing = _FIELD_MM * _DETECTOR_MM / _FOCUS_MM / size_px
    return (_level_view("A", 0.0, aside, spacing, size_px), _level_view("B", angle_deg, aside, spacing, size_px))


def _level_view(name: str, angle_deg: float, aside: np.ndarray, spacing_mm: float, size_px: int) -> View:
    turn = so3_exp(np.array([0.0, 0.0, -np.radians(angle_deg)]))
    middle = 0.5 * (size_px - 1)
    return View(
        name=name,
        camera_from_world=Rigid(rotation=aside @ turn, translation_mm=np.array([0.0, 0.0, _FOCUS_MM])),
        focal_px=(_DETECTOR_MM / spacing_mm, _DETECTOR_MM / spacing_mm),
        principal_px=(middle, middle),
        width_px=size_px,
        height_px=size_px,
        pixel_spacing_mm=spacing_mm,
    )


def mesh_to_register(size_px: int, edge_mm: float, seeds: int) -> RegisterWork:
    """A femoral component of unknown attenuation; the X-rayed surface is finer than the registered one."""
    fine = femoral_component(min(1.0, edge_mm))
    body = prepare_body("femur", femoral_component(edge_mm))
    views = level_rig(size_px)
    paths = [_seen_path(fine, view) for view in views]
    return _work(f"register mesh, {size_px} px", body, views, paths, seeds)


def _seen_path(mesh: TriangleMesh, view: View, rays: int = 3) -> Float[np.ndarray, "h w"]:
    """Attenuation of each pixel whose transmission is the mean over its rays, as a detector has it."""
    fine = view.scaled(view.width_px * rays, view.height_px * rays)
    passed = np.exp(-METAL_PER_MM * path_length_reference(mesh, fine, POSE))
    return np.asarray(-np.log(passed.reshape(view.height_px, rays, view.width_px, rays).mean(axis=(1, 3))))


def volume_to_register(voxels: int, size_px: int, seeds: int) -> RegisterWork:
    """A bone from CT; the pictures are marched through voxels of two thirds the size."""
    coarse = phantom(voxels)
    ball = trimesh.creation.icosphere(subdivisions=3)
    hull = TriangleMesh(
        vertices_mm=np.asarray(ball.vertices) * [36.0, 45.0, 26.0], faces=np.asarray(ball.faces, dtype=np.int32)
    )
    body = Body(name="bone", levels=(hull,), pivot_mm=coarse.centre_mm, volumes=(coarse,))
    views = level_rig(size_px)
    fine = phantom(voxels * 3 // 2)
    paths = [march(fine, view, POSE, 0.3).astype(np.float64) for view in views]
    return _work(f"register CT, {voxels}^3, {size_px} px", body, views, paths, seeds)


def _work(title: str, body: Body, views: tuple[View, View], paths: Sequence[np.ndarray], seeds: int) -> RegisterWork:
    pictures = [(noisy_picture(paths[0], seed), noisy_picture(paths[1], seed + 100)) for seed in range(seeds)]
    starts = [off_by_exactly(POSE, body.pivot_mm, OFF_MM, OFF_DEG, seed) for seed in range(seeds)]
    return RegisterWork(body=body, views=views, pictures=tuple(pictures), starts=tuple(starts), title=title)


def register_ours(work: RegisterWork) -> Row:
    """Each seed once, after a warm-up; one thread."""
    row = Row(workload=work.title, who=OURS, version=SOFTWARE.split()[-1])
    if not work.can_be_ours:
        return replace(row, state="not installed", told="this version does not draw volumes")
    cpu: list[float] = []
    wall: list[float] = []
    found: list[Rigid] = []
    evaluations: list[int] = []
    for pair, start in zip(work.pictures, work.starts, strict=True):
        shots = tuple(
            Shot(view=view, image=picture, usable=np.ones(picture.shape, dtype=bool))
            for view, picture in zip(work.views, pair, strict=True)
        )
        kept: list[Rigid] = []
        problem = Problem(bodies=(work.body,), shots=shots)
        timing = timed(partial(_one, problem, start, kept, evaluations), 1)
        cpu.append(timing.cpu_s)
        wall.append(timing.wall_s)
        found.append(kept[-1])
    row = replace(row, cpu_s=float(np.median(cpu)), wall_s=float(np.median(wall)))
    return registered(row, work, found, f"{int(np.median(evaluations))} drawings of both views")


def _one(problem: Problem, start: Rigid, kept: list[Rigid], evaluations: list[int]) -> None:
    solution = finish(register_frame(problem, (start,), Recipe(mirrored=False)))
    kept.append(solution.poses[0])
    evaluations.append(solution.evaluations)


def registered(row: Row, work: RegisterWork, found: Sequence[Rigid], told: str = "") -> Row:
    """The row with the errors of the poses found: medians, and the worst."""
    pivot = work.body.pivot_mm[None]
    mm = [float(np.linalg.norm(pose.apply(pivot) - POSE.apply(pivot))) for pose in found]
    deg = [float(pose.angle_deg_to(POSE)) for pose in found]
    seeds = f"{len(found)} seeds, worst {max(deg):.2f} deg"
    return replace(
        row,
        error=float(np.median(mm)),
        error_unit="mm",
        error_deg=float(np.median(deg)),
        worst=max(mm),
        told=f"{seeds}, {told}" if told else seeds,
    )
