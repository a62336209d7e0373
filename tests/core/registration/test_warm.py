"""After warming up nothing is left to be compiled when a study's frame is registered."""

import sys

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe, Stage
from core.registration.score import view_scores
from core.registration.values import Problem, Shot, finish
from core.registration.warm import warm_up
from core.rendering.silhouette import silhouette
from tests.core.registration.test_fused import OFF, TRUTH
from tests.scenes import implant, lopsided, picture, rig

RECIPE = Recipe(
    stages=(Stage(picture_px=32, supersample=2, clip_quantile=0.9, iterations=2), Stage(picture_px=64, iterations=2)),
    second_starts=1,
    fewest_px_to_choose=64,
)


def compiled():
    """Signatures of every kernel of the core that has been compiled or loaded."""
    return {
        (module.__name__, name): len(value.signatures)
        for module in list(sys.modules.values())
        if module is not None and getattr(module, "__name__", "").startswith("core.")
        for name, value in vars(module).items()
        if isinstance(value, Dispatcher) and value.__module__ == module.__name__
    }


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_registration_after_warming_compiles_nothing(kind):
    steps = list(warm_up())
    assert steps[-1].fraction == 1.0
    bodies = (prepare_body("implant", implant(4.0)), prepare_body("bone", lopsided(2)))
    scene = [(body.mesh, pose, 0.2) for body, pose in zip(bodies, TRUTH, strict=True)]
    shots = []
    for view in rig(64):
        usable = np.ones((64, 64), dtype=bool)
        usable[:9] = False
        image = (picture(view, scene, 1) / (256 if kind is np.uint8 else 1)).astype(kind)
        image.flags.writeable = usable.flags.writeable = False
        shots.append(Shot(view=view, image=image, usable=usable))
    problem = Problem(bodies=bodies, shots=tuple(shots))
    starts = [pose.perturbed(OFF, body.pivot_mm) for pose, body in zip(TRUTH, bodies, strict=True)]
    before = compiled()
    assert before["core.registration.fused_kernels", "gradient_gram"] >= 1
    finish(register_frame(problem, starts, RECIPE))
    view_scores(problem, starts)
    silhouette(bodies[0].mesh, problem.shots[0].view, starts[0])
    assert compiled() == before


def test_warming_can_be_stopped():
    work = warm_up()
    next(work)
    work.close()
    assert list(work) == []
