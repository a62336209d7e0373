"""Many frames at once give what each of them gives alone."""

import importlib.util

import numpy as np
import pytest

from core.errors import RegistrationError
from core.geometry.rigid import Rigid, so3_exp
from core.registration.batch import register_batch
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import STAGES, Recipe
from core.registration.values import Outcome, Problem, Shot, finish
from tests.scenes import implant, rig, shot

pytestmark = pytest.mark.skipif(importlib.util.find_spec("warp") is None, reason="Warp is not installed (extra gpu)")

TRUTH = Rigid(rotation=so3_exp(np.array([0.4, -0.3, 0.8])), translation_mm=[8.0, -5.0, 12.0])
RECIPE = Recipe(stages=STAGES[:2], mirrored=False)


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant(3.0))


@pytest.fixture(scope="module")
def frames(body):
    """Problems whose cuts differ in size, with their starts."""
    problems, starts = [], []
    for k in range(3):
        truth = TRUTH.shifted([6.0 * k, -3.0 * k, 10.0 * k])
        problems.append(
            Problem(bodies=(body,), shots=tuple(shot(view, [(implant(2.0), truth, 0.4)]) for view in rig(128)))
        )
        starts.append((truth.perturbed(np.array([3, -2, 2.5, *np.radians([3.0, -2, 3])]), body.pivot_mm),))
    return problems, starts


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("at_once", [2, 64])
def test_each_frame_comes_out_as_if_alone(body, frames, at_once, device):
    problems, starts = frames
    together = finish(register_batch(problems, starts, RECIPE, device, frames_at_once=at_once))
    for problem, start, found in zip(problems, starts, together, strict=True):
        alone = finish(register_frame(problem, start, RECIPE))
        shift = found.poses[0].apply(body.pivot_mm[None]) - alone.poses[0].apply(body.pivot_mm[None])
        assert np.linalg.norm(shift) < 0.02
        assert found.poses[0].angle_deg_to(alone.poses[0]) < 0.02
        assert found.cost == pytest.approx(alone.cost, abs=1e-4)
        assert found.outcome is alone.outcome is Outcome.CONVERGED
        assert found.attenuation_per_mm == alone.attenuation_per_mm
        assert found.evaluations == pytest.approx(alone.evaluations, abs=3)
        np.testing.assert_allclose(found.covariance, alone.covariance, rtol=0.01, atol=1e-6)


def test_progress_runs_to_the_end_and_every_frame_is_told(frames):
    problems, starts = frames
    steps = list(register_batch(problems, starts, RECIPE, "cpu"))
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert [step.index for step in steps if step.index is not None] == [0, 1, 2]
    work = register_batch(problems, starts, RECIPE, "cpu")
    next(work)
    work.close()


def test_a_frame_that_shows_nothing_costs_the_others_nothing(frames):
    problems, starts = frames
    black = Shot(
        view=problems[1].shots[0].view,
        image=np.zeros_like(problems[1].shots[0].image),
        usable=problems[1].shots[0].usable,
    )
    spoiled = Problem(bodies=problems[1].bodies, shots=(black, problems[1].shots[1]))
    found = finish(register_batch([problems[0], spoiled, problems[2]], starts, RECIPE, "cpu"))
    assert [solution.outcome for solution in found] == [Outcome.CONVERGED, Outcome.NO_CONTRAST, Outcome.CONVERGED]


def test_a_cost_above_the_gate_gets_its_second_starts(frames):
    problems, starts = frames
    doubting = Recipe(stages=STAGES[:1], mirrored=False, gate=1e-6, second_starts=2)
    found = finish(register_batch(problems[:1], starts[:1], doubting, "cpu"))[0]
    assert found.outcome is Outcome.DOUBTFUL
    assert any(step.stage.startswith("second start") for step in found.trace)


def test_misuse_is_an_error(frames):
    problems, starts = frames
    with pytest.raises(RegistrationError, match="as many starts"):
        finish(register_batch(problems, starts[:2], RECIPE, "cpu"))
    with pytest.raises(RegistrationError, match="start poses"):
        finish(register_batch(problems[:1], [()], RECIPE, "cpu"))
    lone = Problem(bodies=problems[0].bodies, shots=problems[0].shots[:1])
    with pytest.raises(RegistrationError, match="same bodies"):
        finish(register_batch([problems[0], lone], starts[:2], RECIPE, "cpu"))
