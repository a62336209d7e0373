"""Back-projection of the disc's rim: source, plate and tube from edges of shadows at several turns, by least squares.

Every tolerance of the plate is an unknown with a prior row, so that the covariance holds what its description leaves
open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import least_squares

from core.calibration.disc_shadow import fit_ellipse
from core.calibration.faults import CalibrationFaultError, Fault
from core.calibration.phantoms import DiscPlate
from core.geometry.rigid import so3_exp

_SOURCE, _OFFSET, _TILT, _SHIFT = slice(0, 3), slice(3, 5), slice(5, 7), slice(10, 12)
_RADIUS, _HEIGHT, _SCALE = 7, 8, 9
_BIAS, _SEATS = 12, 13
_OUTLIER = 4.0
_LEAST_NOISE_MM = 1e-4
_DISTANCES_MM = (1.15, 10.0)
"""Plausible source distances, as multiples of the plate's height."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shadow:
    """The edge of the shadow at one turn of the tube."""

    turn_deg: float
    edge_mm: Float[np.ndarray, "n 2"]
    """On the detector, straightened."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceFit:
    """Source and plate that explain the shadows."""

    source_mm: tuple[float, float, float]
    covariance: Float[np.ndarray, "3 3"]
    offset_mm: tuple[float, float]
    seats_mm: tuple[tuple[float, float], ...]
    residual_mm: tuple[Float[np.ndarray, " n"], ...]
    """On the detector, outward."""
    used: tuple[Bool[np.ndarray, " n"], ...]
    seat_scatter: float
    """RMS of the seats' coordinates in their tolerances, for the freedoms that are left."""
    moved_mm: float
    """RMS movement of the plate between turns, as its shadows tell."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """The residuals of all shadows, with their priors."""

    shadows: Sequence[Shadow]
    prior: Float[np.ndarray, " p"]
    prior_sd: Float[np.ndarray, " p"]
    """Infinite where nothing is known before."""

    def edges(self, unknowns: Float[np.ndarray, " p"]) -> list[Float[np.ndarray, " n"]]:
        """How far each edge point lies outside the shadow of the rim (mm on the detector)."""
        return [self._edge(unknowns, number, shadow) for number, shadow in enumerate(self.shadows)]

    def _edge(self, unknowns: Float[np.ndarray, " p"], number: int, shadow: Shadow) -> Float[np.ndarray, " n"]:
        source = unknowns[_SOURCE]
        turn = so3_exp(np.array([0.0, 0.0, np.radians(shadow.turn_deg)]))
        seat = unknowns[_SEATS + 2 * number : _SEATS + 2 * number + 2]
        centre = turn @ np.array([*unknowns[_OFFSET], 0.0]) + np.array([*seat, unknowns[_HEIGHT]])
        normal = (turn @ so3_exp(np.array([*unknowns[_TILT], 0.0])))[:, 2]
        points = np.zeros((len(shadow.edge_mm), 3))
        points[:, :2] = shadow.edge_mm * (1.0 + unknowns[_SCALE]) - unknowns[_SHIFT]
        rays = points - source
        share = (normal @ (centre - source)) / (rays @ normal)
        away = np.linalg.norm(source + share[:, None] * rays - centre, axis=1)
        return np.asarray((away - unknowns[_RADIUS]) / share - unknowns[_BIAS])

    def whitened(
        self, unknowns: Float[np.ndarray, " p"], noise_mm: Sequence[float], used: Sequence[Bool[np.ndarray, " n"]]
    ) -> Float[np.ndarray, " rows"]:
        """Residuals in their standard deviations; prior rows last."""
        rows = [edge[keep] / noise for edge, noise, keep in zip(self.edges(unknowns), noise_mm, used, strict=True)]
        return np.concatenate([*rows, (unknowns - self.prior) / self.prior_sd])


def fit_source(
    shadows: Sequence[Shadow],
    plate: DiscPlate,
    spacing_mm: float,
    *,
    scale_sd: float,
    edge_bias_sd_mm: float,
    shift_sd_mm: float,
) -> SourceFit:
    """Source and plate from the edges of shadows.

    Args:
        shadows: at one or more turns.
        plate: the disc with its tolerances.
        spacing_mm: of straightened pixels; the first guess of the noise is a tenth of it.
        scale_sd: of millimetres on the detector, relative.
        edge_bias_sd_mm: of the whole edge, outward.
        shift_sd_mm: of all shadows together.

    Raises:
        CalibrationFaultError: shadows too small or too large for such a plate in front of any source.
    """
    start = _start(shadows, plate)
    seats = 2 * len(shadows)
    known = [*[np.inf] * 3, *[plate.centre_sd_mm] * 2, *[np.radians(plate.tilt_sd_deg)] * 2]
    known += [plate.radius_sd_mm, plate.height_sd_mm, scale_sd, shift_sd_mm, shift_sd_mm, edge_bias_sd_mm]
    known += [plate.seat_sd_mm] * seats
    prior_sd = np.maximum(np.array(known), 1e-9)
    prior = np.zeros(_SEATS + seats)
    prior[_RADIUS], prior[_HEIGHT] = plate.radius_mm, plate.height_mm
    rows = _Rows(shadows=shadows, prior=prior, prior_sd=prior_sd)
    unknowns = np.array([*start, *prior[3:]])
    used = [np.ones(len(shadow.edge_mm), dtype=bool) for shadow in shadows]
    noise_mm = [0.1 * spacing_mm] * len(shadows)
    for loss in ("huber", "huber", "linear"):
        unknowns, jacobian = _solve(rows, unknowns, noise_mm, used, loss)
        residual = rows.edges(unknowns)
        noise_mm = [_spread(edge) for edge in residual]
        used = [np.abs(edge) <= _OUTLIER * noise for edge, noise in zip(residual, noise_mm, strict=True)]
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    seats_mm = unknowns[_SEATS:].reshape(-1, 2)
    return SourceFit(
        source_mm=_three(unknowns),
        covariance=covariance[:3, :3],
        offset_mm=(float(unknowns[3]), float(unknowns[4])),
        seats_mm=tuple((float(x), float(y)) for x, y in seats_mm),
        residual_mm=tuple(rows.edges(unknowns)),
        used=tuple(used),
        seat_scatter=_scatter(seats_mm, plate),
        moved_mm=_moved(shadows, plate),
    )


def _start(shadows: Sequence[Shadow], plate: DiscPlate) -> tuple[float, float, float]:
    """The source if plate and tube were perfect: ``S = h M / (M - 1)``, principal point ``-c / (M - 1)``."""
    centres = np.array([shadow.edge_mm.mean(axis=0) for shadow in shadows])
    radii = [
        float(np.median(np.linalg.norm(shadow.edge_mm - centre, axis=1)))
        for shadow, centre in zip(shadows, centres, strict=True)
    ]
    larger = float(np.mean(radii)) / plate.radius_mm - 1.0
    distance = plate.height_mm * (1.0 + larger) / larger if larger > 1e-6 else np.inf
    low, high = (share * plate.height_mm for share in _DISTANCES_MM)
    if not low <= distance <= high:
        told = (
            f"put the source {distance:.0f} mm from the detector" if np.isfinite(distance) else "need no source at all"
        )
        raise CalibrationFaultError(
            Fault.WRONG_PHANTOM,
            f"a shadow of {np.mean(radii):.1f} mm radius under a disc of {plate.radius_mm:g} mm at {plate.height_mm:g} "
            f"mm would {told}; is this the disc {plate.name!r}, and do its radius and height stand in its description?",
        )
    x, y = -centres.mean(axis=0) / larger
    return float(x), float(y), float(distance)


def _solve(
    rows: _Rows,
    start: Float[np.ndarray, " p"],
    noise_mm: Sequence[float],
    used: Sequence[Bool[np.ndarray, " n"]],
    loss: str,
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "rows p"]]:
    found = least_squares(
        rows.whitened,
        start,
        args=(noise_mm, used),
        loss=loss,
        f_scale=2.0,
        x_scale="jac",
        method="trf",
        xtol=1e-8,
        max_nfev=25,
    )
    plain = least_squares(rows.whitened, found.x, args=(noise_mm, used), x_scale="jac", max_nfev=1).jac
    return np.asarray(found.x), np.asarray(plain)


def _spread(residual: Float[np.ndarray, " n"]) -> float:
    """A robust standard deviation."""
    return max(1.4826 * float(np.median(np.abs(residual))), _LEAST_NOISE_MM)


def _scatter(seats_mm: Float[np.ndarray, "k 2"], plate: DiscPlate) -> float:
    freedoms = max(2 * len(seats_mm) - 4, 1)
    return float(np.sqrt((seats_mm**2).sum() / freedoms) / max(plate.seat_sd_mm, 1e-9))


def _moved(shadows: Sequence[Shadow], plate: DiscPlate) -> float:
    centres = np.array([fit_ellipse(shadow.edge_mm).centre for shadow in shadows])
    magnified = fit_ellipse(shadows[0].edge_mm).radius / plate.radius_mm
    return float(np.sqrt(((centres - centres.mean(axis=0)) ** 2).sum(axis=1).mean()) / magnified)


def _three(unknowns: Float[np.ndarray, " p"]) -> tuple[float, float, float]:
    return float(unknowns[0]), float(unknowns[1]), float(unknowns[2])
