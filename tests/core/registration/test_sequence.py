"""Tracking: prediction, doubt, missing pictures, directions."""

import numpy as np
import pytest

from core.errors import ImageError, RegistrationError
from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.recipe import Recipe
from core.registration.sequence import predict, track
from core.registration.values import Outcome, Shot, finish
from tests.scenes import implant, rig, shot

FRAMES = (2, 4, 6, 8, 10)
RECIPE = Recipe(mirrored=False, second_starts=0, gate=0.5)


def truth(frame: int) -> Rigid:
    return Rigid(
        rotation=so3_exp(frame * np.array([0.04, -0.01, 0.02])), translation_mm=[8.0 - 2.0 * frame, frame, 5.0]
    )


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant())


@pytest.fixture(scope="module")
def pictures():
    return {f: tuple(shot(view, [(implant(1.3), truth(f), 0.4)]) for view in rig(256)) for f in FRAMES}


def error_mm(result, body):
    at = result.solution.poses[0].apply(body.pivot_mm[None])
    return np.linalg.norm(at - truth(result.frame).apply(body.pivot_mm[None]))


@pytest.mark.parametrize("frames", [FRAMES, FRAMES[::-1]])
def test_forward_and_backward(body, pictures, frames):
    results = finish(track(pictures.__getitem__, (body,), frames, {frames[0]: (truth(frames[0]),)}, RECIPE))
    assert [result.frame for result in results] == list(frames)
    assert all(result.succeeded for result in results)
    assert max(error_mm(result, body) for result in results) < 0.2


def test_a_missing_picture_marks_its_frame_and_tracking_goes_on(body, pictures):
    def shots_of(frame):
        if frame == 6:
            raise ImageError("picture of frame 6 is missing")
        return pictures[frame]

    results = finish(track(shots_of, (body,), FRAMES, {2: (truth(2),)}, RECIPE))
    assert [result.succeeded for result in results] == [True, True, False, True, True]
    assert "frame 6" in results[2].error
    assert error_mm(results[-1], body) < 0.2


def test_a_black_picture_is_flagged_and_bridged(body, pictures):
    dark = dict(pictures)
    dark[6] = tuple(Shot(view=s.view, image=np.zeros_like(s.image), usable=s.usable) for s in pictures[6])
    results = finish(track(dark.__getitem__, (body,), FRAMES, {2: (truth(2),)}, RECIPE))
    assert results[2].solution.outcome is Outcome.NO_CONTRAST
    assert results[3].succeeded
    assert error_mm(results[-1], body) < 0.2


def test_tracking_can_stop_when_lost(body, pictures):
    dark = dict(pictures)
    dark[6] = tuple(Shot(view=s.view, image=np.zeros_like(s.image), usable=s.usable) for s in pictures[6])
    results = finish(track(dark.__getitem__, (body,), FRAMES, {2: (truth(2),)}, RECIPE, stop_when_lost=True))
    assert [result.frame for result in results] == [2, 4, 6]


def test_fractions_rise_to_one(body, pictures):
    steps = list(track(pictures.__getitem__, (body,), FRAMES[:2], {2: (truth(2),)}, RECIPE))
    done = [step.fraction for step in steps if step.result is not None]
    assert done == [0.5, 1.0]


def test_prediction_is_constant_velocity(body):
    known = [(2, (truth(2),)), (4, (truth(4),))]
    guess = predict(known, 6, (body,))[0]
    assert guess.angle_deg_to(truth(6)) < 1e-3
    pivots = [pose.apply(body.pivot_mm[None])[0] for pose in (truth(2), truth(4), guess)]
    np.testing.assert_allclose(pivots[2] - pivots[1], pivots[1] - pivots[0], atol=1e-9)
    half = predict(known, 5, (body,))[0]
    assert truth(4).angle_deg_to(half) == pytest.approx(truth(4).angle_deg_to(guess) / 2, rel=1e-6)
    gram = guess.rotation.T @ guess.rotation
    np.testing.assert_allclose(gram, np.eye(3), atol=1e-14)
    assert predict(known[:1], 6, (body,))[0] is known[0][1][0]
    assert predict(known, 40, (body,))[0] is known[1][1][0]


def test_misuse(body, pictures):
    with pytest.raises(RegistrationError, match="no frames"):
        finish(track(pictures.__getitem__, (body,), (), {}))
    with pytest.raises(RegistrationError, match="frame 2 has no start"):
        finish(track(pictures.__getitem__, (body,), FRAMES, {4: (truth(4),)}))
