"""Covariance of fitted poses: what the cost's curvature leaves open, and what calibration and alloy add."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from core.geometry.view import View
from core.registration.level import Evaluation, Level, Poses
from core.registration.recipe import Recipe
from core.similarity.gradient_correlation import NormalEquations

CORRELATED_PX = 8.0
"""Area (px of the last stage) over which residuals say the same: that of the smoothing. Bones and skin reach farther,
but the calibration outweighs them: with it, 90 % intervals of simulated pictures hold what they should."""
_OTHER_ATTENUATION = 1.35
_BLIND = 1e-12
"""Directions with less than this share of the largest curvature are not constrained at all."""


def covariance_from(evaluation: Evaluation) -> Float[np.ndarray, "k k"]:
    """Twist covariance (mm, rad) of the fit alone: ``(sum_v n_v H_v / c_v)^-1``.

    ``H_v / c_v`` is J'J over the residual's energy, and n_v the number of independent residuals of
    view v. Directions that no picture constrains come out with infinite variance on the diagonal.
    """
    inverse, unseen = _inverse(_information(evaluation))
    inverse[unseen, unseen] = np.inf
    return inverse


def whole_covariance(
    level: Level, poses: Poses, evaluation: Evaluation, attenuation_per_mm: Sequence[float], recipe: Recipe
) -> Float[np.ndarray, "k k"]:
    """The fit's covariance with what wrong calibrations and unknown alloys add to it.

    A wrong calibration shows view v all bodies displaced by the same unknown d_v. The pose that fits all views is then
    off by ``S sum_v I_v d_v`` with the views' informations I_v and S their sum's inverse, so that the covariance grows
    by ``S (sum_v I_v D_v I_v) S`` for independent d_v of covariances D_v. A wrong attenuation of one body pulls the
    poses along a line, whose direction and length the cost's slope at other attenuations gives.

    Args:
        level: at which the evaluation was made.
        poses: fitted.
        evaluation: there, 6 rows a body.
        attenuation_per_mm: with which each body was drawn.
        recipe: says how far calibrations and attenuations are usually off.
    """
    inverse, unseen = _inverse(_information(evaluation))
    spread = np.zeros_like(inverse)
    for cut, system in zip(level.views, evaluation.per_view, strict=True):
        if system.pixels:
            information = information_of(system)
            shared = np.kron(np.ones((len(poses), len(poses))), _displacement(cut.view, recipe))
            spread += information @ shared @ information
    covariance = inverse + inverse @ spread @ inverse
    for pull in _pulls(level, poses, evaluation, attenuation_per_mm):
        covariance += recipe.attenuation_log_sd**2 * np.outer(pull, pull)
    covariance[unseen, unseen] = np.inf
    return np.asarray(0.5 * (covariance + covariance.T))


def _pulls(
    level: Level, poses: Poses, evaluation: Evaluation, attenuation_per_mm: Sequence[float]
) -> list[Float[np.ndarray, " k"]]:
    """For each body, how far all poses move when the logarithm of its attenuation grows by one."""
    inverse, _ = _inverse(evaluation.hessian)
    pulls = []
    for index in range(len(poses)):
        slopes = []
        for factor in (_OTHER_ATTENUATION, 1.0 / _OTHER_ATTENUATION):
            other = np.array(attenuation_per_mm, dtype=np.float64)
            other[index] *= factor
            slopes.append(level.evaluate_with(poses, other.tolist()).rhs)
        pulls.append(inverse @ (slopes[0] - slopes[1]) / (2 * np.log(_OTHER_ATTENUATION)))
    return pulls


def information_of(system: NormalEquations) -> Float[np.ndarray, "k k"]:
    """What one view alone says of the poses (1/mm^2, 1/rad^2): zeros for a view without pixels."""
    return np.asarray(2 * system.pixels / CORRELATED_PX * system.hessian / max(system.cost, 1e-6))


def _information(evaluation: Evaluation) -> Float[np.ndarray, "k k"]:
    total = np.zeros_like(evaluation.hessian)
    for system in evaluation.per_view:
        if system.pixels:
            total += information_of(system)
    return total


def _inverse(information: Float[np.ndarray, "k k"]) -> tuple[Float[np.ndarray, "k k"], Float[np.ndarray, " k"]]:
    """The inverse in the directions that are constrained, and which coordinates are not."""
    values, vectors = np.linalg.eigh(0.5 * (information + information.T))
    blind = values < _BLIND * max(float(values.max(initial=0.0)), 1e-300)
    inverse = (vectors[:, ~blind] / values[~blind]) @ vectors[:, ~blind].T
    return inverse, (vectors[:, blind] ** 2).sum(axis=1) > 1e-9


def _displacement(view: View, recipe: Recipe) -> Float[np.ndarray, "6 6"]:
    """Covariance (mm, rad) of what one view sees displaced, along the world's axes."""
    axes = view.camera_from_world.rotation
    shift = (
        axes.T
        @ np.diag(np.square([recipe.calibration_across_mm, recipe.calibration_across_mm, recipe.calibration_depth_mm]))
        @ axes
    )
    whole = np.zeros((6, 6))
    whole[:3, :3] = shift
    whole[3:, 3:] = np.radians(recipe.calibration_turn_deg) ** 2 * np.eye(3)
    return whole
