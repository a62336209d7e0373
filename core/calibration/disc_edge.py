"""The edge of the disc's shadow to hundredths of a pixel, where LINEAR intensity has fallen by half.

A threshold on the logarithm would lie outside the true edge: by 11 mm of source distance for a plate that passes 2 %.
Points of the edge are straightened, pictures are not: resampling would move the edge.
"""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy import ndimage, special

from core.calibration.disc_shadow import Ellipse, find_shadow, fit_ellipse, off_ellipse
from core.calibration.faults import CalibrationFaultError, Fault

Intensities = Literal["linear", "logarithmic"]
_RAYS = 360
_STEP_PX = 0.5
_BESIDE_PX = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
"""Lines beside each ray that are averaged with it."""
_PASSES = 5
_PLATEAU_PX = 8.0
"""Length of the dark and the bright level that is looked at beyond the blur."""
_LEAST_CONTRAST = 0.4
"""Of the usual one: rays with less cross the edge of the field, or something that lies on the plate's edge."""
_LEAST_RAYS = 0.5


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiscEdge:
    """Points on the edge of the disc's shadow in the raw picture."""

    points_px: Float[np.ndarray, "n 2"]
    ellipse: Ellipse
    """Fitted to them, in raw pixels."""
    blur_px: float
    """Sigma of the edge."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rays:
    """Rays that cross the edge outward, each beginning at what is believed to be the edge."""

    start: Float[np.ndarray, "n 2"]
    out: Float[np.ndarray, "n 2"]
    along: Float[np.ndarray, " k"]


def linear_light(picture: np.ndarray, intensities: Intensities, decades: float = 2.0) -> Float32[np.ndarray, "h w"]:
    """Intensities in proportion to the X-rays, from grey values that are, or that are their logarithm.

    Logarithmic grey values are taken to span so many ``decades`` from black to white.
    """
    grey = np.asarray(picture, dtype=np.float32)
    if intensities == "linear":
        return grey
    white = np.iinfo(picture.dtype).max if np.issubdtype(picture.dtype, np.integer) else float(grey.max())
    return np.asarray(10.0 ** (np.float32(decades) * (grey / np.float32(white) - 1.0)), dtype=np.float32)


def find_edge(light: Float32[np.ndarray, "h w"], name: str, share: float = 0.5) -> DiscEdge:
    """The edge of the disc's shadow in a picture of linear intensities.

    Args:
        light: bright is air.
        name: what the picture is called in messages.
        share: where between dark (0) and bright (1) the edge is taken; only one half is free of bias.

    Raises:
        CalibrationFaultError: no whole disc is seen.
    """
    ellipse, reach = find_shadow(light, name), 7.0
    longest = float(np.clip(0.06 * ellipse.radius, 10.0, 40.0))
    points, blur = np.zeros((0, 2)), 2.0
    angles = np.linspace(0.0, 2.0 * np.pi, _RAYS, endpoint=False)
    for turn in range(_PASSES):
        # the first rays begin on a rough outline: they are long, and crossed by a level
        half = longest if turn == 0 else min(reach + _PLATEAU_PX, longest)
        along = np.arange(-half, half + 0.5 * _STEP_PX, _STEP_PX)
        rays = _Rays(start=ellipse.points(angles), out=ellipse.normals(angles), along=along)
        profiles = _profiles(light, rays)
        offset = _by_level(profiles, along) if turn == 0 else _by_area(profiles, along, reach)
        points = _accepted(rays, offset, name)
        ellipse = _robust_ellipse(points)
        if turn >= 1:
            blur = _blur(profiles, offset, along, reach)
            reach = float(np.clip(3.0 * blur + 1.5, 3.0, 0.5 * longest))
    inward = (blur**2 + float((_BESIDE_PX**2).mean())) / (2.0 * ellipse.radius)
    outward = (points - ellipse.centre) / np.linalg.norm(points - ellipse.centre, axis=1, keepdims=True)
    points = points + outward * (inward + blur * float(special.ndtri(share)))
    return DiscEdge(points_px=points, ellipse=_robust_ellipse(points), blur_px=blur)


def _accepted(rays: _Rays, offset: Float[np.ndarray, " n"], name: str) -> Float[np.ndarray, "n 2"]:
    good = np.isfinite(offset)
    if good.mean() < _LEAST_RAYS:
        raise CalibrationFaultError(
            Fault.CUT_DISC,
            f"{name}: only {good.mean():.0%} of the disc's edge is seen with a bright ring around it; move the tube to "
            "the middle of the field and remove what lies over the edge",
        )
    return np.asarray(rays.start[good] + offset[good, None] * rays.out[good])


def _profiles(light: Float32[np.ndarray, "h w"], rays: _Rays) -> Float[np.ndarray, "n k"]:
    """Intensities along the rays, averaged over lines beside each; NaN outside the picture."""
    beside = np.column_stack([-rays.out[:, 1], rays.out[:, 0]])
    total = np.zeros((len(rays.start), len(rays.along)))
    for shift in _BESIDE_PX:
        places = (rays.start + shift * beside)[:, None] + rays.along[:, None] * rays.out[:, None]
        at = [places[..., 1], places[..., 0]]
        total += ndimage.map_coordinates(light, at, order=1, mode="constant", cval=np.nan)
    return np.asarray(total / len(_BESIDE_PX))


def _by_level(profiles: Float[np.ndarray, "n k"], along: Float[np.ndarray, " k"]) -> Float[np.ndarray, " n"]:
    """Where smoothed profiles cross the middle of their ends' levels; NaN where they do not."""
    end = max(3, len(along) // 6)
    smoothed = ndimage.uniform_filter1d(profiles, 5, axis=1)
    dark, bright = np.median(smoothed[:, :end], axis=1), np.median(smoothed[:, -end:], axis=1)
    over = smoothed > 0.5 * (dark + bright)[:, None]
    seen = over.any(axis=1) & _contrasting(bright - dark)
    return np.where(seen, along[np.argmax(over, axis=1)], np.nan)


def _by_area(
    profiles: Float[np.ndarray, "n k"], along: Float[np.ndarray, " k"], reach: float
) -> Float[np.ndarray, " n"]:
    """Where the area under each profile puts its edge: the half level of any symmetric blur, with noise averaged."""
    level, contrast = _normalised(profiles, along, reach)
    window = np.abs(along) <= reach
    area = np.trapezoid(level[:, window], along[window], axis=1)
    offset = along[window][-1] - area
    return np.where(_contrasting(contrast) & (np.abs(offset) < reach), offset, np.nan)


def _normalised(
    profiles: Float[np.ndarray, "n k"], along: Float[np.ndarray, " k"], reach: float
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, " n"]]:
    """Profiles between 0 (dark) and 1 (bright), and the contrast at their middle.

    Dark and bright are straight lines, for glare and vignetting slope them; the slopes are those of the rays nearby.
    """
    dark, bright = (_line(profiles[:, side], along[side]) for side in (along < -reach, along > reach))
    low, high = dark[0][:, None] + dark[1] * along, bright[0][:, None] + bright[1] * along
    with np.errstate(divide="ignore", invalid="ignore"):
        return (profiles - low) / (high - low), bright[0] - dark[0]


