"""What is stored of a registration: one pose record a body, with all that made it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from core.registration.published import VERISERUM, XVR, VeriserumSchedule, XvrSchedule
from core.registration.recipe import Recipe
from core.registration.values import Solution
from core.study.values import PoseRecord, PoseStatus

METHOD = "gauss-newton"
"""Gauss-Newton on the correlation of log-image gradients."""
ROBUST = "gauss-newton-robust"
"""The same with a last pass that discounts what the model does not explain."""
ROBUST_SCALE = 2.0


_STAGES = ("stages", "volume_stages")
_USED_BY_ALL = ("attenuation_per_mm", "attenuations_per_mm", "smoothing_px", "circle_margin_px", "gate", "volume_gate")
"""What the published methods take from the recipe beside their own schedule."""


def records_of(
    solution: Solution, bodies: Sequence[str], recipe: Recipe, made_by: str, method: str = METHOD
) -> tuple[PoseRecord, ...]:
    """Records of status AUTO, in the order of the bodies; ``made_by`` is the software and its version."""
    details = {**details_of(recipe, bodies, method), "software": made_by}
    for name, value in zip(bodies, solution.attenuation_per_mm, strict=False):
        details[f"attenuation_per_mm {name}"] = value
    return tuple(
        PoseRecord(
            world_from_body=pose,
            status=PoseStatus.AUTO,
            method=method,
            score=solution.score,
            outcome=solution.outcome.value,
            covariance=_finite(solution.covariance_of(index)),
            details=details if not solution.risk else {**details, "risk": solution.risk[index]},
        )
        for index, pose in enumerate(solution.poses)
    )


def details_of(recipe: Recipe, bodies: Sequence[str], method: str = METHOD) -> dict[str, str | float | int]:
    """All that decided what the method did as plain values, so that a result can be made again."""
    values: Mapping[str, object] = _settings(recipe, method)
    details: dict[str, str | float | int] = {"bodies": " ".join(bodies)}
    for name, value in values.items():
        if name in _STAGES:
            details[name] = " ".join(str(stage.picture_px) for stage in getattr(recipe, name))
        elif isinstance(value, (str, float, int)):
            details[name] = value
        else:
            details[name] = str(value)
    return details


def _settings(recipe: Recipe, method: str) -> dict[str, object]:
    published: dict[str, VeriserumSchedule | XvrSchedule] = {VERISERUM: recipe.veriserum, XVR: recipe.xvr}
    everything = {name: value for name, value in asdict(recipe).items() if name not in published}
    if method == ROBUST:
        return everything | {"robust_scale": ROBUST_SCALE}
    if method not in published:
        return everything
    return {name: everything[name] for name in _USED_BY_ALL} | asdict(published[method])


def _finite(covariance: np.ndarray) -> np.ndarray | None:
    return covariance if np.isfinite(covariance).all() else None
