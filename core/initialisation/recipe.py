"""The settings of a search from far away: how many rotations, how many candidates, how small the pictures."""

from dataclasses import dataclass
from typing import final

from core.errors import RegistrationError


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecipe:
    """Everything that decides what a search does; the registration at its end has a recipe of its own."""

    spacing_deg: float = 15.0
    """No rotation is farther than this from one that is tried."""
    mask_px: int = 48
    """Longest side of the pictures on which masks and shadows are compared."""
    refined: int = 14
    """Rotations of each body that are refined on the masks."""
    candidates: int = 4
    """Distinct poses of each body that the X-ray pictures choose from."""
    combined: int = 3
    """Combinations of the bodies' candidates that are registered jointly."""

    def __post_init__(self) -> None:
        """Refuse settings with which nothing would be tried.

        Raises:
            RegistrationError: a count below one, a spacing that is no angle, pictures too small to compare.
        """
        if not 2.0 <= self.spacing_deg <= 90.0:
            raise RegistrationError(f"rotations can be 2 to 90 degrees apart, not {self.spacing_deg:g}")
        if min(self.refined, self.candidates, self.combined) < 1:
            raise RegistrationError("a search needs at least one candidate at every step")
        if self.mask_px < 16:
            raise RegistrationError(f"masks are compared on 16 px or more, not on {self.mask_px}")
