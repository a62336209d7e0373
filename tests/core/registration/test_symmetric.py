"""Mirror traps: a symmetric tray that starts in the pose one view cannot tell from the right one."""

import numpy as np
import pytest
import trimesh

from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_repair import repair
from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.candidates import mirrored_and_turned, mirrored_pose
from core.registration.frame import register_frame
from core.registration.recipe import Recipe
from core.registration.values import Problem, finish
from core.rendering.path_length import path_length
from tests.scenes import lopsided, of_trimesh, rig, shot

TRUTH = Rigid(rotation=so3_exp(np.array([-1.2, 0.35, 0.2])), translation_mm=[4.0, 6.0, -3.0])


def tray_mesh() -> TriangleMesh:
    plate = trimesh.creation.cylinder(radius=1.0, height=4.0, sections=96)
    plate.apply_scale([38, 24, 1])
    keel = trimesh.creation.box((26, 5, 34))
    keel.apply_translation([0, 5, -18])
    parts = [of_trimesh(plate), of_trimesh(keel)]
    joined = TriangleMesh(
        vertices_mm=np.concatenate([part.vertices_mm for part in parts]),
        faces=np.concatenate([parts[0].faces, parts[1].faces + len(parts[0].vertices_mm)]),
    )
    return repair(joined).mesh


@pytest.fixture(scope="module")
def tray():
    return prepare_body("tray", tray_mesh())


@pytest.fixture(scope="module")
def shots():
    return tuple(shot(view, [(tray_mesh(), TRUTH, 0.2)]) for view in rig(512))


def test_the_mirrored_pose_casts_nearly_the_same_shadow_in_its_view(tray):
    view, other = rig(256)
    mirrored = mirrored_pose(tray.symmetry, TRUTH, view)
    assert mirrored.angle_deg_to(TRUTH) > 20
    overlap = [dice(tray, plane, TRUTH, mirrored) for plane in (view, other)]
    assert overlap[0] > 0.95
    assert overlap[1] < overlap[0]


def dice(tray, view, one, two):
    a, b = (path_length(tray.mesh, view, pose) > 0.1 for pose in (one, two))
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_a_start_in_the_mirrored_pose_is_mended(tray, shots):
    start = mirrored_pose(tray.symmetry, TRUTH, shots[0].view)
    problem = Problem(bodies=(tray,), shots=shots)
    trapped = finish(register_frame(problem, [start], Recipe(mirrored=False, second_starts=0)))
    mended = finish(register_frame(problem, [start]))
    assert trapped.poses[0].angle_deg_to(TRUTH) > 5
    assert mended.poses[0].angle_deg_to(TRUTH) < 1.0
    assert mended.cost < trapped.cost


def test_a_body_without_symmetry_has_no_candidates():
    assert mirrored_and_turned(prepare_body("x", lopsided(3)), TRUTH, rig()) == []
