"""Registration of one instant against pictures by another renderer and another mesh."""

import numpy as np
import pytest
import trimesh

from core.errors import RegistrationError
from core.geometry.mesh_repair import repair
from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe, Stage
from core.registration.score import view_scores
from core.registration.values import Outcome, Problem, Shot, finish
from tests.scenes import implant, of_trimesh, rig, shot

TRUTH = Rigid(rotation=so3_exp(np.array([0.4, -0.3, 0.8])), translation_mm=[8.0, -5.0, 12.0])
OTHER = Rigid(rotation=so3_exp(np.array([-0.2, 0.1, 0.3])), translation_mm=[5.0, 4.0, -48.0])
BLOCK = of_trimesh(trimesh.creation.box((44, 30, 16)))


@pytest.fixture(scope="module")
def body():
    return prepare_body("implant", implant())


@pytest.fixture(scope="module")
def shots():
    scene = [(implant(1.3), TRUTH, 0.4), (repair(BLOCK).mesh, OTHER, 0.4)]
    return tuple(shot(view, scene) for view in rig(512))


@pytest.fixture(scope="module")
def alone():
    return tuple(shot(view, [(implant(1.3), TRUTH, 0.4)]) for view in rig(512))


def off_by(pose, body, mm, deg, seed=0):
    generator = np.random.default_rng(seed)
    return pose.perturbed(
        np.concatenate([generator.uniform(-mm, mm, 3), np.radians(generator.uniform(-deg, deg, 3))]), body.pivot_mm
    )


def error_of(pose, truth, body):
    shift = pose.apply(body.pivot_mm[None]) - truth.apply(body.pivot_mm[None])
    return np.linalg.norm(shift), pose.angle_deg_to(truth)


@pytest.mark.parametrize("seed", range(4))
def test_one_body_is_found_in_two_views(body, alone, seed):
    start = off_by(TRUTH, body, 5, 5, seed)
    solution = finish(register_frame(Problem(bodies=(body,), shots=alone), [start], Recipe(mirrored=False, gate=0.6)))
    mm, deg = error_of(solution.poses[0], TRUTH, body)
    assert solution.outcome is Outcome.CONVERGED
    assert mm < 0.1
    assert deg < 0.5  # the alloy is unknown to the program: the nearest of its few is taken
    assert solution.score > 0.6
    assert solution.evaluations >= len(solution.trace) > 5
    assert type(solution.cost) is float


def test_two_bodies_are_found_jointly(body, shots):
    block = prepare_body("block", BLOCK)
    problem = Problem(bodies=(body, block), shots=shots)
    starts = [off_by(TRUTH, body, 3, 3, 1), off_by(OTHER, block, 3, 3, 2)]
    solution = finish(register_frame(problem, starts, Recipe(mirrored=False)))
    for pose, truth, part in zip(solution.poses, (TRUTH, OTHER), (body, block), strict=True):
        mm, deg = error_of(pose, truth, part)
        assert mm < 0.15
        assert deg < 0.8
    assert solution.cost < 0.1
    assert solution.covariance.shape == (12, 12)
    assert (np.linalg.eigvalsh(solution.covariance) > 0).all()


def test_one_view_finds_what_one_view_can(body, alone):
    start = off_by(TRUTH, body, 2, 3, 3)
    solution = finish(
        register_frame(Problem(bodies=(body,), shots=alone[:1]), [start], Recipe(mirrored=False, gate=1.0))
    )
    view = alone[0].view
    seen, true = (view.project(pose.apply(body.pivot_mm[None]))[0] for pose in (solution.poses[0], TRUTH))
    assert np.linalg.norm(seen - true) < 0.5
    along = view.axis_world
    covariance = solution.covariance_of(0)[:3, :3]
    across = np.linalg.svd(along[None])[2][1]
    assert along @ covariance @ along > 20 * (across @ covariance @ across)


def test_covariance_is_of_the_size_of_the_errors(body, alone):
    solution = finish(register_frame(Problem(bodies=(body,), shots=alone), [TRUTH], Recipe(mirrored=False, gate=1.0)))
    sd_mm = np.sqrt(np.diag(solution.covariance))[:3]
    assert (sd_mm > 1e-4).all()
    assert (sd_mm < 0.5).all()


def test_progress_runs_to_the_end_and_can_be_cancelled(body, shots):
    work = register_frame(Problem(bodies=(body,), shots=shots), [TRUTH])
    fractions = [next(work).fraction for _ in range(5)]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 1
    work.close()
    with pytest.raises(StopIteration):
        next(work)


