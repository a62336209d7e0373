"""The silhouette against exact rays, on closed, open and broken surfaces, and in time."""

import time

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.rendering.ray_casting import path_length_reference
from core.rendering.silhouette import Silhouette, filled_area_px, silhouette


def view(width: int = 320, height: int = 300, focal: float = 1500.0) -> View:
    return View(
        name="A",
        camera_from_world=Rigid.from_euler([4.0, -7.0, 11.0], [3.0, -2.0, 900.0]),
        focal_px=(focal, focal * 1.01),
        principal_px=(0.47 * width, 0.52 * height),
        width_px=width,
        height_px=height,
    )


def mesh_of(shape: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(vertices_mm=shape.vertices, faces=shape.faces)


def lumpy(subdivisions: int = 4) -> trimesh.Trimesh:
    shape = trimesh.creation.icosphere(subdivisions=subdivisions, radius=32.0)
    shape.vertices *= 1.0 + 0.2 * np.sin(shape.vertices[:, [1, 2, 0]] / 7.0)
    return shape


def torus() -> trimesh.Trimesh:
    return trimesh.creation.torus(major_radius=25.0, minor_radius=8.0, major_sections=96, minor_sections=48)


def bowl() -> trimesh.Trimesh:
    """An open surface: half a lumpy ball, of which one also sees the inside."""
    shape = lumpy()
    kept = shape.vertices[shape.faces][:, :, 0].max(axis=1) < 6.0
    return trimesh.Trimesh(shape.vertices, shape.faces[kept], process=False)


def windings(found: Silhouette, pixels: np.ndarray) -> np.ndarray:
    """Winding numbers of points by counting signed crossings of a ray to the right."""
    total = np.zeros(len(pixels), dtype=int)
    for loop in found.loops_px:
        a, b = loop, np.roll(loop, -1, axis=0)
        for start, end in zip(a, b, strict=True):
            up = (start[1] <= pixels[:, 1]) & (end[1] > pixels[:, 1])
            down = (end[1] <= pixels[:, 1]) & (start[1] > pixels[:, 1])
            if not (up.any() or down.any()):
                continue
            at = start[0] + (pixels[:, 1] - start[1]) / (end[1] - start[1]) * (end[0] - start[0])
            total += np.where(up & (at > pixels[:, 0]), 1, 0) - np.where(down & (at > pixels[:, 0]), 1, 0)
    return total


def layers(mesh: TriangleMesh, seen: View, pose: Rigid, pixels: np.ndarray) -> np.ndarray:
    """How many triangles cover each point, one by one."""
    corners = seen.project(pose.apply(mesh.vertices_mm))[mesh.faces]
    count = np.zeros(len(pixels), dtype=int)
    for triangle in corners:
        low, high = triangle.min(axis=0), triangle.max(axis=0)
        near = np.flatnonzero(((pixels >= low) & (pixels <= high)).all(axis=1))
        edges = np.roll(triangle, -1, axis=0) - triangle
        out = pixels[near][:, None] - triangle
        side = edges[:, 0] * out[:, :, 1] - edges[:, 1] * out[:, :, 0]
        count[near] += (side > 0).all(axis=1) | (side < 0).all(axis=1)
    return count


@pytest.mark.parametrize("shape", [lumpy(), torus(), trimesh.creation.box([30.0, 40.0, 12.0])])
@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (25.0, -40.0, 70.0), (-100.0, 15.0, 33.0)])
def test_the_filled_loops_are_the_shadow_that_exact_rays_find(shape, angles):
    seen, pose, mesh = view(), Rigid.from_euler(angles, [2.0, 5.0, -4.0]), mesh_of(shape)
    shadow = path_length_reference(mesh, seen, pose) > 1e-9
    v, u = np.mgrid[: seen.height_px, : seen.width_px]
    filled = windings(silhouette(mesh, seen, pose), np.stack([u.ravel(), v.ravel()], axis=-1)) != 0
    assert shadow.sum() > 1500
    differing = int((filled != shadow.ravel()).sum())
    assert differing <= 2, "only a pixel centre within rounding of the outline may differ"


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (25.0, -40.0, 70.0), (-100.0, 75.0, 33.0)])
def test_open_and_broken_surfaces_fill_to_what_their_triangles_cover(angles):
    torn = lumpy(3)
    torn = trimesh.Trimesh(torn.vertices, np.delete(torn.faces, np.arange(0, 1200, 7), axis=0), process=False)
    mixed = lumpy(3)  # some faces wound the wrong way round
    mixed.faces[::5] = mixed.faces[::5, ::-1]
    fins = TriangleMesh(  # three faces on one edge
        vertices_mm=np.array([[0, 0, -20.0], [0, 0, 20], [25, 0, 0], [-12, 21, 0], [-12, -21, 0]]),
        faces=np.array([[0, 1, 2], [0, 1, 3], [1, 0, 4]]),
    )
    seen, pose = view(), Rigid.from_euler(angles, [2.0, 5.0, -4.0])
    pixels = np.random.default_rng(1).uniform([40, 40], [280, 260], (1500, 2))
    for mesh in (mesh_of(bowl()), mesh_of(torn), mesh_of(mixed), fins):
        covered = layers(mesh, seen, pose, pixels)
        filled = windings(silhouette(mesh, seen, pose), pixels)
        np.testing.assert_array_equal(filled != 0, covered != 0)
        assert (filled >= 0).all(), "every layer counts positive"
        assert 0 < (covered != 0).sum() < len(pixels)


