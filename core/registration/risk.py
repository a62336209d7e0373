"""The chance that a body's pose is off by more than 1 mm or 1 deg, judged from the result itself.

A logistic regression on what a result shows: how well each view agrees, how far the picture's edges lie from the
outline, how much of the body is seen, and how sure the fit is. ``tests/bench/fit_risk.py`` makes the coefficients from
results whose error is known.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from core.geometry.rigid import Rigid
from core.registration.level import Evaluation
from core.registration.pictures import Pictures
from core.registration.values import Body, Shot
from core.registration.visibility import seen_share
from core.rendering.edge_distance import edge_distances

LIMIT = 0.5
"""A pose with a greater risk is doubted."""
FEATURES = (
    "cost",
    "worst view's cost",
    "median edge distance, mm",
    "ninth decile of edge distance, mm",
    "share of the outline without an edge",
    "share not seen",
    "log largest position SD, mm",
    "log largest turn SD, deg",
)
_UNKNOWN_MM = 4.0
"""Edge distance where no edge is in reach."""
_SMALLEST = 1e-3

MEANS = (0.0,) * len(FEATURES)
SCALES = (1.0,) * len(FEATURES)
WEIGHTS = (0.0,) * len(FEATURES)
OFFSET = 0.0


def features_of(
    body: Body,
    pose: Rigid,
    shots: Sequence[Shot],
    evaluation: Evaluation,
    covariance: Float[np.ndarray, "6 6"],
) -> Float[np.ndarray, "8"]:
    """What the risk of one body is judged by, in the order of ``FEATURES``."""
    edges = []
    for shot in shots:
        picture = Pictures.of(shot)
        found = edge_distances(body.levels[-1], shot.view, pose, picture.logarithm, shot.usable, step_mm=1.5)
        edges.append(np.abs(found.distance_mm))
    distances = np.concatenate(edges)
    known = np.isfinite(distances)
    filled = np.where(known, distances, _UNKNOWN_MM) if len(distances) else np.array([_UNKNOWN_MM])
    deviations = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    return np.array(
        [
            evaluation.cost,
            max(view.cost for view in evaluation.per_view),
            float(np.median(filled)),
            float(np.percentile(filled, 90)),
            1.0 - float(known.mean()) if len(distances) else 1.0,
            1.0 - max(seen_share(body, pose, shot) for shot in shots),
            _log(float(deviations[:3].max())),
            _log(float(np.degrees(deviations[3:].max()))),
        ]
    )


def risk_from(features: Float[np.ndarray, "*n 8"]) -> Float[np.ndarray, "*n"]:
    """Chance of an error above 1 mm or 1 deg, 0..1."""
    scaled = (features - np.array(MEANS)) / np.array(SCALES)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scaled @ np.array(WEIGHTS) + OFFSET, -50.0, 50.0))))


def _log(value: float) -> float:
    return float(np.log(min(max(value if np.isfinite(value) else 1e3, _SMALLEST), 1e3)))
