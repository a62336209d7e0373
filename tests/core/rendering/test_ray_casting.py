"""The reference path length against geometry that is known in closed form, and against VTK's rays."""

from functools import cache

import numpy as np
import pytest
import pyvista
import trimesh
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkFiltersGeneral import vtkOBBTree

from core.errors import GeometryError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.rendering.ray_casting import path_length_reference


def view(width: int = 96, height: int = 80, focal: float = 600.0) -> View:
    return View(
        name="A",
        camera_from_world=Rigid.from_euler([4.0, -7.0, 11.0], [3.0, -2.0, 900.0]),
        focal_px=(focal, focal * 1.02),
        principal_px=(0.47 * width, 0.55 * height),
        width_px=width,
        height_px=height,
        pixel_spacing_mm=1.5,
    )


def head_on(width: int = 65, height: int = 65) -> View:
    return View(
        name="A",
        camera_from_world=Rigid(rotation=np.eye(3), translation_mm=[0.0, 0.0, 800.0]),
        focal_px=(640.0, 640.0),
        principal_px=(32.0, 32.0),
        width_px=width,
        height_px=height,
    )


def mesh_of(shape: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(vertices_mm=shape.vertices, faces=shape.faces)


def pose() -> Rigid:
    return Rigid.from_euler([25.0, -40.0, 70.0], [2.0, 5.0, -4.0])


def rays_in_body(seen: View, world_from_body: Rigid) -> tuple[np.ndarray, np.ndarray]:
    body_from_world = world_from_body.inverse()
    v, u = np.mgrid[: seen.height_px, : seen.width_px].astype(float)
    directions = body_from_world.rotate(seen.rays_world(np.stack([u.ravel(), v.ravel()], axis=-1)))
    return body_from_world.apply(seen.source_world_mm[None])[0], directions


def slab_lengths(origin: np.ndarray, directions: np.ndarray, half: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        first, second = (-half - origin) / directions, (half - origin) / directions
    near = np.minimum(first, second).max(axis=1)
    far = np.maximum(first, second).min(axis=1)
    return np.maximum(far - near, 0.0)


def test_box_is_exact_from_any_side():
    seen, placed = view(), pose()
    half = np.array([14.0, 9.0, 22.0])
    drawn = path_length_reference(mesh_of(trimesh.creation.box(2 * half)), seen, placed)
    origin, directions = rays_in_body(seen, placed)
    expected = slab_lengths(origin, directions, half).reshape(drawn.shape)
    np.testing.assert_allclose(drawn, expected, atol=1e-9)
    assert (expected > 0).sum() > 200


def test_sphere_approaches_its_chords():
    seen, radius = view(), 25.0
    sphere = trimesh.creation.icosphere(subdivisions=6, radius=radius)
    drawn = path_length_reference(mesh_of(sphere), seen, pose())
    origin, directions = rays_in_body(seen, pose())
    missed = ((origin - (directions @ origin)[:, None] * directions) ** 2).sum(axis=1)
    chord = 2 * np.sqrt(np.maximum(radius**2 - missed, 0.0)).reshape(drawn.shape)
    inside = missed.reshape(drawn.shape) < (0.95 * radius) ** 2
    np.testing.assert_allclose(drawn[inside], chord[inside], atol=0.06)
    assert drawn[chord == 0.0].max(initial=0.0) == 0.0


def test_cylinder_along_the_axis_is_its_length():
    cylinder = trimesh.creation.cylinder(radius=20.0, height=30.0, sections=128)
    drawn = path_length_reference(mesh_of(cylinder), head_on(), Rigid.identity())
    assert drawn[32, 32] == pytest.approx(30.0, abs=1e-9)
    slant = np.hypot(1.0, 5 / 640.0)
    assert drawn[32, 37] == pytest.approx(30.0 * slant, abs=1e-9)


def test_rays_through_edges_and_vertices_are_counted_once():
    """A box whose diagonals, edges and corners all project exactly onto pixel centres."""
    vertices = np.array([[x * z, y * z, z - 800.0] for z in (700.0, 900.0) for y in (-1, 0, 1) for x in (-1, 0, 1)]) * [
        16 / 640,
        16 / 640,
        1.0,
    ]
    quads = [(0, 1, 3, 4), (1, 2, 4, 5), (3, 4, 6, 7), (4, 5, 7, 8)]
    front = [t for a, b, c, d in quads for t in ((a, c, b), (b, c, d))]
    back = [(a + 9, c + 9, b + 9) for a, b, c in front]
    ring = [0, 1, 2, 5, 8, 7, 6, 3]
    sides = [t for a, b in zip(ring, ring[1:] + ring[:1], strict=True) for t in ((a, b, a + 9), (b, b + 9, a + 9))]
    frustum = TriangleMesh(vertices_mm=vertices, faces=np.array([*front, *back, *sides])[:, ::-1])
    assert frustum.is_closed
    drawn = path_length_reference(frustum, head_on(), Rigid.identity())
    v, u = np.mgrid[:65, :65] - 32.0
    expected = 200.0 * np.sqrt(1 + (u**2 + v**2) / 640.0**2)
    crossed = drawn != 0.0
    np.testing.assert_allclose(np.abs(drawn[crossed]), expected[crossed], rtol=1e-12)
    assert crossed[17:48, 17:48].all(), "no ray inside may be lost on a shared edge or vertex"
    assert crossed.sum() == 32 * 32, "a boundary ray belongs to one side only"


def other_programs_path_length(shape: trimesh.Trimesh, start: np.ndarray, end: np.ndarray) -> float | None:
    """Material between two points after VTK, or None where it met an odd number of surfaces."""
    found = vtkPoints()
    locate(shape).IntersectWithLine(start, end, found, None)
    distance = np.sort([np.linalg.norm(found.GetPoint(i) - start) for i in range(found.GetNumberOfPoints())])
    return None if len(distance) % 2 else float((distance[1::2] - distance[::2]).sum())


@cache
def locate(shape: trimesh.Trimesh) -> vtkOBBTree:
    tree = vtkOBBTree()
    tree.SetDataSet(pyvista.wrap(shape))
    tree.BuildLocator()
    return tree


def test_many_random_rays_agree_with_another_program():
    shape = trimesh.creation.torus(major_radius=22.0, minor_radius=8.0, major_sections=48, minor_sections=24)
    seen, placed = view(focal=1300.0), pose()
    drawn = path_length_reference(mesh_of(shape), seen, placed).ravel()
    origin, directions = rays_in_body(seen, placed)
    picks = np.random.default_rng(0).choice(len(directions), 4000, replace=False)
    theirs = [other_programs_path_length(shape, origin, origin + 2000 * directions[i]) for i in picks]
    usable = np.array([length is not None for length in theirs])
    assert usable.mean() > 0.99, "the other program may lose a ray on an edge, but not many"
    expected = np.array([length for length in theirs if length is not None])
    assert (expected > 1.0).sum() > 700
    np.testing.assert_allclose(drawn[picks[usable]], expected, atol=1e-5)


def test_two_bodies_add_up_and_separate_shells_are_one_mesh():
    seen = view()
    box, ball = trimesh.creation.box([20.0, 20.0, 20.0]), trimesh.creation.icosphere(radius=12.0)
    ball.apply_translation([25.0, 3.0, 10.0])
    both = trimesh.util.concatenate([box, ball])
    separate = sum(path_length_reference(mesh_of(m), seen, pose()) for m in (box, ball))
    np.testing.assert_allclose(path_length_reference(mesh_of(both), seen, pose()), separate, atol=1e-10)


def test_crop_is_a_cut_of_the_whole():
    seen, ball = view(), mesh_of(trimesh.creation.icosphere(radius=24.0))
    whole = path_length_reference(ball, seen, pose())
    part = path_length_reference(ball, seen.cropped(31, 22, 40, 30), pose())
    np.testing.assert_allclose(part, whole[22:52, 31:71], atol=1e-9)


def test_supersampling_is_the_mean_of_the_scaled_view():
    seen, ball = view(), mesh_of(trimesh.creation.icosphere(radius=24.0))
    fine = path_length_reference(ball, seen.scaled(96 * 3, 80 * 3), pose())
    mean = fine.reshape(80, 3, 96, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(path_length_reference(ball, seen, pose(), supersample=3), mean, atol=1e-12)


def test_moving_camera_and_body_together_changes_nothing():
    seen, placed = view(), pose()
    box = mesh_of(trimesh.creation.box([30.0, 12.0, 40.0]))
    moved = Rigid.from_euler([60.0, 20.0, -50.0], [100.0, -40.0, 12.0])
    other = View(
        name="A",
        camera_from_world=seen.camera_from_world @ moved.inverse(),
        focal_px=seen.focal_px,
        principal_px=seen.principal_px,
        width_px=seen.width_px,
        height_px=seen.height_px,
    )
    np.testing.assert_allclose(
        path_length_reference(box, other, moved @ placed), path_length_reference(box, seen, placed), atol=1e-8
    )


def test_total_is_never_negative_on_a_closed_surface():
    ball = mesh_of(trimesh.creation.icosphere(subdivisions=5, radius=24.0))
    for seed in range(5):
        generator = np.random.default_rng(seed)
        placed = Rigid.from_euler(generator.uniform(-180, 180, 3), generator.uniform(-9, 9, 3))
        drawn = path_length_reference(ball, view(), placed)
        assert drawn.min() >= -1e-9
        assert drawn.max() == pytest.approx(48.0, abs=0.2)


def test_a_body_behind_the_source_is_refused():
    ball = mesh_of(trimesh.creation.icosphere(radius=24.0))
    with pytest.raises(GeometryError, match="behind the X-ray source"):
        path_length_reference(ball, view(), Rigid(rotation=np.eye(3), translation_mm=[0.0, 0.0, -900.0]))
    with pytest.raises(GeometryError, match="supersample"):
        path_length_reference(ball, view(), pose(), supersample=0)