def _line(
    profiles: Float[np.ndarray, "n k"], along: Float[np.ndarray, " k"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n 1"]]:
    """Value at 0 and slope of each profile; slopes are smoothed over 15 rays."""
    middle = along.mean()
    away = along - middle
    slope = profiles @ away / (away @ away)
    near = ndimage.median_filter(np.nan_to_num(slope), 15, mode="wrap")
    return profiles.mean(axis=1) - near * middle, near[:, None]


def _contrasting(contrast: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    usual = np.nanmedian(contrast) if np.isfinite(contrast).any() else np.nan
    return np.asarray((contrast > _LEAST_CONTRAST * usual) & (contrast > 0))


def _blur(
    profiles: Float[np.ndarray, "n k"], offset: Float[np.ndarray, " n"], along: Float[np.ndarray, " k"], reach: float
) -> float:
    """Sigma of the mean edge: ``sigma^2 / 2 = integral t (H(t) - y(t)) dt`` over the edge at 0."""
    good = np.isfinite(offset) & (np.abs(offset) < 1.0)
    if not good.any():
        return 2.0
    level, _ = _normalised(profiles[good], along, reach)
    window = np.abs(along) <= reach
    t = along[window] - float(np.median(offset[good]))
    moment = float(np.trapezoid(t * ((t > 0) - np.median(level, axis=0)[window]), t))
    return float(np.clip(np.sqrt(max(2.0 * moment, 0.0)), 0.4, 10.0))


def _robust_ellipse(points: Float[np.ndarray, "n 2"]) -> Ellipse:
    """The ellipse through most points."""
    ellipse = fit_ellipse(points)
    for _ in range(4):
        off = off_ellipse(points, ellipse)
        spread = 1.4826 * float(np.median(np.abs(off - np.median(off))))
        ellipse = fit_ellipse(points[np.abs(off) <= 3.0 * spread + 1e-6])
    return ellipse
