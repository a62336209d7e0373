"""The residual picture is zero for a perfectly drawn one and shows what was not drawn."""

import numpy as np
import pytest

from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.level import Level, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.residual import outline_distances, residuals
from core.registration.values import Problem, Shot
from tests.scenes import implant, rig, shot

POSE = Rigid(rotation=so3_exp(np.array([0.4, -0.3, 0.8])), translation_mm=[8.0, -5.0, 12.0])
PLAIN = Recipe(smoothing_px=0.0)


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant())


def drawn_by_itself(body, gain=0.7, spot=0.0):
    """Pictures whose logarithm is the drawn shadow times a gain on a smooth background."""
    shots = []
    for view in rig(256):
        blank = Shot(view=view, image=np.ones((256, 256)), usable=np.ones((256, 256), dtype=bool))
        problem = Problem(bodies=(body,), shots=(blank,))
        level = Level((body,), pictures_of(problem), (POSE,), Stage(picture_px=256, margin_mm=1e4), PLAIN)
        v, u = np.meshgrid(*(np.linspace(-1, 1, 256),) * 2, indexing="ij")
        logarithm = gain * level.draw(level.views[0].view, (POSE,))[..., 0] + 0.1 * u - 0.2 * v * v
        place = np.round(view.project(POSE.apply(body.pivot_mm[None]))[0]).astype(int)
        logarithm[place[1] - 2 : place[1] + 3, place[0] - 2 : place[0] + 3] += spot
        image = 40_000 * np.exp(logarithm)
        shots.append(Shot(view=view, image=image.astype(np.float32), usable=blank.usable))
    return Problem(bodies=(body,), shots=tuple(shots))


def test_a_perfectly_drawn_picture_leaves_nothing(body):
    for residual in residuals(drawn_by_itself(body), (POSE,), PLAIN, picture_px=256):
        assert residual.difference.dtype == np.float32
        assert np.abs(residual.difference).max() < 2e-4
        assert np.ptp(residual.predicted) > 0.3


def test_what_is_not_drawn_stays_where_it_is(body):
    problem = drawn_by_itself(body, spot=0.5)
    for residual, one in zip(residuals(problem, (POSE,), PLAIN, picture_px=256), problem.shots, strict=True):
        row, column = np.unravel_index(np.argmax(residual.difference), residual.difference.shape)
        found = np.array([residual.left_px + residual.factor * column, residual.top_px + residual.factor * row])
        expected = one.view.project(POSE.apply(body.pivot_mm[None]))[0]
        assert np.abs(found - expected).max() < 4
        assert residual.difference.max() > 0.4


def test_a_wrong_pose_leaves_more(body):
    problem = drawn_by_itself(body)
    wrong = POSE.shifted([2.0, 0.0, 0.0])
    right, off = (residuals(problem, (pose,), PLAIN, picture_px=256) for pose in (POSE, wrong))
    for one, other in zip(right, off, strict=True):
        assert (other.difference**2).mean() > 100 * (one.difference**2).mean()


def test_blocks_of_pixels_lie_where_they_say(body):
    problem = Problem(bodies=(body,), shots=tuple(shot(view, [(implant(1.3), POSE, 0.4)]) for view in rig(512)))
    (fine, _), (coarse, _) = (residuals(problem, (POSE,), picture_px=size) for size in (512, 256))
    assert (fine.factor, coarse.factor) == (1, 2)
    assert abs(fine.left_px - coarse.left_px) <= 4
    rows, columns = coarse.observed.shape
    top, left = coarse.top_px - fine.top_px, coarse.left_px - fine.left_px
    inner = fine.observed[top + 8 : top + 2 * rows - 8, left + 8 : left + 2 * columns - 8]
    small = coarse.observed[4:-4, 4:-4]
    halved = inner[: 2 * (inner.shape[0] // 2), : 2 * (inner.shape[1] // 2)]
    halved = halved.reshape(halved.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
    height, width = np.minimum(halved.shape, small.shape)
    assert np.corrcoef(halved[:height, :width].ravel(), small[:height, :width].ravel())[0, 1] > 0.999


def test_outlines_lie_on_the_edges_of_a_right_pose_only(body):
    problem = Problem(bodies=(body,), shots=tuple(shot(view, [(implant(1.3), POSE, 4.0)]) for view in rig(512)))
    right = outline_distances(problem, (POSE,))
    wrong = outline_distances(problem, (POSE.shifted([1.5, 1.0, 0.0]),))
    assert (len(right), len(right[0])) == (1, 2)
    for one, other in zip(right[0], wrong[0], strict=True):
        assert np.nanmedian(np.abs(one.distance_mm)) < 0.2
        assert np.nanmedian(np.abs(other.distance_mm)) > 0.5
