"""What a result says of its own error: the covariance with its parts, and the risk."""

from dataclasses import replace

import numpy as np
import pytest

from core.geometry.rigid import Rigid, so3_exp, so3_log
from core.geometry.volume import Volume
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.level import Level, pictures_of
from core.registration.recipe import Recipe
from core.registration.record import records_of
from core.registration.risk import FEATURES, LIMIT, features_of, risk_from, risks_of
from core.registration.uncertainty import covariance_from, whole_covariance
from core.registration.values import Outcome, Problem, finish
from tests.scenes import implant, rig, shot

TRUTH = Rigid(rotation=so3_exp(np.array([0.4, -0.3, 0.8])), translation_mm=[8.0, -5.0, 12.0])
CERTAIN = Recipe(calibration_across_mm=0, calibration_depth_mm=0, calibration_turn_deg=0, attenuation_log_sd=0)


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant())


@pytest.fixture(scope="module")
def shots():
    return tuple(shot(view, [(implant(1.3), TRUTH, 0.4)]) for view in rig(512))


def at(body, shots, pose, recipe=CERTAIN):
    level = Level((body,), pictures_of(Problem(bodies=(body,), shots=shots)), (pose,), recipe.stages[-1], recipe)
    return level, level.evaluate((pose,))


def risk_at(body, shots, pose):
    problem = Problem(bodies=(body,), shots=shots)
    return risks_of(problem, (pose,), at(body, shots, pose)[1], CERTAIN.stages[-1].picture_px)


def covariance(body, shots, recipe):
    level, evaluation = at(body, shots, TRUTH, recipe)
    return whole_covariance(level, (TRUTH,), evaluation, (0.5,), recipe), evaluation


def test_without_doubts_the_covariance_is_that_of_the_fit(body, shots):
    whole, evaluation = covariance(body, shots, CERTAIN)
    np.testing.assert_allclose(whole, covariance_from(evaluation), rtol=1e-9)


def test_a_calibration_that_displaces_both_views_alike_displaces_the_body(body, shots):
    """Where both views agree on a direction and err independently, their mean has half the variance."""
    recipe = replace(CERTAIN, calibration_across_mm=0.4)
    whole, evaluation = covariance(body, shots, recipe)
    added = (whole - covariance_from(evaluation))[:3, :3]
    down = shots[0].view.camera_from_world.rotation[1]
    across = shots[0].view.camera_from_world.rotation[0]
    assert down @ added @ down == pytest.approx(0.4**2 / 2, rel=0.15)
    # across the first picture the second view, 70 degrees away, says little
    assert across @ added @ across == pytest.approx(0.4**2, rel=0.25)


def test_with_one_view_the_depth_of_the_calibration_is_the_depth_of_the_body(body, shots):
    recipe = replace(CERTAIN, calibration_depth_mm=1.5)
    whole, evaluation = covariance(body, shots[:1], recipe)
    ray = shots[0].view.axis_world
    added = (whole - covariance_from(evaluation))[:3, :3]
    assert ray @ added @ ray == pytest.approx(1.5**2, rel=0.1)


def test_an_unknown_attenuation_moves_the_pose_where_the_covariance_says(body, shots):
    """The line that the covariance is drawn out along is where fits with other attenuations lie."""
    exact = tuple(replace(stage, settled=1e-4, iterations=40) for stage in CERTAIN.stages[-1:])
    recipe = replace(CERTAIN, stages=exact, attenuations_per_mm=(), mirrored=False, gate=1.0, attenuation_log_sd=1.0)
    problem = Problem(bodies=(body,), shots=shots)
    low, middle, high = (
        finish(register_frame(problem, [TRUTH], replace(recipe, attenuation_per_mm=mu))).poses[0]
        for mu in (0.35, 0.5, 0.7)
    )
    level, evaluation = at(body, shots, middle, recipe)
    added = whole_covariance(level, (middle,), evaluation, (0.5,), recipe) - covariance_from(evaluation)
    values, vectors = np.linalg.eigh(added)
    predicted = np.sqrt(values[-1]) * vectors[:, -1] * np.log(0.7 / 0.35)
    moved = np.concatenate(
        [
            high.apply(body.pivot_mm[None])[0] - low.apply(body.pivot_mm[None])[0],
            so3_log(high.rotation @ low.rotation.T),
        ]
    )
    lever = np.array([1, 1, 1, 30, 30, 30])  # mm, as the recipe weighs turns
    moved, predicted = moved * lever, predicted * lever
    assert abs(moved @ predicted) > 0.95 * np.linalg.norm(moved) * np.linalg.norm(predicted)
    # Gauss-Newton takes the minimum for steeper than it is: up to half of the way is missing
    assert 0.4 < np.linalg.norm(predicted) / np.linalg.norm(moved) < 1.2


