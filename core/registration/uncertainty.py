"""Covariance of fitted poses from the curvature of the cost and what the fit leaves unexplained."""

import numpy as np
from jaxtyping import Float

from core.registration.level import Evaluation

CORRELATED_PX = 200.0
"""Area over which residuals say the same. Noise alone would give 8 px (the smoothing); bones, skin and
residual distortion reach much farther. With 200 the standard deviations cover the errors of simulated
pictures with distortion; errors of calibration and of the surface itself are not in them."""


def covariance_from(evaluation: Evaluation) -> Float[np.ndarray, "k k"]:
    """Twist covariance (mm, rad): ``(sum_v n_v H_v / c_v)^-1``.

    ``H_v / c_v`` is J'J over the residual's energy, and n_v the number of independent residuals of
    view v. Directions that no picture constrains come out with infinite variance on the diagonal.
    """
    size = evaluation.hessian.shape[0]
    information = np.zeros((size, size))
    for view in evaluation.per_view:
        if view.pixels:
            information += 2 * view.pixels / CORRELATED_PX * view.hessian / max(view.cost, 1e-6)
    values, vectors = np.linalg.eigh(0.5 * (information + information.T))
    largest = max(float(values.max(initial=0.0)), 1e-300)
    if values.min(initial=0.0) < 1e-12 * largest:
        blind = values < 1e-12 * largest
        covariance = (vectors[:, ~blind] / values[~blind]) @ vectors[:, ~blind].T
        unseen = (vectors[:, blind] ** 2).sum(axis=1) > 1e-9
        covariance[unseen, unseen] = np.inf
        return np.asarray(covariance)
    return np.asarray((vectors / values) @ vectors.T)
