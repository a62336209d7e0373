"""What is stored of a registration: one pose record a body, with all that made it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from core.registration.recipe import Recipe
from core.registration.values import Solution
from core.study.values import PoseRecord, PoseStatus

METHOD = "gauss-newton"
"""Gauss-Newton on the correlation of log-image gradients."""


def records_of(solution: Solution, bodies: Sequence[str], recipe: Recipe, made_by: str) -> tuple[PoseRecord, ...]:
    """Records of status AUTO, in the order of the bodies; ``made_by`` is the software and its version."""
    details = {**details_of(recipe, bodies), "software": made_by}
    for name, value in zip(bodies, solution.attenuation_per_mm, strict=False):
        details[f"attenuation_per_mm {name}"] = value
    return tuple(
        PoseRecord(
            world_from_body=pose,
            status=PoseStatus.AUTO,
            method=METHOD,
            score=solution.score,
            outcome=solution.outcome.value,
            covariance=_finite(solution.covariance_of(index)),
            details=details,
        )
        for index, pose in enumerate(solution.poses)
    )


def details_of(recipe: Recipe, bodies: Sequence[str]) -> dict[str, str | float | int]:
    """The whole recipe as plain values, so that a result can be made again."""
    values: Mapping[str, object] = asdict(recipe)
    details: dict[str, str | float | int] = {"bodies": " ".join(bodies)}
    for name, value in values.items():
        if name == "stages":
            details[name] = " ".join(str(stage.picture_px) for stage in recipe.stages)
        elif isinstance(value, (str, float, int)):
            details[name] = value
        else:
            details[name] = str(value)
    return details


def _finite(covariance: np.ndarray) -> np.ndarray | None:
    return covariance if np.isfinite(covariance).all() else None
