"""Whether a calibration is good enough, item by item, with the reason in a sentence.

The limits come from what errors of a calibration do to a pose: distortion is the leading term, the relation next.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np

from core.calibration.phantoms import BeadPhantom, GridPlate
from core.calibration.values import DistortionResult, RelationResult, SourceResult


class Verdict(Enum):
    """How an item is judged."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the acceptance table."""

    item: str
    value: float
    unit: str
    pass_limit: float
    warn_limit: float
    verdict: Verdict
    at_least: bool = False
    """Whether more is better."""
    advice: str = ""
    """What to do about it; empty where it passes."""

    @property
    def sentence(self) -> str:
        """The line in words."""
        sign = "≥" if self.at_least else "≤"
        told = f"{self.item}: {self.value:.3g} {self.unit}".rstrip()
        told += f" ({self.verdict.value}; pass {sign} {self.pass_limit:g}, warn {sign} {self.warn_limit:g})"
        return f"{told}; {self.advice}" if self.advice else told


def overall(checks: Sequence[Check]) -> Verdict:
    """The worst verdict of the table; an empty table passes."""
    order = [Verdict.PASS, Verdict.WARN, Verdict.FAIL]
    return max((check.verdict for check in checks), key=order.index, default=Verdict.PASS)


def judge_distortion(result: DistortionResult, previous: DistortionResult | None = None) -> tuple[Check, ...]:
    """The acceptance table of a distortion; an imported one, which has no beads, is only compared."""
    checks = []
    if len(result.beads.seen_px):
        plate = result.provenance.phantom
        expected = int(plate.present.sum()) if isinstance(plate, GridPlate) else result.expected_beads
        share = min(1.0, expected / 1762) if expected else 1.0
        checks = [
            _at_most(
                "held-out residual, RMS",
                result.held_out_rms_mm,
                "mm",
                0.03,
                0.05,
                "take the pictures again with less noise, or another order of the polynomial",
            ),
            _at_most(
                "held-out residual, largest",
                result.held_out_max_mm,
                "mm",
                0.2,
                0.2,
                "look at the rejected beads: one may be wrongly placed",
            ),
            _at_least(
                "beads used",
                result.used_beads,
                "",
                math.floor(1300 * share),
                math.floor(600 * share),
                "open the collimator, remove what lies on the plate, or add beads by hand",
            ),
            _at_least(
                "field covered by beads",
                result.field_cover,
                "",
                0.85,
                0.6,
                "centre the plate; near the edge of the field the correction is extrapolated",
            ),
        ]
    if previous is not None and previous.distortion.size_px == result.distortion.size_px:
        checks.append(
            _at_most(
                "change since the previous set, after shift, turn and scale",
                change_since(result, previous),
                "mm",
                0.08,
                0.2,
                "something bent: was the intensifier moved, or is another one used?",
            )
        )
    return tuple(checks)


def judge_source(result: SourceResult) -> tuple[Check, ...]:
    """The acceptance table of a source."""
    sd_mm = np.sqrt(np.diag(result.covariance))
    wider = 1.96  # the limits are meant as intervals that hold the truth, not as one SD
    checks = [
        _at_most("source distance, ± 95 %", wider * sd_mm[2], "mm", 1.0, 2.0, "measure the plate's height and radius"),
        _at_most(
            "principal point, ± 95 %",
            wider * float(max(sd_mm[0], sd_mm[1])),
            "mm",
            0.3,
            0.6,
            "take pictures with the tube turned by 0, 90, 180 and 270 deg",
        ),
    ]
    if result.shadows:
        checks.append(
            _at_most(
                "edge of the disc, RMS", result.edge_rms_px, "px", 0.15, 0.3, "less noise, or something covers the edge"
            )
        )
    return tuple(checks)


def judge_relation(result: RelationResult, expected_angle_deg: float | None = None) -> tuple[Check, ...]:
    """The acceptance table of a relation; the angle between the detectors' normals is judged where it is known."""
    checks = []
    if result.pairs:
        sd_deg = float(np.degrees(np.sqrt(np.linalg.eigvalsh(result.covariance[3:, 3:]).max())))
        checks = [
            _at_most("angle between the planes, SD", sd_deg, "deg", 0.02, 0.04, "take more poses of the phantom"),
            _at_most(
                "beads drawn beside beads seen, RMS",
                result.reprojection_rms_px,
                "px",
                0.15,
                0.3,
                "are all beads where their certificate says, and the distortion still true?",
            ),
        ]
        if len(result.distance_error_mm):
            checks.append(
                _at_most(
                    "held-out distances of beads, RMS",
                    float(np.sqrt((result.distance_error_mm**2).mean())),
                    "mm",
                    0.1,
                    0.2,
                    "source or distortion is wrong: calibrate those again first",
                )
            )
    if expected_angle_deg is not None:
        checks.append(
            _at_most(
                f"angle between the planes, away from {expected_angle_deg:g} deg",
                abs(angle_deg(result) - expected_angle_deg),
                "deg",
                0.5,
                0.5,
                "was a stand moved, or are the pictures of another rig?",
            )
        )
    return tuple(checks)


def angle_deg(result: RelationResult) -> float:
    """Angle between the normals of the two detectors."""
    cosine = float(result.detector_a_from_detector_b.rotation[2, 2])
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def certificate(phantom: BeadPhantom) -> tuple[tuple[str, tuple[float, float, float]], ...]:
    """Names and certified places of beads, for the report."""
    return tuple(zip(phantom.names, phantom.positions_mm, strict=True))


def change_since(result: DistortionResult, previous: DistortionResult) -> float:
    """RMS difference (mm) of two distortions over the circle in the picture, after the best shift, turn and scale."""
    width, height = result.distortion.size_px
    u, v = np.meshgrid(np.linspace(0, width - 1, 41), np.linspace(0, height - 1, 41))
    middle = 0.5 * np.array([width - 1, height - 1])
    pixels = np.column_stack([u.ravel(), v.ravel()])
    pixels = pixels[np.linalg.norm(pixels - middle, axis=1) <= 0.46 * min(width, height)]
    new, old = result.distortion.mm_from_px(pixels), previous.distortion.mm_from_px(pixels)
    new, old = new - new.mean(axis=0), old - old.mean(axis=0)
    one, other = new @ [1, 1j], old @ [1, 1j]
    similar = np.vdot(other, one) / np.vdot(other, other)
    return float(np.sqrt((np.abs(one - similar * other) ** 2).mean()))


def _at_most(item: str, value: float, unit: str, good: float, fair: float, advice: str) -> Check:
    verdict = Verdict.PASS if value <= good else Verdict.WARN if value <= fair else Verdict.FAIL
    return _check(item, value, unit, good, fair, verdict, advice, at_least=False)


def _at_least(item: str, value: float, unit: str, good: float, fair: float, advice: str) -> Check:
    verdict = Verdict.PASS if value >= good else Verdict.WARN if value >= fair else Verdict.FAIL
    return _check(item, value, unit, good, fair, verdict, advice, at_least=True)


def _check(
    item: str, value: float, unit: str, good: float, fair: float, verdict: Verdict, advice: str, *, at_least: bool
) -> Check:
    return Check(
        item=item,
        value=float(value),
        unit=unit,
        pass_limit=good,
        warn_limit=fair,
        verdict=verdict,
        at_least=at_least,
        advice="" if verdict is Verdict.PASS else advice,
    )
