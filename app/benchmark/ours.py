"""This program at the work: drawing meshes and volumes, and registering from 5 mm and 5 degrees off."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import trimesh
from jaxtyping import Float

from app.benchmark.results import OURS, Row, timed
from app.benchmark.work import (
    POSE,
    MeshWork,
    VolumeWork,
    Work,
    march,
    noisy_picture,
    off_by_exactly,
    phantom,
)
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.io.software import SOFTWARE
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe
from core.registration.values import Body, Problem, Shot, finish
from core.rendering.path_length import lens_of, path_length, ray_stretch
from core.rendering.ray_casting import path_length_reference
from core.simulation.implants import femoral_component
from core.simulation.rig import dual_plane_rig

_VOLUMES = "core.rendering.volume_moments"
"""The fast renderer of volumes."""
_METAL_PER_MM = 0.6


def draw(work: Work, repeats: int) -> Row:
    """Draw both views; one thread."""
    if isinstance(work, MeshWork):
        one = partial(_draw_mesh, work)
    elif find_spec(_VOLUMES) is None:
        return Row(workload=work.title, who=OURS, state="not installed", told="this version does not draw volumes")
    else:
        one = partial(_draw_volume, work)
    timing = timed(one, repeats)
    return scored(
        Row(workload=work.title, who=OURS, version=SOFTWARE.split()[-1], cpu_s=timing.cpu_s, wall_s=timing.wall_s),
        work,
        one(),
    )


def _draw_mesh(work: MeshWork) -> Float[np.ndarray, "2 h w"]:
    return np.stack([path_length(work.mesh, view, POSE) for view in work.views])


def _draw_volume(work: VolumeWork) -> Float[np.ndarray, "2 h w"]:
    moments = import_module(_VOLUMES).volume_moments
    drawn = []
    for view in work.views:
        camera_from_body = view.camera_from_world @ POSE
        depth_mm = float(camera_from_body.apply(work.volume.centre_mm[None])[0, 2])
        size = (view.height_px, view.width_px)
        drawn.append(moments(work.volume, camera_from_body, lens_of(view), depth_mm, size)[..., 0] * ray_stretch(view))
    return np.stack(drawn)


def scored(row: Row, work: Work, drawn: Float[np.ndarray, "2 h w"]) -> Row:
    """The row with its error against the truth: mm for a mesh; for CT, after the best scale, a share of the signal."""
    truth = np.asarray(work.truth, dtype=np.float64)
    seen = np.asarray(drawn, dtype=np.float64)
    if isinstance(work, MeshWork):
        off = np.abs(seen - truth)
        return replace(row, error=float(np.sqrt((off**2).mean())), error_unit="mm", worst=float(off.max()))
    inside = truth > 1e-3 * truth.max()
    scale = (seen * truth)[inside].sum() / max((seen**2)[inside].sum(), 1e-300)
    off = (scale * seen - truth)[inside]
    size = np.sqrt((truth[inside] ** 2).mean())
    told = row.told if abs(scale - 1) < 0.02 else f"{row.told} scaled by {scale:.3g}".strip()
    worst = float(np.abs(off).max() / size)
    return replace(row, error=float(np.sqrt((off**2).mean()) / size), error_unit="of signal", worst=worst, told=told)


def register_mesh(size_px: int, seeds: Sequence[int], edge_mm: float = 1.5) -> Row:
    """A femoral component from 5 mm and 5 deg off, its attenuation unknown, 1 % noise."""
    views = dual_plane_rig(size_px)
    fine = femoral_component(min(1.0, edge_mm))
    body = prepare_body("femur", femoral_component(edge_mm))
    paths = [_seen_path(fine, view) for view in views]
    return _registered(f"register mesh, {size_px} px", body, views, paths, seeds)


def _seen_path(mesh: TriangleMesh, view: View, rays: int = 3) -> Float[np.ndarray, "h w"]:
    """Attenuation of each pixel whose transmission is the mean over its rays, as a detector has it."""
    fine = view.scaled(view.width_px * rays, view.height_px * rays)
    passed = np.exp(-_METAL_PER_MM * path_length_reference(mesh, fine, POSE))
    return -np.log(passed.reshape(view.height_px, rays, view.width_px, rays).mean(axis=(1, 3)))


def register_volume(voxels: int, size_px: int, seeds: Sequence[int]) -> Row:
    """A bone from CT, from 5 mm and 5 deg off, 1 % noise; the pictures are marched through finer voxels."""
    title = f"register CT, {voxels}^3, {size_px} px"
    if find_spec(_VOLUMES) is None:
        return Row(workload=title, who=OURS, state="not installed", told="this version does not draw volumes")
    views = dual_plane_rig(size_px)
    fine, coarse = phantom(voxels * 3 // 2), phantom(voxels)
    surface = trimesh.creation.icosphere(subdivisions=3)
    vertices = np.asarray(surface.vertices) * [36.0, 45.0, 26.0]
    hull = TriangleMesh(vertices_mm=vertices, faces=np.asarray(surface.faces))
    body = Body(name="bone", levels=(hull,), pivot_mm=coarse.centre_mm, volumes=(coarse,))
    paths = [march(fine, view, POSE, 0.3).astype(np.float64) for view in views]
    return _registered(title, body, views, paths, seeds)


def _registered(
    title: str, body: Body, views: Sequence[View], paths: Sequence[Float[np.ndarray, "h w"]], seeds: Sequence[int]
) -> Row:
    cpu: list[float] = []
    wall: list[float] = []
    mm: list[float] = []
    deg: list[float] = []
    evaluations: list[int] = []
    for seed in seeds:
        shots = tuple(
            Shot(view=view, image=noisy_picture(path, seed + 100 * k), usable=np.ones(path.shape, dtype=bool))
            for k, (view, path) in enumerate(zip(views, paths, strict=True))
        )
        start = off_by_exactly(POSE, body.pivot_mm, 5.0, 5.0, seed)
        problem = Problem(bodies=(body,), shots=shots)
        found: list[Rigid] = []
        timing = timed(partial(_one, problem, start, found, evaluations), 1)
        cpu.append(timing.cpu_s)
        wall.append(timing.wall_s)
        shift = found[-1].apply(body.pivot_mm[None]) - POSE.apply(body.pivot_mm[None])
        mm.append(float(np.linalg.norm(shift)))
        deg.append(float(found[-1].angle_deg_to(POSE)))
    return Row(
        workload=title,
        who=OURS,
        version=SOFTWARE.split()[-1],
        cpu_s=float(np.median(cpu)),
        wall_s=float(np.median(wall)),
        error=float(np.median(mm)),
        error_unit="mm",
        error_deg=float(np.median(deg)),
        worst=max(mm),
        told=f"{len(seeds)} seeds, {int(np.median(evaluations))} drawings of both views, worst {max(deg):.2f} deg",
    )


def _one(problem: Problem, start: Rigid, found: list[Rigid], evaluations: list[int]) -> None:
    solution = finish(register_frame(problem, (start,), Recipe(mirrored=False)))
    found.append(solution.poses[0])
    evaluations.append(solution.evaluations)
