"""Generators side by side: order, results, failures, stopping; tracks that are the same on any number of threads."""

import threading
import time

import numpy as np
import pytest

from core.errors import ImageError
from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.both_ways import track_both_ways
from core.registration.recipe import Recipe, Stage
from core.registration.sequence import track
from core.registration.together import together
from core.registration.values import finish
from tests.scenes import implant, rig, shot

FRAMES = tuple(range(6))
MIDDLE = 3
RECIPE = Recipe(
    stages=(Stage(picture_px=64, supersample=2, margin_mm=15.0), Stage(picture_px=128)),
    mirrored=False,
    second_starts=0,
    gate=0.6,
)


def counting(upto, closed=None):
    try:
        yield from range(upto)
    finally:
        if closed is not None:
            closed.append(upto)
    return f"{upto} done"


def listened(work):
    reports = []
    while True:
        try:
            reports.append(next(work))
        except StopIteration as end:
            return reports, end.value


def test_each_keeps_its_order_and_its_result():
    reports, results = listened(together([lambda: counting(30), lambda: counting(20)]))
    assert [value for which, value in reports if which == 0] == list(range(30))
    assert [value for which, value in reports if which == 1] == list(range(20))
    assert results == ("30 done", "20 done")


def test_a_failure_stops_the_others_and_is_raised():
    closed = []

    def failing():
        yield 1
        raise ImageError("the picture is gone")

    work = together([failing, lambda: counting(10**9, closed)])
    with pytest.raises(ImageError, match="is gone"):
        listened(work)
    assert closed == [10**9]


def test_closing_ends_every_thread():
    closed = []
    before = threading.active_count()
    work = together([lambda: counting(10**9, closed), lambda: counting(10**8, closed)])
    next(work)
    work.close()
    assert sorted(closed) == [10**8, 10**9]
    assert threading.active_count() == before


def truth(frame):
    return Rigid(
        rotation=so3_exp((frame - MIDDLE) * np.array([0.03, -0.01, 0.02])),
        translation_mm=[8.0 - 2.0 * frame, frame, 5.0],
    )


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant(4.0))


@pytest.fixture(scope="module")
def pictures():
    return {f: tuple(shot(view, [(implant(3.0), truth(f), 0.4)]) for view in rig(128)) for f in FRAMES}


def numbers(results):
    return [
        (
            result.frame,
            result.error,
            None
            if result.solution is None
            else (
                result.solution.poses[0].as_matrix().tobytes(),
                result.solution.covariance.tobytes(),
                result.solution.cost,
                result.solution.evaluations,
            ),
        )
        for result in results
    ]


@pytest.mark.parametrize("missing", [None, 2])
def test_a_track_is_the_same_to_the_bit_on_any_number_of_threads(body, pictures, missing):
    def shots_of(frame):
        if frame == missing:
            raise ImageError(f"picture of frame {frame} is missing")
        return pictures[frame]

    one, two, three = (
        numbers(finish(track(shots_of, (body,), FRAMES, {0: (truth(0),)}, RECIPE, workers=workers)))
        for workers in (1, 2, 3)
    )
    assert one == two == three
    assert [solution is None for _, _, solution in one] == [frame == missing for frame in FRAMES]


@pytest.mark.parametrize("onward", [(3, 4, 5), (4, 5), ()])
def test_both_ways_are_the_same_to_the_bit_side_by_side(body, pictures, onward):
    begin = truth(MIDDLE).perturbed([1.0, -1.0, 0.5, 0.01, 0.02, -0.01], body.pivot_mm)
    runs = []
    for workers in (1, 2):
        steps, results = listened(
            track_both_ways(pictures.__getitem__, (body,), onward, (2, 1, 0), MIDDLE, (begin,), RECIPE, workers=workers)
        )
        reported = [step.result for step in steps if step.result is not None]
        assert sorted(numbers(reported)) == sorted(numbers(results))
        runs.append(numbers(results))
    assert runs[0] == runs[1]
    frames = [frame for frame, _, _ in runs[0]]
    assert frames.count(MIDDLE) == (2 if onward == (4, 5) else 1)


def test_reading_ahead_is_bounded_and_stops_with_the_track(body, pictures):
    asked = []

    def shots_of(frame):
        asked.append(frame)
        return pictures[frame % len(FRAMES)]

    work = track(shots_of, (body,), range(100), {0: (truth(0),)}, RECIPE, workers=3)
    for step in work:
        if step.result is not None:
            break
    time.sleep(0.05)
    work.close()
    assert 1 <= len(asked) <= 1 + 3
    count = len(asked)
    time.sleep(0.05)
    assert len(asked) == count


def test_results_keep_no_traces(body, pictures):
    results = finish(track(pictures.__getitem__, (body,), FRAMES[:2], {0: (truth(0),)}, RECIPE))
    assert all(result.solution.trace == () for result in results)