def test_the_border_of_an_open_surface_is_drawn():
    square = TriangleMesh(
        vertices_mm=np.array([[-10.0, -10, 0], [10, -10, 0], [10, 10, 0], [-10, 10, 0]]),
        faces=np.array([[0, 1, 2], [0, 2, 3]]),
    )
    found = silhouette(square, view(), Rigid.identity())
    assert found.segments_px.shape == (4, 2, 2)
    expected = view().project(square.vertices_mm)
    drawn = found.segments_px.reshape(-1, 2)
    assert np.linalg.norm(drawn[:, None] - expected[None], axis=-1).min(axis=1).max() < 1e-9


@settings(max_examples=30)
@given(st.tuples(*[st.floats(-180, 180)] * 3))
def test_loops_close_and_hold_every_segment_once(angles):
    found = silhouette(mesh_of(torus()), view(), Rigid.from_euler(angles, [0.0, 0.0, 0.0]))
    edges = {
        (tuple(a), tuple(b)) for loop in found.loops_px for a, b in zip(loop, np.roll(loop, -1, axis=0), strict=True)
    }
    drawn = [(tuple(a), tuple(b)) for a, b in found.segments_px]
    assert edges == set(drawn)
    assert len(drawn) == len(set(drawn))
    ends = np.concatenate([found.segments_px[:, 0], -found.segments_px[:, 1]])
    np.testing.assert_allclose(ends.sum(axis=0), 0.0, atol=1e-6)


def test_the_outline_is_where_the_vertices_project():
    mesh, pose = mesh_of(lumpy()), Rigid.from_euler([25.0, -40.0, 70.0], [2.0, 5.0, -4.0])
    found = silhouette(mesh, view(), pose)
    projected = view().project(pose.apply(mesh.vertices_mm))
    distances = np.linalg.norm(found.points_px[:, None] - projected[None], axis=-1).min(axis=1)
    assert distances.max() < 1e-9
    left, top, right, bottom = found.box_px
    np.testing.assert_allclose([left, top], projected.min(axis=0), atol=1e-9)
    np.testing.assert_allclose([right, bottom], projected.max(axis=0), atol=1e-9)


def test_the_area_of_a_ball_is_that_of_its_cone():
    ball, distance, radius = mesh_of(trimesh.creation.icosphere(subdivisions=6, radius=30.0)), 900.0, 30.0
    seen = View(
        name="A",
        camera_from_world=Rigid(rotation=np.eye(3), translation_mm=[0.0, 0.0, distance]),
        focal_px=(1500.0, 1500.0),
        principal_px=(160.0, 150.0),
        width_px=320,
        height_px=300,
    )
    area = filled_area_px(silhouette(ball, seen, Rigid.identity()).loops_px)
    assert area == pytest.approx(np.pi * 1500.0**2 * radius**2 / (distance**2 - radius**2), rel=2e-3)


def test_what_lies_behind_the_source_casts_no_shadow():
    mesh = mesh_of(lumpy())
    behind = Rigid(rotation=np.eye(3), translation_mm=view().source_world_mm - 300.0 * view().axis_world)
    found = silhouette(mesh, view(), behind)
    assert found.is_empty
    assert found.loops_px == ()
    assert found.box_px is None
    around = Rigid(rotation=np.eye(3), translation_mm=view().source_world_mm)
    part = silhouette(mesh, view(), around)
    assert np.isfinite(part.points_px).all()
    assert not part.is_empty


def test_equal_fill_of_opencv_and_loops():
    mesh, pose, seen = mesh_of(lumpy()), Rigid.from_euler([25.0, -40.0, 70.0], [2.0, 5.0, -4.0]), view()
    drawn = np.zeros((seen.height_px, seen.width_px), dtype=np.uint8)
    for loop in silhouette(mesh, seen, pose).loops_px:
        cv2.fillPoly(drawn, [np.round(loop * 65536).astype(np.int32)], 1, shift=16)
    shadow = path_length_reference(mesh, seen, pose) > 0
    both = np.logical_and(drawn > 0, shadow).sum()
    assert 2 * both / (drawn.astype(bool).sum() + shadow.sum()) > 0.985  # cv2 also draws the border pixels


@pytest.mark.timing
def test_twenty_thousand_faces_take_about_a_millisecond():
    mesh = mesh_of(lumpy(5))
    assert len(mesh.faces) == 20480
    seen, seconds = view(1664, 1600, 4800.0), []
    for turn in range(25):
        start = time.perf_counter()
        silhouette(mesh, seen, Rigid.from_euler([turn, 2.0 * turn, 3.0 * turn], [0.0, 0.0, 0.0]))
        seconds.append(time.perf_counter() - start)
    assert np.percentile(seconds[3:], 20) < 0.005  # 0.4 ms on an idle machine; the bound allows for busy ones
