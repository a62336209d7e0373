"""The fused evaluation against the plain reference: cost, gradient, hessian; boxes, edges and what was drawn before."""

import numpy as np
import pytest

from core.geometry.rigid import Rigid, so3_exp
from core.registration.level import Level, Pictures
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body, Shot
from tests.scenes import implant, lopsided, picture, rig

BODIES = tuple(
    Body(name=str(k), levels=(mesh,), pivot_mm=mesh.centre_mm) for k, mesh in enumerate((implant(3.0), lopsided(3)))
)
TRUTH = (
    Rigid(rotation=so3_exp(np.array([0.3, -0.8, 1.1])), translation_mm=[12.0, -7.0, 25.0]),
    Rigid(rotation=so3_exp(np.array([0.2, 0.4, -0.3])), translation_mm=[0.0, 30.0, 0.0]),
)
OFF = np.array([1.5, -2.0, 1.0, 0.03, -0.02, 0.04])


@pytest.fixture(scope="module")
def shots():
    scene = [(body.mesh, pose, mu) for body, pose, mu in zip(BODIES, TRUTH, (0.3, 0.1), strict=True)]
    found = []
    for view in rig(128):
        usable = np.ones((128, 128), dtype=bool)
        usable[:40, :30] = False
        found.append(Shot(view=view, image=picture(view, scene, 2), usable=usable))
    return tuple(found)


def level_of(shots, poses, bodies=BODIES, *, picture_px=128, supersample=1, smoothing_px=0.8, margin_mm=12.0):
    stage = Stage(picture_px=picture_px, supersample=supersample, margin_mm=margin_mm)
    recipe = Recipe(attenuation_per_mm=0.2, smoothing_px=smoothing_px)
    return Level(bodies, [Pictures.of(shot) for shot in shots], poses, stage, recipe)


def moved(poses, by=OFF):
    return tuple(
        pose.perturbed(by * sign, body.pivot_mm) for pose, body, sign in zip(poses, BODIES, (1, -1), strict=False)
    )


def assert_agrees(level, poses):
    fast, plain = level.evaluate(poses), level.evaluate_plainly(poses)
    assert fast.cost == pytest.approx(plain.cost, abs=2e-6)
    curvature = np.sqrt(np.diag(plain.hessian))
    assert (curvature > 0).all()
    apart = (fast.hessian - plain.hessian) / np.outer(curvature, curvature)
    assert np.abs(apart).max() < 1e-4
    np.testing.assert_allclose(fast.rhs, plain.rhs, atol=1e-4 * np.abs(plain.rhs).max())
    for one, other in zip(fast.per_view, plain.per_view, strict=True):
        assert one.correlation == pytest.approx(other.correlation, abs=2e-6)
        assert one.pixels == other.pixels


@pytest.mark.parametrize("supersample", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2])
def test_it_agrees_with_the_reference(shots, supersample, count):
    poses = moved(TRUTH)[:count]
    assert_agrees(level_of(shots, TRUTH[:count], BODIES[:count], supersample=supersample), poses)


@pytest.mark.parametrize("smoothing_px", [0.0, 0.5, 1.6])
def test_it_agrees_at_other_smoothings(shots, smoothing_px):
    assert_agrees(level_of(shots, TRUTH, smoothing_px=smoothing_px), moved(TRUTH))


@pytest.mark.parametrize("shift_mm", [[45.0, 0, 60.0], [-150.0, 10.0, -20.0]])
def test_it_agrees_where_a_body_leaves_the_cut(shots, shift_mm):
    level = level_of(shots, TRUTH, margin_mm=2.0)
    out = (TRUTH[0].shifted(shift_mm), TRUTH[1])
    plain = level.evaluate_plainly(out)
    fast = level.evaluate(out)
    assert fast.cost == pytest.approx(plain.cost, abs=2e-6)
    np.testing.assert_allclose(fast.hessian, plain.hessian, atol=1e-4 * np.abs(plain.hessian).max())
    np.testing.assert_allclose(fast.rhs, plain.rhs, atol=1e-4 * np.abs(plain.rhs).max())


def test_a_body_behind_the_source_is_not_drawn(shots):
    level = level_of(shots[:1], TRUTH)
    behind = (TRUTH[0].shifted(2 * shots[0].view.source_world_mm), TRUTH[1])
    fast, plain = level.evaluate(behind), level.evaluate_plainly(behind)
    assert fast.cost == pytest.approx(plain.cost, abs=2e-6)
    assert (fast.hessian[:6] == 0).all()
    nowhere = tuple(pose.shifted(2 * shots[0].view.source_world_mm) for pose in TRUTH)
    assert level.evaluate(nowhere).cost == 1.0


def test_the_gradient_is_that_of_the_cost(shots):
    level = level_of(shots, TRUTH, supersample=2)
    poses = moved(TRUTH, 2 * OFF)
    gradient = -2 * level.evaluate(poses).rhs
    step = 0.2
    differences = []
    for axis in range(3):
        twist = np.zeros(6)
        twist[axis] = step
        ends = [
            level.evaluate((poses[0].perturbed(sign * twist, BODIES[0].pivot_mm), poses[1]), ()).cost
            for sign in (1, -1)
        ]
        differences.append((ends[0] - ends[1]) / (2 * step))
    cosine = gradient[:3] @ differences / np.linalg.norm(gradient[:3]) / np.linalg.norm(differences)
    assert cosine > 0.98


def test_free_bodies_are_rows_of_the_whole(shots):
    level = level_of(shots, TRUTH)
    poses = moved(TRUTH)
    whole, second = level.evaluate(poses), level.evaluate(poses, (1,))
    assert second.cost == whole.cost
    np.testing.assert_allclose(second.hessian, whole.hessian[6:, 6:], rtol=1e-12)
    np.testing.assert_allclose(second.rhs, whole.rhs[6:], rtol=1e-12)
    assert level.evaluate(poses, ()).cost == whole.cost


def test_results_do_not_depend_on_what_was_drawn_before(shots):
    fresh = level_of(shots, TRUTH).evaluate(moved(TRUTH))
    used = level_of(shots, TRUTH)
    for scale in (3.0, -2.0, 0.5):
        used.evaluate(moved(TRUTH, scale * OFF))
        used.evaluate((TRUTH[0], *moved(TRUTH, scale * OFF)[1:]), (1,))
        used.cost_with(TRUTH, [0.5, 0.9])
    again = used.evaluate(moved(TRUTH))
    assert again.cost == fresh.cost
    assert (again.hessian == fresh.hessian).all()
    assert (again.rhs == fresh.rhs).all()


def test_another_attenuation_is_forgotten(shots):
    level = level_of(shots, TRUTH)
    before = level.evaluate(TRUTH).cost
    assert level.cost_with(TRUTH, [0.3, 0.1]) < before
    assert level.cost_with(TRUTH, [0.2, 0.2]) == before
    assert level.evaluate(TRUTH).cost == before
