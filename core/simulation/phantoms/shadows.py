"""Shadows of small things, drawn where they fall: spheres, and round holes in a sheet.

Each pixel is shot with several rays from the source, and what passes (not what is passed through) is averaged. Rays are
placed in the raw picture, so that the distortion acts on the finest scale: a shadow is bent, not a drawing of it.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Float32

from core.simulation.phantoms.maps import Points
from core.simulation.phantoms.rig import SimulatedPlane

SHEET_MM = 1.0
"""Thickness of a perforated plate."""
_RAYS = 4
"""Along each side of a pixel."""
_AT_ONCE = 200
_SHEET_LAYERS = (-1 / 3, 0.0, 1 / 3)


def shade_spheres(
    passed: Float32[np.ndarray, "h w"],
    plane: SimulatedPlane,
    centres_mm: Float[np.ndarray, "n 3"],
    radius_mm: Float[np.ndarray, " n"] | float,
    per_mm: float,
) -> None:
    """Multiply what passes spheres of the detector frame into a picture; whole spheres, as nothing is behind them."""
    radii = np.broadcast_to(np.asarray(radius_mm, dtype=np.float64), len(centres_mm))

    def share(points: Float[np.ndarray, "n k 2"], which: np.ndarray) -> Float[np.ndarray, "n k"]:
        away = centres_mm[which] - plane.source_mm
        along = np.concatenate([points, np.zeros((*points.shape[:-1], 1))], axis=-1) - plane.source_mm
        forward = np.einsum("nki,ni->nk", along, away) / np.linalg.norm(along, axis=-1)
        half_square = radii[which, None] ** 2 - ((away**2).sum(axis=-1)[:, None] - forward**2)
        return np.exp(-2.0 * per_mm * np.sqrt(half_square.clip(0.0)))

    magnified = plane.source_mm[2] / (plane.source_mm[2] - centres_mm[:, 2])
    _shade(passed, plane, plane.shadow_mm(centres_mm), float((radii * magnified).max(initial=0.0)), share)


def open_holes(
    passed: Float32[np.ndarray, "h w"],
    plane: SimulatedPlane,
    centres_mm: Points,
    radius_mm: float,
    exponent: float,
) -> None:
    """Open holes in a sheet whose middle is the detector plane, in a picture that the whole sheet has been drawn in.

    The walls of a hole stand upright: a slanting ray passes part of the metal.
    """

    def share(points: Float[np.ndarray, "n k 2"], which: np.ndarray) -> Float[np.ndarray, "n k"]:
        through = np.zeros(points.shape[:-1])
        for layer in _SHEET_LAYERS:
            near = layer * SHEET_MM / plane.source_mm[2]
            away = (1.0 - near) * points - (centres_mm[which] - near * plane.source_mm[:2])[:, None]
            through += np.einsum("nki,nki->nk", away, away) <= radius_mm**2
        through /= len(_SHEET_LAYERS)
        return np.exp(exponent * through)

    _shade(passed, plane, np.asarray(centres_mm), radius_mm, share)


def _shade(
    passed: Float32[np.ndarray, "h w"],
    plane: SimulatedPlane,
    shadows_mm: Points,
    radius_mm: float,
    share: Callable[[Float[np.ndarray, "n k 2"], np.ndarray], Float[np.ndarray, "n k"]],
) -> None:
    """Multiply the mean of ``share`` over the rays of each pixel into windows round the shadows."""
    table, pixels = plane.mm_of_pixels, plane.map.px_from_mm(shadows_mm)
    for which, rows, columns, inside in _windows(plane, pixels, radius_mm):
        points = table[rows[:, :, None], columns[:, None, :]]
        slope = _slopes(plane, rows[:, rows.shape[1] // 2], columns[:, columns.shape[1] // 2])
        total = np.zeros(points.shape[:-1])
        for offset in _ray_offsets():
            rays = points + (slope @ offset)[:, None, None, :]
            total += share(rays.reshape(len(rays), -1, 2), which).reshape(total.shape)
        mean = np.where(inside, total / _RAYS**2, 1.0).astype(np.float32)
        np.multiply.at(passed, (rows[:, :, None], columns[:, None, :]), mean)


def _windows(
    plane: SimulatedPlane, pixels: Points, radius_mm: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Shadows in the picture, some at a time: which, rows, columns, and which pixels of the windows exist."""
    half = int(np.ceil(1.35 * radius_mm / plane.pixel_mm)) + 2
    around = np.arange(-half, half + 1)
    size = np.array([plane.width_px, plane.height_px])
    seen = np.flatnonzero(((pixels > -half) & (pixels < size + half)).all(axis=1))
    for start in range(0, len(seen), _AT_ONCE):
        which = seen[start : start + _AT_ONCE]
        columns, rows = (np.round(pixels[which, axis]).astype(int)[:, None] + around for axis in (0, 1))
        real_column, real_row = ((c >= 0) & (c < size[axis]) for axis, c in enumerate((columns, rows)))
        inside = real_row[:, :, None] & real_column[:, None, :]
        yield which, rows.clip(0, size[1] - 1), columns.clip(0, size[0] - 1), inside


def _slopes(plane: SimulatedPlane, rows: np.ndarray, columns: np.ndarray) -> Float[np.ndarray, "n 2 2"]:
    """Derivative of mm by (u, v) at pixels."""
    v, u = rows.clip(1, plane.height_px - 2), columns.clip(1, plane.width_px - 2)
    table = plane.mm_of_pixels
    return np.stack([table[v, u + 1] - table[v, u - 1], table[v + 1, u] - table[v - 1, u]], axis=-1) / 2.0


def _ray_offsets() -> Float[np.ndarray, "rays 2"]:
    """Where the rays of a pixel are, in pixels from its centre."""
    line = (np.arange(_RAYS) + 0.5) / _RAYS - 0.5
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
