"""The chance that a body's pose is off by more than 1 mm or 1 deg, judged from the result itself.

A logistic regression on what a fit shows: how well the views agree and how sharply the cost bends. A fit beside the
truth sits in a shallower and higher minimum. ``tests/bench/fit_risk.py`` makes the coefficients from results whose
error is known: a simulated implant under eight conditions and half of a real sequence, from near and far starts. It was
fitted to neither bones from CT nor single views, for which no risk is given (the depth's interval says what one view
knows).
"""

import numpy as np
from jaxtyping import Float

from core.registration.level import Evaluation, Poses, shrink_factor
from core.registration.uncertainty import covariance_from
from core.registration.values import Problem

LIMIT = 0.3
"""A pose with a greater risk is doubted: a look at a right pose costs less than a wrong one that nobody looks at."""
FEATURES = ("cost", "worst view's cost", "log largest position SD", "log largest turn SD")
_USUAL_FOOTPRINT_MM = 0.6
"""Of the pixels at the last stage, at the body."""
_SMALLEST, _LARGEST = 1e-4, 1e3

MEANS = (0.39345, 0.42558, -3.6413, -2.6859)
SCALES = (0.1991, 0.21477, 0.68414, 0.72967)
WEIGHTS = (0.54509, 0.64215, 0.88169, 0.91612)
OFFSET = -2.8483


def risks_of(problem: Problem, poses: Poses, evaluation: Evaluation, picture_px: int) -> tuple[float, ...]:
    """Chance (0..1) of an error above 1 mm or 1 deg of each body; empty with bodies from CT or one view.

    Args:
        problem: bodies and shots.
        poses: of all bodies.
        evaluation: there, at the last stage.
        picture_px: of that stage.
    """
    if len(evaluation.per_view) < 2 or any(body.volumes for body in problem.bodies):
        return ()
    return tuple(float(risk) for risk in risk_from(features_of(problem, poses, evaluation, picture_px)))


def features_of(
    problem: Problem, poses: Poses, evaluation: Evaluation, picture_px: int
) -> Float[np.ndarray, "bodies 4"]:
    """What the risks are judged by, in the order of ``FEATURES``; arguments as for ``risks_of``."""
    # the fit's own covariance: what is known of the calibration says nothing of whether the minimum is the right one
    deviations = np.sqrt(np.clip(np.diag(covariance_from(evaluation)), 0.0, None)).reshape(-1, 2, 3).max(axis=2)
    worst = max(view.cost for view in evaluation.per_view)
    rows = []
    for body, pose, (mm, rad) in zip(problem.bodies, poses, deviations, strict=True):
        coarser = _footprint_mm(problem, pose.apply(body.pivot_mm[None])[0], picture_px) / _USUAL_FOOTPRINT_MM
        # larger pixels blur edges in proportion, and there are fewer of them: both widen the deviations
        rows.append([evaluation.cost, worst, _log(mm / coarser**2), _log(float(np.degrees(rad)) / coarser**2)])
    return np.array(rows)


def _footprint_mm(problem: Problem, point_mm: Float[np.ndarray, "3"], picture_px: int) -> float:
    """What a pixel of the stage spans at a point: geometric mean over the views."""
    spans = [
        shot.view.millimetres_per_pixel(max(shot.view.depth_mm(point_mm), 1.0)) * shrink_factor(shot.view, picture_px)
        for shot in problem.shots
    ]
    return float(np.exp(np.mean(np.log(spans))))


def risk_from(features: Float[np.ndarray, "*n 4"]) -> Float[np.ndarray, "*n"]:
    """Chance of an error above 1 mm or 1 deg, 0..1."""
    scaled = (features - np.array(MEANS)) / np.array(SCALES)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scaled @ np.array(WEIGHTS) + OFFSET, -50.0, 50.0))))


def _log(value: float) -> float:
    return float(np.log(min(max(value if np.isfinite(value) else _LARGEST, _SMALLEST), _LARGEST)))