def test_a_direction_that_nothing_constrains_is_infinitely_uncertain(body, shots):
    level, evaluation = at(body, shots, TRUTH)
    blind = replace(
        evaluation,
        hessian=np.diag([1.0, 1, 0, 1, 1, 1]),
        per_view=tuple(replace(view, hessian=np.diag([1.0, 1, 0, 1, 1, 1])) for view in evaluation.per_view),
    )
    whole = whole_covariance(level, (TRUTH,), blind, (0.5,), Recipe())
    assert np.isinf(whole[2, 2])
    assert np.isfinite(np.delete(np.diag(whole), 2)).all()


def test_a_wrong_pose_is_riskier_than_the_right_one(body, shots):
    wrong = TRUTH.perturbed(np.array([4, -3, 2, 0.1, -0.1, 0.1]), body.pivot_mm)
    assert risk_at(body, shots, TRUTH)[0] < 0.1
    assert risk_at(body, shots, wrong)[0] > LIMIT


def test_pictures_of_half_the_size_are_not_much_riskier(body):
    risks = [
        risk_at(body, tuple(shot(view, [(implant(1.3), TRUTH, 0.4)]) for view in rig(size)), TRUTH)[0]
        for size in (256, 512)
    ]
    assert max(risks) < 0.15


def test_the_risk_grows_with_every_feature(body, shots):
    usual = features_of(Problem(bodies=(body,), shots=shots), (TRUTH,), at(body, shots, TRUTH)[1], 512)
    for index in range(len(FEATURES)):
        worse = usual.copy()
        worse[0, index] += 0.5
        assert risk_from(worse)[0] > risk_from(usual)[0]


def test_no_risk_is_given_where_it_was_not_fitted(body, shots):
    assert risk_at(body, shots[:1], TRUTH) == ()


def test_the_risk_is_stored_with_the_pose_and_a_risky_fit_is_doubtful(body, shots):
    solution = finish(register_frame(Problem(bodies=(body,), shots=shots), [TRUTH], Recipe(mirrored=False)))
    assert solution.outcome is Outcome.CONVERGED
    assert records_of(solution, ["implant"], Recipe(), "test")[0].risk == solution.risk[0] < 0.1
    far = TRUTH.perturbed(np.array([9.0, -9, 9, 1.6, -1.2, 0.9]), body.pivot_mm)
    lost = finish(
        register_frame(Problem(bodies=(body,), shots=shots), [far], Recipe(mirrored=False, second_starts=0, gate=1.0))
    )
    assert lost.risk[0] > LIMIT
    assert lost.outcome is Outcome.DOUBTFUL


def test_bones_from_ct_have_their_own_stages_and_gate(body):
    bone = replace(
        body, volumes=(Volume(attenuation_per_mm=np.ones((4, 4, 4)), spacing_mm=np.ones(3), body_from_grid=TRUTH),)
    )
    recipe = Recipe()
    assert recipe.suited_to((body,)) is recipe
    suited = recipe.suited_to((body, bone))
    assert suited.stages == recipe.volume_stages
    assert suited.gate == recipe.volume_gate
    assert suited.suited_to((bone,)) == suited
    chosen = Recipe(stages=recipe.stages[:2])
    assert chosen.suited_to((bone,)).stages == chosen.stages
