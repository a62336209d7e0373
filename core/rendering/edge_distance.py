"""How far the outline of a body lies from the edges that the picture shows, point by point along it."""

from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy import ndimage

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.rendering.silhouette import Silhouette, filled_area_px, silhouette

SMOOTHING_PX = 1.0
"""Gaussian applied to the picture before its slope is taken."""
_PROFILE_STEP_PX = 0.5
_TANGENT_SAMPLES = 2
_STRONG = 0.3
"""Of the strongest usual edge along this outline: weaker ones are texture."""
_SHORTEST_LOOP = 5
"""Loops with fewer samples have no direction."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EdgeDistances:
    """One value a sample of the outline; ``segments_px[i]`` is the piece of the outline around ``points_px[i]``."""

    points_px: Float[np.ndarray, "n 2"]
    segments_px: Float[np.ndarray, "n 2 2"]
    normals: Float[np.ndarray, "n 2"]
    """Unit vectors out of the shadow."""
    distance_px: Float[np.ndarray, " n"]
    """From the outline to the nearest strong edge, outward positive; NaN where there is none in reach."""
    distance_mm: Float[np.ndarray, " n"]
    """The same at the body's depth."""
    strength: Float[np.ndarray, " n"]
    """Slope of the log picture there (1/px), brighter outward; 0 where no edge was found."""

    @property
    def found_share(self) -> float:
        """Share of the outline that has an edge in reach, 0..1; 0 without an outline."""
        return float(np.isfinite(self.distance_px).mean()) if len(self.distance_px) else 0.0


def edge_distances(
    mesh: TriangleMesh,
    view: View,
    world_from_body: Rigid,
    logarithm: Float32[np.ndarray, "h w"],
    usable: Bool[np.ndarray, "h w"],
    *,
    reach_mm: float = 4.0,
    step_mm: float = 0.8,
) -> EdgeDistances:
    """Signed distance along the outline's normal to the nearest strong edge of the log picture, sub-pixel.

    An edge is a place where the picture gets brighter outward fastest; of those within reach that are strong
    for this outline the nearest counts. Samples outside the usable pixels have none.

    Args:
        mesh: surface of the body; its outline is taken.
        view: view of the picture.
        world_from_body: pose.
        logarithm: logarithm of the picture's intensity (any factor), of the view's size.
        usable: pixels inside the image circle and outside exclusions.
        reach_mm: how far to look on both sides, at the body's depth.
        step_mm: distance of the samples along the outline.
    """
    mm_per_px = view.millimetres_per_pixel(max(view.depth_mm(world_from_body.apply(mesh.centre_mm[None])[0]), 1.0))
    outline = silhouette(mesh, view, world_from_body)
    points, segments, normals = _samples(outline, step_mm / mm_per_px)
    distance, strength = _measured(points, normals, logarithm, usable, reach_mm / mm_per_px)
    return EdgeDistances(
        points_px=points,
        segments_px=segments,
        normals=normals,
        distance_px=distance,
        distance_mm=distance * mm_per_px,
        strength=strength,
    )


def _samples(
    outline: Silhouette, step_px: float
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2 2"], Float[np.ndarray, "n 2"]]:
    """Points at even distances along all loops, the pieces around them, and normals out of the shadow."""
    inward = -1.0 if filled_area_px(outline.loops_px) < 0 else 1.0
    points, segments, normals = [np.empty((0, 2))], [np.empty((0, 2, 2))], [np.empty((0, 2))]
    for loop in outline.loops_px:
        closed = np.concatenate([loop, loop[:1]])
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
        count = int(along[-1] / max(step_px, 1e-3))
        if count < _SHORTEST_LOOP:
            continue
        at = (np.arange(2 * count) * 0.5) * along[-1] / count
        places = np.stack([np.interp(at, along, closed[:, k]) for k in range(2)], axis=1)
        middle, between = places[0::2], places[1::2]
        tangent = np.roll(middle, -_TANGENT_SAMPLES, axis=0) - np.roll(middle, _TANGENT_SAMPLES, axis=0)
        normal = inward * np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
        points.append(middle)
        segments.append(np.stack([np.roll(between, 1, axis=0), between], axis=1))
        normals.append(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12))
    return np.concatenate(points), np.concatenate(segments), np.concatenate(normals)


def _measured(
    points: Float[np.ndarray, "n 2"],
    normals: Float[np.ndarray, "n 2"],
    logarithm: Float32[np.ndarray, "h w"],
    usable: Bool[np.ndarray, "h w"],
    reach_px: float,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Signed distances and strengths of the nearest strong edge of each sample."""
    steps = np.arange(-np.ceil(reach_px / _PROFILE_STEP_PX) - 1, np.ceil(reach_px / _PROFILE_STEP_PX) + 2)
    offsets = steps * _PROFILE_STEP_PX
    nothing = np.full(len(points), np.nan), np.zeros(len(points))
    cut = _cut(points, logarithm.shape, offsets[-1] + 4 * SMOOTHING_PX)
    if cut is None:
        return nothing
    rows, columns = cut
    picture = cv2.GaussianBlur(np.ascontiguousarray(logarithm[rows, columns]), (0, 0), SMOOTHING_PX)
    along = points[:, None] + offsets[:, None] * normals[:, None] - [columns.start, rows.start]
    at = [along[..., 1], along[..., 0]]
    profile = ndimage.map_coordinates(picture, at, order=3, mode="nearest", output=np.float64)
    inside = ndimage.map_coordinates(usable[rows, columns].astype(np.uint8), at, order=0, mode="constant") > 0
    slope = np.zeros_like(profile)
    slope[:, 1:-1] = (profile[:, 2:] - profile[:, :-2]) / (2 * _PROFILE_STEP_PX)
    slope[~inside] = 0.0
    return _nearest_peaks(slope, offsets)


def _cut(points: Float[np.ndarray, "n 2"], shape: tuple[int, ...], margin_px: float) -> tuple[slice, slice] | None:
    """Rows and columns around the samples within the picture; None where nothing is left."""
    if not len(points):
        return None
    low = np.maximum(np.floor(points.min(axis=0) - margin_px), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0) + margin_px) + 1, [shape[1], shape[0]]).astype(int)
    if (high - low < 2).any():
        return None
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _nearest_peaks(
    slope: Float[np.ndarray, "n k"], offsets: Float[np.ndarray, " k"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Of each profile the strong local maximum nearest to its middle, placed by a parabola."""
    usual = float(np.percentile(np.abs(slope).max(axis=1), 90))
    before, here, after = slope[:, :-2], slope[:, 1:-1], slope[:, 2:]
    peak = (here >= before) & (here > after) & (here > max(_STRONG * usual, 1e-9))
    away = np.where(peak, np.abs(offsets[1:-1]), np.inf)
    best = away.argmin(axis=1)
    each = np.arange(len(slope))
    found = peak[each, best]
    left, top, right = before[each, best], here[each, best], after[each, best]
    bend = np.where(found, left - 2 * top + right, -1.0)
    shift = np.clip(0.5 * (left - right) / np.minimum(bend, -1e-12), -0.5, 0.5)
    distance = offsets[1:-1][best] + shift * _PROFILE_STEP_PX
    return np.where(found, distance, np.nan), np.where(found, top, 0.0)
