"""Poses found from masks alone, without a start; and what a search refuses."""

import numpy as np
import pytest

from core.errors import RegistrationError
from core.geometry.rigid import Rigid, so3_exp
from core.imaging.metal import mask_of_polygon
from core.initialisation.recipe import SearchRecipe
from core.initialisation.search import find_poses
from core.initialisation.shadows import first_place, laid_on, placed, small_mask, triangulated
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe, Stage
from core.registration.values import Problem, finish
from core.rendering.coverage import coverage
from tests.scenes import implant, rig, shot

TRUTH = Rigid(rotation=so3_exp(np.array([1.9, -0.8, 1.3])), translation_mm=[8.0, -5.0, 12.0])
QUICK = SearchRecipe(spacing_deg=25.0, refined=8, mask_px=32)
SHORT = Recipe(
    stages=(
        Stage(picture_px=64, supersample=2, margin_mm=20.0, clip_quantile=0.9),
        Stage(picture_px=128, margin_mm=12.0),
        Stage(picture_px=256, margin_mm=6.0),
    ),
    gate=0.6,
)


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant(3.0))


@pytest.fixture(scope="module")
def shots():
    return tuple(shot(view, [(implant(1.7), TRUTH, 0.4)]) for view in rig(256))


@pytest.fixture(scope="module")
def masks(shots):
    return tuple(coverage(implant(1.7), shot.view, TRUTH) for shot in shots)


@pytest.fixture(scope="module")
def home(body, shots):
    """Where a registration ends that starts at the truth: no start can do better on such small pictures."""
    return finish(register_frame(Problem(bodies=(body,), shots=shots), [TRUTH], SHORT)).poses[0]


def error_of(pose, body, truth=TRUTH):
    shift = pose.apply(body.pivot_mm[None]) - truth.apply(body.pivot_mm[None])
    return float(np.linalg.norm(shift)), float(pose.angle_deg_to(truth))


def test_a_body_is_found_from_masks_without_a_start(body, shots, masks, home):
    problem = Problem(bodies=(body,), shots=shots)
    work = find_poses(problem, [masks], recipe=QUICK, registration=SHORT)
    fractions = []
    while True:
        try:
            fractions.append(next(work).fraction)
        except StopIteration as end:
            solution = end.value
            break
    mm, deg = error_of(solution.poses[0], body, home)
    assert mm < 0.1
    assert deg < 0.3
    assert error_of(solution.poses[0], body)[0] < 0.3
    assert np.diff(fractions).min() > -0.1  # second starts may report an earlier share again
    assert min(fractions) >= 0.0
    assert max(fractions) <= 1.0


def test_metal_is_proposed_where_nobody_drew(body, shots, home):
    prior = TRUTH.perturbed([5, 5, 5, 0.3, -0.3, 0.2], body.pivot_mm)
    problem = Problem(bodies=(body,), shots=shots)
    solution = finish(find_poses(problem, prior=[prior], prior_deg=40.0, recipe=QUICK, registration=SHORT))
    mm, deg = error_of(solution.poses[0], body, home)
    assert mm < 0.1
    assert deg < 0.3
    assert error_of(solution.poses[0], body)[0] < 0.3


def test_one_view_finds_the_body_but_for_its_depth(body, shots, masks):
    prior = TRUTH.perturbed([0, 0, 0, 0.2, -0.2, 0.2], body.pivot_mm)
    problem = Problem(bodies=(body,), shots=shots[:1])
    work = find_poses(problem, [masks[:1]], prior=[prior], prior_deg=30.0, recipe=QUICK, registration=SHORT)
    pose = finish(work).poses[0]
    off = shots[0].view.camera_from_world.rotate(pose.apply(body.pivot_mm[None]) - TRUTH.apply(body.pivot_mm[None]))[0]
    assert np.abs(off[:2]).max() < 0.6
    assert abs(off[2]) < 25.0
    assert pose.angle_deg_to(TRUTH) < 3.0


def test_cancelling_ends_a_search(body, shots, masks):
    work = find_poses(Problem(bodies=(body,), shots=shots), [masks], recipe=QUICK)
    next(work)
    work.close()
    with pytest.raises(StopIteration):
        next(work)


def test_two_rays_meet_where_the_shadows_come_from(body):
    views = rig(256)
    point = np.array([7.0, -11.0, 4.0])
    found = []
    for view in views:
        mask = np.zeros((256, 256), dtype=bool)
        u, v = np.round(view.project(point[None])[0]).astype(int)
        mask[v - 6 : v + 7, u - 6 : u + 7] = True
        found.append(small_mask(view, mask, 64))
    place, gap = triangulated(found)
    np.testing.assert_allclose(place, point, atol=0.4)  # a pixel is 0.23 mm wide and may be half off in each view
    assert gap < 0.3


def test_a_body_is_laid_on_its_masks(body, shots, masks):
    small = [small_mask(shot.view, mask, 48) for shot, mask in zip(shots, masks, strict=True)]
    start = placed(body, TRUTH.rotation, first_place(body, small) + np.array([9.0, -7.0, 5.0]))
    pose, overlap = laid_on(body, start, small)
    assert overlap > 0.9
    assert error_of(pose, body)[0] < 1.0


def test_what_does_not_belong_together_is_refused(body, shots, masks):
    problem = Problem(bodies=(body,), shots=shots)
    with pytest.raises(RegistrationError, match="as many masks"):
        finish(find_poses(problem, [masks, masks]))
    with pytest.raises(RegistrationError, match="px"):
        finish(find_poses(problem, [(masks[0][:5], masks[1])]))
    with pytest.raises(RegistrationError, match="holds no pixel"):
        finish(find_poses(problem, [(np.zeros_like(masks[0]), None)]))
    with pytest.raises(RegistrationError, match="prior poses"):
        finish(find_poses(problem, [masks], prior=[TRUTH, TRUTH], prior_deg=10.0))
    bare = tuple(shot(view, [(implant(3.0), TRUTH, 1e-6)]) for view in rig(64))
    with pytest.raises(RegistrationError, match="draw a region"):
        finish(find_poses(Problem(bodies=(body,), shots=bare)))


def test_polygons_hold_the_pixels_whose_centres_they_hold():
    mask = mask_of_polygon([(1.5, 0.5), (4.5, 0.5), (4.5, 2.5), (1.5, 2.5)], (5, 7))
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 2, 2, 4)
    assert mask.sum() == 6
    triangle = mask_of_polygon([(0, 0), (10, 0), (0, 10)], (12, 12))
    assert abs(int(triangle.sum()) - 50) <= 6
    assert not mask_of_polygon([(0, 0), (5, 5)], (8, 8)).any()
