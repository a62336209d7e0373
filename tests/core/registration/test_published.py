"""The published methods: they come home from near, report, stop, and say how it went."""

import numpy as np
import pytest

from core.errors import RegistrationError
from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.methods import METHODS, method_named, register_by
from core.registration.pose_parameters import PoseParameters
from core.registration.published import Parameters, VeriserumSchedule, XvrSchedule
from core.registration.recipe import Recipe
from core.registration.values import Problem, Shot, finish
from tests.scenes import implant, rig, shot

TRUTH = Rigid(rotation=so3_exp(np.array([0.4, -0.3, 0.8])), translation_mm=[8.0, -5.0, 12.0])


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant(3.0))


@pytest.fixture(scope="module")
def shots():
    return tuple(shot(view, [(implant(1.7), TRUTH, 0.4)]) for view in rig(192))


def start_of(body) -> Rigid:
    return TRUTH.perturbed([1.5, -1.0, 1.2, 0.03, -0.03, 0.02], body.pivot_mm)


def error_of(pose, body):
    shift = pose.apply(body.pivot_mm[None]) - TRUTH.apply(body.pivot_mm[None])
    return float(np.linalg.norm(shift)), float(pose.angle_deg_to(TRUTH))


@pytest.mark.parametrize("kind", list(Parameters))
def test_xvr_comes_home_in_all_its_parameters(body, shots, kind):
    schedule = XvrSchedule(parameters=kind, scales=(2.0, 1.0), divisors=(1.0, 4.0), steps=50, fewest_px=64)
    problem = Problem(bodies=(body,), shots=shots)
    solution = finish(register_by("xvr", problem, [start_of(body)], Recipe(xvr=schedule, gate=0.6)))
    mm, deg = error_of(solution.poses[0], body)
    assert mm < 0.4
    assert deg < 1.2  # from 2.2 mm and 2.7 deg; small pictures of an unknown alloy give no more
    assert solution.evaluations > 20
    assert np.isfinite(solution.covariance).all()


def test_veriserum_comes_home(body, shots):
    schedule = VeriserumSchedule(steps=90, rate=0.1, picture_px=128)
    problem = Problem(bodies=(body,), shots=shots)
    solution = finish(register_by("veriserum", problem, [start_of(body)], Recipe(veriserum=schedule, gate=0.6)))
    mm, deg = error_of(solution.poses[0], body)
    assert mm < 0.5
    assert deg < 2.2  # from 2.7: whole pictures correlate nearly as well a little turned
    assert solution.evaluations == 90


@pytest.mark.parametrize("name", ["veriserum", "xvr"])
def test_they_report_and_can_be_stopped(body, shots, name):
    work = register_by(name, Problem(bodies=(body,), shots=shots), [start_of(body)])
    step = next(work)
    assert 0.0 <= step.fraction <= 1.0
    assert step.stage.startswith(name)
    work.close()


@pytest.mark.parametrize("name", list(METHODS))
def test_all_refuse_alike(body, shots, name):
    with pytest.raises(RegistrationError, match="as many start poses"):
        finish(register_by(name, Problem(bodies=(body,), shots=shots), []))
    dark = tuple(Shot(view=one.view, image=np.zeros_like(one.image), usable=one.usable) for one in shots)
    solution = finish(register_by(name, Problem(bodies=(body,), shots=dark), [start_of(body)]))
    assert solution.outcome.name == "NO_CONTRAST"


def test_an_unknown_method_is_named_with_those_there_are():
    with pytest.raises(RegistrationError, match="'magic'; there is: gauss-newton, gauss-newton-robust, veriserum, xvr"):
        method_named("magic")


@pytest.mark.parametrize("kind", list(Parameters))
def test_parameters_begin_at_the_start(body, kind):
    parameters = PoseParameters([body, body], [TRUTH, start_of(body)], kind)
    for pose, known in zip(parameters.poses(), (TRUTH, start_of(body)), strict=True):
        assert pose.close_to(known, mm=1e-9, deg=1e-7)


def test_euler_angles_turn_as_the_conventions_say(body):
    import torch

    parameters = PoseParameters([body], [Rigid.identity()], Parameters.EULER, np.radians(1.0))
    with torch.no_grad():
        parameters.turn += torch.tensor([[10.0, -20.0, 30.0]], dtype=torch.float64)
    known = Rigid.from_euler([10.0, -20.0, 30.0], [0.0, 0.0, 0.0], order="ZXY")
    assert parameters.poses()[0].angle_deg_to(known) < 1e-6
