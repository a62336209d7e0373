"""Small known scenes for tests: a lopsided closed body, a dual-plane rig, and pictures of them."""

import numpy as np
import trimesh
from manifold3d import Manifold

from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_repair import from_manifold
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.registration.values import Shot
from core.rendering.ray_casting import path_length_reference


def rig_view(name: str, angle_deg: float, size_px: int = 256, distance_mm: float = 1200.0) -> View:
    """A view of the origin from the given direction about the vertical."""
    turned = Rigid.from_euler([0.0, 0.0, angle_deg], [0.0, 0.0, 0.0]).rotation
    upright = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]])
    return View(
        name=name,
        camera_from_world=Rigid(rotation=upright @ turned, translation_mm=[0, 0, distance_mm]),
        focal_px=(5.2 * size_px, 5.15 * size_px),
        principal_px=(0.51 * size_px, 0.48 * size_px),
        width_px=size_px,
        height_px=size_px,
        pixel_spacing_mm=360.0 / size_px,
    )


def rig(size_px: int = 256) -> tuple[View, View]:
    """Two views 70 degrees apart."""
    return rig_view("A", 0.0, size_px), rig_view("B", 70.0, size_px)


def of_trimesh(mesh: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(vertices_mm=np.asarray(mesh.vertices), faces=np.asarray(mesh.faces))


def lopsided(subdivisions: int = 4) -> TriangleMesh:
    """A closed smooth body about 60 mm across without any symmetry."""
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=1.0)
    v = np.asarray(ball.vertices)
    radius = 25 + 6 * v[:, 0] ** 3 + 5 * v[:, 1] * v[:, 2] + 4 * v[:, 2] + 5 * np.sin(3 * v[:, 0] + 2 * v[:, 1])
    return TriangleMesh(vertices_mm=v * radius[:, None] * [1.0, 0.8, 1.2], faces=np.asarray(ball.faces))


def implant(edge_mm: float = 2.0) -> TriangleMesh:
    """A closed metal-like body with flats, edges, pegs and two unequal round ends, about 60 mm across."""
    solid = Manifold.cube([52.0, 30.0, 8.0], center=True)
    solid += Manifold.cylinder(26.0, 7.0, 5.0, 48).rotate([35.0, 10.0, 0.0]).translate([6.0, 2.0, -4.0])
    solid += Manifold.sphere(1.0, 64).scale([13.0, 19.0, 17.0]).translate([-18.0, 3.0, 8.0])
    solid += Manifold.sphere(1.0, 64).scale([10.0, 15.0, 12.0]).translate([19.0, -2.0, 6.0])
    solid -= Manifold.cube([9.0, 40.0, 14.0], center=True).translate([2.0, -14.0, 8.0])
    return from_manifold(solid.refine_to_length(edge_mm))


def picture(view: View, scene: list[tuple[TriangleMesh, Rigid, float]], supersample: int = 3) -> np.ndarray:
    """A noise-free 16-bit picture by the reference renderer: brightest in air."""
    fine = view.scaled(view.width_px * supersample, view.height_px * supersample)
    total = sum(mu * path_length_reference(mesh, fine, pose) for mesh, pose, mu in scene)
    intensity = np.exp(-np.asarray(total)).reshape(view.height_px, supersample, view.width_px, supersample)
    return np.round(50_000 * (0.05 + 0.95 * intensity.mean(axis=(1, 3)))).astype(np.uint16)


def shot(view: View, scene: list[tuple[TriangleMesh, Rigid, float]]) -> Shot:
    return Shot(view=view, image=picture(view, scene), usable=np.ones((view.height_px, view.width_px), dtype=bool))
