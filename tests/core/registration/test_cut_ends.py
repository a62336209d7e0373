"""A shaft that its CT cuts off is registered to pictures that show more of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.geometry.rigid import Rigid, so3_exp
from core.imaging.voxels import Voxels
from core.registration.bone import prepare_bone
from core.registration.cut_ends import beyond_cut_ends
from core.registration.frame import register_frame
from core.registration.recipe import STAGES, Recipe
from core.registration.values import Problem, Shot, finish
from core.rendering.siddon import siddon_reference
from core.study.values import FileLink, VolumeLink, VoxelValues
from tests.scenes import rig

SPACING = np.array([1.0, 1.0, 1.0])
SAID = VolumeLink(file=FileLink(path=Path("ct.nii")), values=VoxelValues.HOUNSFIELD)
TRUTH = Rigid(rotation=so3_exp(np.array([1.4, -0.1, 0.2])), translation_mm=[-20.0, 30.0, -18.0])
"""The shaft lies across both views."""


def shaft(length: int) -> Voxels:
    """A bone with a head at one end, of the given length (mm) along k, that runs through the last slice."""
    k, j, i = np.indices((length, 36, 40))
    bow = 20 + 2.0 * np.sin(k / 20)
    distance = np.hypot(i - bow, j - 18)
    wall = (distance < 8) & (distance > 5) & (k > 12)
    head = (np.hypot(np.hypot(i - 21, 1.3 * (j - 17)), k - 14) < 13) & (k > 2)
    hu = np.where(wall | head, 900.0, 20.0) - 15 * (~(wall | head) & (distance < 5))
    return Voxels(stored=hu.astype(np.int16), spacing_mm=SPACING, body_from_grid=Rigid.identity(), intercept=0.0)


@pytest.fixture(scope="module")
def body():
    return prepare_bone("shaft", shaft(70), SAID)


@pytest.fixture(scope="module")
def shots():
    longer = prepare_bone("longer", shaft(110), SAID).volumes[0]
    made = []
    for view in rig(256):
        path = siddon_reference(longer, view, TRUTH)
        picture = np.round(50_000 * (0.05 + 0.95 * np.exp(-path))).astype(np.uint16)
        made.append(Shot(view=view, image=picture, usable=np.ones(picture.shape, dtype=bool)))
    return tuple(made)


def test_only_the_face_that_the_bone_runs_through_is_a_cut(body):
    (end,) = body.cut_ends
    np.testing.assert_allclose(end.outward, [0, 0, 1])
    np.testing.assert_allclose(end.points_mm[:, 2], 69.0)
    assert any("cuts the bone off" in note for note in body.notes)
    whole = shaft(70)
    padded = replace(whole, stored=np.pad(whole.stored, 3, constant_values=20))
    assert prepare_bone("whole", padded, SAID).cut_ends == ()


def test_what_lies_beyond_the_cut_is_masked_and_the_body_is_not(body, shots):
    view = shots[0].view
    masked = beyond_cut_ends((body,), ((TRUTH,),), view)

    def at(place_mm):
        column, row = np.round(view.project(TRUTH.apply(np.array([place_mm], float)))[0]).astype(int)
        return masked[row, column]

    assert at([20, 18, 80])
    assert at([20, 18, 100])
    assert not at([20, 18, 50])
    assert not at([20, 18, 14])


def test_the_longer_shaft_does_not_pull_the_shorter_one(body, shots):
    recipe = Recipe(stages=STAGES[:3], mirrored=False, second_starts=0, gate=1.0)
    start = TRUTH.perturbed(np.array([2.0, -1.5, 2.5, 0.03, -0.02, 0.03]), body.pivot_mm)

    def off_mm(one):
        found = finish(register_frame(Problem(bodies=(one,), shots=shots), [start], recipe)).poses[0]
        return float(np.linalg.norm(found.apply(one.pivot_mm[None]) - TRUTH.apply(one.pivot_mm[None])))

    known, unknown = off_mm(body), off_mm(replace(body, cut_ends=()))
    assert known < 0.1
    assert 2 * known < unknown
