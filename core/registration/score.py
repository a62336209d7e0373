"""How well poses agree with the pictures, for a line that follows the user's hand."""

from collections.abc import Sequence

from core.geometry.rigid import Rigid
from core.registration.level import Level, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.values import Problem

SCORING_STAGE = Stage(picture_px=256, margin_mm=6.0)
"""Fine enough to feel half a millimetre, coarse enough to follow a drag."""


def view_scores(problem: Problem, poses: Sequence[Rigid], recipe: Recipe | None = None) -> tuple[float, ...]:
    """Gradient correlation of each view, -1..1, with all bodies at the poses; nothing is moved."""
    recipe = Recipe() if recipe is None else recipe
    level = Level(problem.bodies, pictures_of(problem), tuple(poses), SCORING_STAGE, recipe)
    return tuple(view.correlation for view in level.evaluate(tuple(poses)).per_view)
