"""The fast raster and the shadow's pose derivative against the plain reference."""

import numpy as np
import pytest
import trimesh

from core.errors import GeometryError
from core.geometry.rigid import Rigid, so3_exp
from core.registration.level import Level, Pictures
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body, Shot
from core.rendering.path_length import path_length
from core.rendering.ray_casting import path_length_reference
from tests.scenes import implant, lopsided, of_trimesh, rig

POSES = [
    Rigid.identity(),
    Rigid(rotation=so3_exp(np.array([0.3, -0.8, 1.1])), translation_mm=[12.0, -7.0, 25.0]),
    Rigid(rotation=so3_exp(np.array([2.0, 0.5, -0.4])), translation_mm=[-60.0, 70.0, -30.0]),
]


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("shape", ["lopsided", "box"])
def test_path_length_agrees_with_the_reference(pose, shape):
    mesh = lopsided() if shape == "lopsided" else of_trimesh(trimesh.creation.box((30, 40, 50)))
    for view in rig(128):
        fast, plain = path_length(mesh, view, pose), path_length_reference(mesh, view, pose)
        assert plain.max() > 10
        np.testing.assert_allclose(fast, plain, atol=2e-4)


def test_path_length_of_a_sphere_is_its_chord():
    ball = of_trimesh(trimesh.creation.icosphere(subdivisions=5, radius=20.0))
    view = rig(64)[0]
    drawn = path_length(ball, view, Rigid.identity())
    rays = view.rays_world(np.stack(np.meshgrid(np.arange(64), np.arange(64)), -1).reshape(-1, 2).astype(float))
    nearest = np.linalg.norm(np.cross(rays, -view.source_world_mm), axis=1)
    chord = 2 * np.sqrt(np.maximum(400 - nearest**2, 0)).reshape(64, 64)
    inside = chord > 15
    np.testing.assert_allclose(drawn[inside], chord[inside], rtol=3e-3)


def test_no_ray_ends_inside_a_closed_body():
    outside = path_length_reference(lopsided(), rig(128)[0], POSES[1]) == 0
    assert (path_length(lopsided(), rig(128)[0], POSES[1])[outside] == 0).all()


def test_a_body_behind_the_source_is_refused():
    view = rig(64)[0]
    with pytest.raises(GeometryError, match="behind"):
        path_length(lopsided(), view, Rigid.identity().shifted(view.source_world_mm))


def level_of(bodies, poses, picture_px=256, supersample=2):
    views = rig(picture_px)
    blank = np.ones((picture_px, picture_px), dtype=np.uint16)
    shots = [Shot(view=view, image=blank, usable=blank > 0) for view in views]
    stage = Stage(picture_px=picture_px, supersample=supersample, margin_mm=30.0)
    return Level(bodies, [Pictures.of(shot) for shot in shots], poses, stage, Recipe(attenuation_per_mm=0.03))


def bodies_of(*meshes):
    return tuple(Body(name=str(k), levels=(mesh,), pivot_mm=mesh.centre_mm) for k, mesh in enumerate(meshes))


@pytest.mark.parametrize("count", [1, 2])
def test_pose_derivatives_agree_with_differences_of_the_reference(count):
    bodies = bodies_of(lopsided(), implant())[:count]
    poses = (POSES[1], Rigid(rotation=so3_exp(np.array([0.2, 0.4, -0.3])), translation_mm=[0.0, 30.0, 0.0]))[:count]
    level = level_of(bodies, poses)
    for cut in level.views:
        drawn = level.draw(cut.view, poses)
        axes = cut.view.camera_from_world.rotation
        for body in range(count):
            for axis in range(6):
                twist = np.zeros(6)
                twist[axis] = 0.3 if axis < 3 else 0.3 / 25
                world = np.concatenate([axes.T @ twist[:3], axes.T @ twist[3:]])
                ends = [
                    reference_shadow(level, cut.view, bodies, moved(poses, bodies, body, sign * world))
                    for sign in (1, -1)
                ]
                expected = (ends[0] - ends[1]) / (2 * np.abs(twist).max())
                got = drawn[..., 1 + 6 * body + axis]
                cosine = (got * expected).sum() / np.linalg.norm(got) / np.linalg.norm(expected)
                assert cosine > 0.98, (cut.view.name, body, axis, cosine)
                assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(expected), rel=0.06)


def moved(poses, bodies, index, twist):
    return tuple(pose.perturbed(twist, bodies[k].pivot_mm) if k == index else pose for k, pose in enumerate(poses))


def reference_shadow(level, view, bodies, poses):
    """The blurred shadow by the reference renderer at eight rays a pixel side."""
    from core.imaging.smoothing import smooth

    ss = 8
    fine = view.scaled(view.width_px * ss, view.height_px * ss)
    total = sum(0.03 * path_length_reference(b.mesh, fine, p) for b, p in zip(bodies, poses, strict=True))
    shade = np.expm1(-np.asarray(total)).reshape(view.height_px, ss, view.width_px, ss).mean(axis=(1, 3))
    return smooth(np.ascontiguousarray(shade[..., None], dtype=np.float32), 0.8)[..., 0].astype(np.float64)


def test_the_drawn_shadow_agrees_with_the_reference():
    bodies, poses = bodies_of(lopsided()), (POSES[1],)
    level = level_of(bodies, poses)
    for cut in level.views:
        expected = reference_shadow(level, cut.view, bodies, poses)
        assert expected.min() < -0.5
        np.testing.assert_allclose(level.draw(cut.view, poses)[..., 0], expected, atol=0.015)
