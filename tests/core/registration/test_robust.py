"""Something in the pictures that no model explains: the robust pass keeps it from pulling the body."""

import numpy as np
import pytest
import trimesh

from core.geometry.mesh_repair import repair
from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.level import Level, pictures_of
from core.registration.methods import register_by
from core.registration.recipe import STAGES, Recipe
from core.registration.record import ROBUST, ROBUST_SCALE, details_of
from core.registration.values import Problem, finish
from tests.scenes import implant, of_trimesh, rig, shot

TRUTH = Rigid(rotation=so3_exp(np.array([0.4, -0.3, 0.8])), translation_mm=[8.0, -5.0, 12.0])
RECIPE = Recipe(stages=STAGES[:3], mirrored=False, second_starts=0, gate=1.0)


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant())


@pytest.fixture(scope="module")
def spoiled():
    """Another body crosses the implant in both views, and the registration is not told."""
    bar = repair(of_trimesh(trimesh.creation.box((90, 12, 9)))).mesh
    across = Rigid(rotation=so3_exp(np.array([0.3, 0.9, -0.6])), translation_mm=[14.0, 4.0, 0.0])
    return tuple(shot(view, [(implant(1.3), TRUTH, 0.4), (bar, across, 0.15)]) for view in rig(256))


def off_mm(solution, body):
    """Shift at the pivot with the turn at 30 mm from it."""
    pose = solution.poses[0]
    shift = np.linalg.norm(pose.apply(body.pivot_mm[None]) - TRUTH.apply(body.pivot_mm[None]))
    return float(np.hypot(shift, 30 * np.radians(pose.angle_deg_to(TRUTH))))


def test_an_unknown_body_pulls_the_robust_fit_less(body, spoiled):
    problem = Problem(bodies=(body,), shots=spoiled)
    start = TRUTH.perturbed(np.array([1.5, -1, 1, 0.02, 0.02, -0.02]), body.pivot_mm)
    plain, robust = (finish(register_by(name, problem, [start], RECIPE)) for name in ("gauss-newton", ROBUST))
    assert off_mm(robust, body) < off_mm(plain, body) < 0.3
    assert robust.cost == pytest.approx(plain.cost, abs=0.05)  # judged on all pixels, as any other


def test_only_what_is_not_explained_loses_weight(body, spoiled):
    level = Level((body,), pictures_of(Problem(bodies=(body,), shots=spoiled)), (TRUTH,), STAGES[2], RECIPE)
    before = [cut.weight.copy() for cut in level.views]
    level.discount_outliers((TRUTH,), ROBUST_SCALE)
    for cut, full in zip(level.views, before, strict=True):
        share = cut.weight[full > 0] / full[full > 0]
        assert share.min() < 0.7
        assert np.median(share) > 0.9
        assert cut.target.energy > 0


def test_the_record_says_how_robust():
    assert details_of(RECIPE, ["implant"], ROBUST)["robust_scale"] == ROBUST_SCALE
    assert details_of(RECIPE, ["implant"], "gauss-newton")["robust_scale"] == 0.0