def test_the_same_call_gives_the_same_bits(body, shots):
    problem = Problem(bodies=(body,), shots=shots)
    start = off_by(TRUTH, body, 4, 4, 7)
    one, other = (finish(register_frame(problem, [start])) for _ in range(2))
    assert (one.poses[0].as_matrix() == other.poses[0].as_matrix()).all()
    assert one.cost == other.cost


def test_excluded_pixels_do_not_pull(body, alone):
    spoiled = []
    for good in alone:
        image, usable = good.image.copy(), good.usable.copy()
        u, v = good.view.project(TRUTH.apply(body.pivot_mm[None]))[0].astype(int)
        image[v + 20 : v + 60, u - 60 : u + 10] = 2000
        usable[v + 15 : v + 65, u - 65 : u + 15] = False
        spoiled.append(Shot(view=good.view, image=image, usable=usable))
    start = off_by(TRUTH, body, 3, 3, 5)
    solution = finish(
        register_frame(Problem(bodies=(body,), shots=tuple(spoiled)), [start], Recipe(mirrored=False, gate=1.0))
    )
    mm, deg = error_of(solution.poses[0], TRUTH, body)
    assert mm < 0.3
    assert deg < 0.5


def test_a_second_start_mends_a_far_start(body, shots):
    problem = Problem(bodies=(body, prepare_body("block", BLOCK)), shots=shots)
    start = TRUTH.perturbed(np.array([14.0, -12.0, 15.0, 0.25, -0.2, 0.25]), body.pivot_mm)
    alone = finish(register_frame(problem, [start, OTHER], Recipe(mirrored=False, second_starts=0, gate=0.1)))
    mended = finish(register_frame(problem, [start, OTHER], Recipe(mirrored=False, gate=0.1)))
    assert mended.cost <= alone.cost
    assert error_of(mended.poses[0], TRUTH, body)[0] < 0.2


def test_a_body_outside_both_pictures_is_said_to_be_so(body, shots):
    away = TRUTH.shifted([0.0, 900.0, 0.0])
    solution = finish(register_frame(Problem(bodies=(body,), shots=shots), [away]))
    assert solution.outcome is Outcome.OUT_OF_VIEW
    assert solution.poses[0].close_to(away)
    assert np.isnan(solution.covariance).all()


@pytest.mark.parametrize("level", [0, 30_000])
def test_a_picture_without_contrast_is_said_to_be_so(body, shots, level):
    black = Shot(view=shots[0].view, image=np.full_like(shots[0].image, level), usable=shots[0].usable)
    solution = finish(register_frame(Problem(bodies=(body,), shots=(black, shots[1])), [TRUTH]))
    assert solution.outcome is Outcome.NO_CONTRAST


def test_a_wrong_fit_is_doubted(body, alone):
    wrong = TRUTH.turned([0.4, 0.0, 2.6], TRUTH.apply(body.pivot_mm[None])[0])
    solution = finish(
        register_frame(Problem(bodies=(body,), shots=alone), [wrong], Recipe(mirrored=False, second_starts=0))
    )
    assert error_of(solution.poses[0], TRUTH, body)[1] > 5
    assert not solution.outcome.succeeded


def test_scores_fall_when_a_body_moves_away(body, alone):
    problem = Problem(bodies=(body,), shots=alone)
    at = view_scores(problem, [TRUTH])
    off = view_scores(problem, [TRUTH.shifted([1.0, 1.0, 0.0])])
    assert len(at) == 2
    assert all(there > away for there, away in zip(at, off, strict=True))


def test_misuse_is_an_error(body, shots):
    with pytest.raises(RegistrationError, match="start poses"):
        finish(register_frame(Problem(bodies=(body,), shots=shots), []))
    with pytest.raises(RegistrationError, match="at least one"):
        Problem(bodies=(), shots=shots)
    with pytest.raises(RegistrationError, match="stage"):
        Recipe(stages=())
    with pytest.raises(RegistrationError, match="256 x 256"):
        Shot(view=rig(256)[0], image=shots[0].image, usable=shots[0].usable)


def test_stages_are_what_the_recipe_says(body, shots):
    recipe = Recipe(stages=(Stage(picture_px=128), Stage(picture_px=256)), mirrored=False, gate=1.0)
    solution = finish(register_frame(Problem(bodies=(body,), shots=shots), [TRUTH], recipe))
    assert {step.stage for step in solution.trace} == {"fit 128 px", "fit 256 px"}
