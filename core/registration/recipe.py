"""The schedule of a registration: which picture sizes, how far, and when to doubt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self, final

from core.errors import RegistrationError
from core.registration.published import VeriserumSchedule, XvrSchedule
from core.registration.values import Body


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One level of the pyramid."""

    picture_px: int
    """Longest side of the picture at this level, approximately."""
    supersample: int = 1
    margin_mm: float = 8.0
    """How far around the body at its start the picture is compared."""
    clip_quantile: float | None = None
    """Seen gradients beyond this quantile are softly clipped."""
    iterations: int = 12
    settled: float = 0.02
    """A shorter step (mm, or mm at the lever) ends the stage."""


STAGES = (
    Stage(picture_px=64, supersample=2, margin_mm=25.0, clip_quantile=0.9, settled=0.05),
    Stage(picture_px=128, margin_mm=12.0, settled=0.05),
    Stage(picture_px=256, margin_mm=6.0, settled=0.01),
    Stage(picture_px=512, margin_mm=4.0, settled=0.01),
)
"""Coarse to fine, as measured best on real dual-plane pictures."""

VOLUME_STAGES = (
    Stage(picture_px=128, margin_mm=12.0, clip_quantile=0.9, iterations=20, settled=0.02),
    Stage(picture_px=256, margin_mm=5.0, settled=0.01),
    Stage(picture_px=512, margin_mm=4.0, settled=0.01),
)
"""For bones from CT, which lie among others that look alike: nearer, and not from the coarsest pictures."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what a registration does; stored with its result."""

    stages: tuple[Stage, ...] = STAGES
    volume_stages: tuple[Stage, ...] = VOLUME_STAGES
    """Taken instead where a body comes from CT, unless ``stages`` are others than usual."""
    attenuation_per_mm: float = 0.5
    """Of the drawn bodies, to begin with: metal on real pictures."""
    attenuations_per_mm: tuple[float, ...] = (0.05, 0.1, 0.2, 0.5, 1.0)
    """What is tried for each body once it is roughly in place, since alloys and bones differ and a wrong
    one turns thin bodies by a degree. Empty keeps the first."""
    clearly_better: float = 0.9
    """Another attenuation is taken only if it lowers the cost to this share."""
    volume_factor: float = 0.5
    """What a CT's own attenuation is multiplied by, to begin with."""
    volume_factors: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
    """What is tried for bodies from CT."""
    fewest_px_to_choose: int = 128
    """The attenuation is chosen after the first stage at least this large."""
    smoothing_px: float = 0.8
    """Gaussian applied to both pictures at each level."""
    lever_mm: float = 30.0
    """Turns weigh as much as the shift they cause at this distance from the pivot."""
    circle_margin_px: float = 6.0
    """Distance kept from the edge of the image circle, in pixels of a 1024 px picture."""
    gate: float = 0.45
    """A final cost above this is doubted, as is a high risk: second starts are tried, then it is DOUBTFUL."""
    volume_gate: float = 0.7
    """The same where a body comes from CT: bones explain less of a picture than metal. Between right and wrong poses of
    a real wrist (at most 0.71, at least 0.71) and of simulated ones (0.59, 0.78)."""
    ranking_margin_mm: float = 20.0
    """How far around the bodies second starts are compared."""
    second_starts: int = 12
    """Perturbed starts a body when the gate is not met; 0 switches the second start off."""
    spread_mm: float = 6.0
    spread_deg: float = 8.0
    """Largest perturbation of the second starts along and about each axis."""
    mirrored: bool = True
    """Whether mirrored and turned poses of nearly symmetric bodies are tried."""
    robust_scale: float = 0.0
    """Residuals beyond this many of their usual deviations lose weight in a last pass; 0 leaves that pass out. About 2
    helps where something in the pictures is not in the model: a cable, a marker, a body that is not registered."""
    seed: int = 0
    calibration_across_mm: float = 0.15
    """How far a body appears displaced along each axis of a picture because its calibration is a little wrong (one
    standard deviation at the body); these four widen the covariance of the result."""
    calibration_depth_mm: float = 1.0
    """The same along the ray: another view hides it, with one view it is part of the depth's own error."""
    calibration_turn_deg: float = 0.065
    """The same for a turn about each axis."""
    attenuation_log_sd: float = 0.35
    """How far the attenuation of each body is off, as the standard deviation of its logarithm."""
    veriserum: VeriserumSchedule = field(default_factory=VeriserumSchedule)
    """What the published method of that name does; it takes attenuation, smoothing, margin and gate from here."""
    xvr: XvrSchedule = field(default_factory=XvrSchedule)

    def __post_init__(self) -> None:
        """Refuse a schedule without stages.

        Raises:
            RegistrationError: there is no stage.
        """
        if not self.stages:
            raise RegistrationError("a recipe needs at least one stage")

    def first_attenuations(self, bodies: Sequence[Body]) -> tuple[float, ...]:
        """With what each body is drawn to begin with: 1/mm for a surface, a factor for a CT."""
        return tuple(self.volume_factor if body.volumes else self.attenuation_per_mm for body in bodies)

    def suited_to(self, bodies: Sequence[Body]) -> Self:
        """The recipe itself, or with a body from CT the one whose stages and gate are those for CT."""
        if not any(body.volumes for body in bodies):
            return self
        stages = self.volume_stages if self.stages == STAGES else self.stages
        margin_mm = 2.0 * stages[min(1, len(stages) - 1)].margin_mm
        return replace(self, stages=stages, gate=self.volume_gate, ranking_margin_mm=margin_mm)

    def attenuations_of(self, body: Body) -> tuple[float, ...]:
        """What is tried for one body."""
        return self.volume_factors if body.volumes else self.attenuations_per_mm
