"""The chance that a body's pose is off by more than 1 mm or 1 deg, judged from the result itself.

A logistic regression on what a fit shows: how well the views agree and how sharply the cost bends. A fit beside the
truth sits in a shallower and higher minimum. ``tests/bench/fit_risk.py`` makes the coefficients from results whose
error is known: a simulated implant under eight conditions and half of a real sequence, from near and far starts. It was
fitted to neither bones from CT nor single views, for which no risk is given (the depth's interval says what one view
knows).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from core.registration.level import Evaluation
from core.registration.uncertainty import covariance_from
from core.registration.values import Body

LIMIT = 0.5
"""A pose with a greater risk is doubted."""
FEATURES = ("cost", "worst view's cost", "log largest position SD, mm", "log largest turn SD, deg")
_SMALLEST, _LARGEST = 1e-4, 1e3

MEANS = (0.39653, 0.43091, -3.6944, -2.7522)
SCALES = (0.21354, 0.23001, 0.731, 0.76465)
WEIGHTS = (0.4988, 0.54586, 0.85336, 1.1493)
OFFSET = -2.635


def risks_of(evaluation: Evaluation, bodies: Sequence[Body]) -> tuple[float, ...]:
    """Chance (0..1) of an error above 1 mm or 1 deg of each body; empty with bodies from CT or one view.

    Args:
        evaluation: at the last stage, of all bodies.
        bodies: in the evaluation's order.
    """
    if len(evaluation.per_view) < 2 or any(body.volumes for body in bodies):
        return ()
    return tuple(float(risk) for risk in risk_from(features_of(evaluation, len(bodies))))


def features_of(evaluation: Evaluation, bodies: int) -> Float[np.ndarray, "bodies 4"]:
    """What the risks are judged by, in the order of ``FEATURES``."""
    # the fit's own covariance: what is known of the calibration says nothing of whether the minimum is the right one
    deviations = np.sqrt(np.clip(np.diag(covariance_from(evaluation)), 0.0, None)).reshape(bodies, 2, 3).max(axis=2)
    worst = max(view.cost for view in evaluation.per_view)
    return np.stack([np.array([evaluation.cost, worst, _log(mm), _log(np.degrees(rad))]) for mm, rad in deviations])


def risk_from(features: Float[np.ndarray, "*n 4"]) -> Float[np.ndarray, "*n"]:
    """Chance of an error above 1 mm or 1 deg, 0..1."""
    scaled = (features - np.array(MEANS)) / np.array(SCALES)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scaled @ np.array(WEIGHTS) + OFFSET, -50.0, 50.0))))


def _log(value: float) -> float:
    return float(np.log(min(max(value if np.isfinite(value) else _LARGEST, _SMALLEST), _LARGEST)))
