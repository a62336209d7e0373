"""The settings of the published methods: what their papers say, and what was assumed where they are silent.

Each value that no paper gives is explained in docs/methods.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import final

from core.errors import RegistrationError

VERISERUM = "veriserum"
XVR = "xvr"


class Parameters(StrEnum):
    """The numbers in which a method moves a pose, all counted from its start."""

    TANGENT = "tangent"
    EULER = "euler"
    QUATERNION = "quaternion"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VeriserumSchedule:
    """Automated pose registration of the Veriserum data set (Wang et al., MICCAI 2025, section 3.2)."""

    steps: int = 200
    rate: float = 0.25
    """Adam's learning rate, in mm and degrees."""
    picture_px: int = 256
    """Longest side of the pictures that are compared."""
    margin_mm: float = 25.0
    """How far around the bodies at their start the pictures are compared."""

    def __post_init__(self) -> None:
        """Refuse a schedule that does nothing.

        Raises:
            RegistrationError: no steps, or a rate or size that is not positive.
        """
        if self.steps < 1 or not self.rate > 0 or self.picture_px < 16 or self.margin_mm < 0:
            raise RegistrationError(
                "veriserum needs at least one step, a positive rate, pictures of 16 px or more and a margin of 0 mm "
                f"or more, got {self.steps} steps, rate {self.rate}, {self.picture_px} px, {self.margin_mm} mm"
            )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class XvrSchedule:
    """Pose refinement of xvr (Gopalakrishnan et al., Methods M.6 "Pose refinement")."""

    parameters: Parameters = Parameters.TANGENT
    scales: tuple[float, ...] = (24.0, 12.0, 6.0)
    """By how much the pictures are shrunk, coarse to fine."""
    steps: int = 500
    """At most, at each scale."""
    rate_rad: float = 1e-2
    rate_mm: float = 1.0
    divisors: tuple[float, ...] = (1.0, 2.0, 8.0)
    """What both rates are divided by at each scale."""
    factor: float = 0.1
    """By which a plateau lowers the rates."""
    patience: int = 10
    """Steps without a better loss that make a plateau."""
    threshold: float = 1e-4
    """Share by which a loss must be better to count."""
    plateaus: int = 2
    """After so many of them a scale ends."""
    mncc_px: int = 9
    gradncc_px: int = 11
    """Sides of the patches."""
    gradncc_share: float = 0.5
    """Weight of gradNCC; mNCC has the rest."""
    fewest_px: int = 64
    """Pictures are not shrunk below this longest side."""
    margin_mm: float = 25.0
    """How far around the bodies at their start the pictures are compared."""

    def __post_init__(self) -> None:
        """Refuse a schedule that cannot run.

        Raises:
            RegistrationError: scales without divisors, no steps, rates that are not positive, patches of even side.
        """
        if not self.scales or len(self.scales) != len(self.divisors):
            raise RegistrationError(
                f"xvr needs one divisor a scale, got scales {self.scales} and divisors {self.divisors}"
            )
        if min(self.scales) < 1 or min(self.divisors) <= 0:
            raise RegistrationError("xvr's scales must be 1 or more and its divisors positive")
        if self.steps < 1 or not self.rate_rad > 0 or not self.rate_mm > 0 or not 0 < self.factor < 1:
            raise RegistrationError("xvr needs at least one step, positive rates and a factor between 0 and 1")
        if min(self.mncc_px, self.gradncc_px) < 3 or self.mncc_px % 2 == 0 or self.gradncc_px % 2 == 0:
            raise RegistrationError(
                f"xvr's patches have odd sides of 3 px or more, got {self.mncc_px} and {self.gradncc_px}"
            )
