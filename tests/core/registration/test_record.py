"""What is stored of a registration tells how it can be made again."""

import numpy as np

from core.geometry.rigid import Rigid
from core.registration.published import Parameters, XvrSchedule
from core.registration.recipe import Recipe
from core.registration.record import records_of
from core.registration.values import Outcome, Solution
from core.study.values import PoseStatus


def solution(covariance: np.ndarray) -> Solution:
    return Solution(
        poses=(Rigid.identity(), Rigid.identity().shifted([1.0, 2.0, 3.0])),
        covariance=covariance,
        outcome=Outcome.DOUBTFUL,
        cost=0.5,
        view_scores=(0.6, 0.8),
        trace=(),
        evaluations=9,
        seconds=0.1,
        attenuation_per_mm=(0.5, 0.1),
    )


def test_every_body_has_its_record_with_all_parameters():
    femur, tibia = records_of(
        solution(np.diag(np.arange(1.0, 13.0))), ("femur", "tibia"), Recipe(gate=0.3), "Duoscope 9"
    )
    assert femur.status is PoseStatus.AUTO
    assert tibia.world_from_body.translation_mm.tolist() == [1, 2, 3]
    assert np.diag(tibia.covariance).tolist() == [7, 8, 9, 10, 11, 12]
    assert femur.score == 0.7
    assert femur.outcome == Outcome.DOUBTFUL.value
    assert femur.details["gate"] == 0.3
    assert femur.details["software"] == "Duoscope 9"
    assert femur.details["stages"] == "64 128 256 512"
    assert femur.details["attenuation_per_mm tibia"] == 0.1
    assert set(Recipe.__dataclass_fields__) - {"veriserum", "xvr"} <= set(femur.details)
    assert femur.method == "gauss-newton"


def test_a_published_method_is_stored_with_its_own_settings():
    recipe = Recipe(xvr=XvrSchedule(steps=70, parameters=Parameters.QUATERNION))
    femur, _ = records_of(solution(np.eye(12)), ("femur", "tibia"), recipe, "x", "xvr")
    assert femur.method == "xvr"
    assert femur.details["steps"] == 70
    assert femur.details["parameters"] == "quaternion"
    assert femur.details["scales"] == "(24.0, 12.0, 6.0)"
    assert set(XvrSchedule.__dataclass_fields__) <= set(femur.details)
    assert "stages" not in femur.details
    assert "xvr" not in femur.details


def test_what_is_not_known_is_not_stored():
    femur, _ = records_of(solution(np.full((12, 12), np.nan)), ("femur", "tibia"), Recipe(), "x")
    assert femur.covariance is None
