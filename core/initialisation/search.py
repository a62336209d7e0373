"""Find the poses of all bodies at one instant from masks of their shadows, without a start."""

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Bool

from core.geometry.rigid import Rigid
from core.initialisation.recipe import SearchRecipe
from core.registration.values import Problem, Solution, Step

BodyMasks = tuple[Bool[np.ndarray, "h w"] | None, ...]
"""The mask of one body in each shot; None where it is not known."""


def find_poses(
    problem: Problem,
    masks: Sequence[BodyMasks | None] | None = None,
    *,
    prior: Sequence[Rigid] | None = None,
    prior_deg: float | None = None,
    recipe: SearchRecipe | None = None,
) -> Generator[Step, None, Solution]:
    """Find poses from masks: triangulated centroids, rotations, refinement on masks; the X-ray pictures decide.

    Args:
        problem: bodies and shots of one instant.
        masks: for each body, in the problem's order, its mask in each shot; None where nobody drew one: the
            metal is then proposed by its darkness.
        prior: rough poses, of which the rotations count.
        prior_deg: how far the rotations may be from the prior's; all rotations without.
        recipe: the settings of the search.

    Yields a step after every piece of work; closing the generator cancels.

    Raises:
        RegistrationError: masks or priors that do not belong to the problem, or no mask and nothing dark to propose.
    """
    raise NotImplementedError
    yield
