"""Propose where metal is in a picture: dark regions whose whole border is a sharp step; masks from drawn polygons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Bool, Float32

_WORKED_PX = 512
"""Longest side of the picture in which regions are looked for."""
_LEVELS = 30
"""Darknesses at which the picture is cut."""
_DARKEST_SHARE = 1 / 64
"""Intensities below this share of white are noise to the logarithm."""
_WIDEST_SHARE = 0.26
"""Dark things wider than this share of the picture are limbs, tables and vignettes, and are taken for background."""
_SMALLEST_SHARE = 0.003
"""Smaller parts of the usable picture are beads, leads and screws."""
_LARGEST_SHARE = 0.25
_SHORTEST_STEP = 0.4
"""A region whose border is a step less sharp than this share of the sharpest is no metal."""
_MOST_CUT = 0.35
"""A region that lies along the edge of the usable picture for more of its border is not the body's."""
_LONGEST_SHARE = 0.55
"""Longer things are tables and wires."""
_SMOOTHING_PX = 0.7
_OPENED_PX = (3, 11)
"""Threads thinner than this are cut, lightly and strongly: metal hangs together with bone and with other metal."""
_CUT_PX = 8
"""Pixels this close to unusable ones are left out: the edge of the image circle is a sharp step too."""
_SHARP_QUANTILE = 0.3


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DarkRegion:
    """One connected dark part of a picture, its holes filled."""

    mask: Bool[np.ndarray, "h w"]
    area_px: int
    centre_px: tuple[float, float]
    step: float
    """Change of the logarithm across the border, a pixel; most of the border is sharper."""

    def at_size(self, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
        """The mask on a picture of ``size`` = (h, w)."""
        drawn = cv2.resize(self.mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(drawn > 0.5)

    def overlap(self, other: "DarkRegion") -> float:
        """The common area over the smaller of the two, 0..1."""
        common = int(np.count_nonzero(self.mask & other.mask))
        return common / min(self.area_px, other.area_px)


def propose_mask(image: np.ndarray, usable: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The pixels that look like metal: all dark regions with a sharp border; empty where there is none.

    Args:
        image: intensities (h w), bright is air.
        usable: pixels that carry signal.
    """
    mask = np.zeros(usable.shape, dtype=bool)
    for region in dark_regions(image, usable):
        mask |= region.at_size(usable.shape)
    return mask & usable


def dark_regions(image: np.ndarray, usable: Bool[np.ndarray, "h w"]) -> tuple[DarkRegion, ...]:
    """Dark regions that do not overlap, sharpest border first.

    The logarithm of the picture is cut at many darknesses; of the connected parts that contain each other the
    one with the sharpest border is kept. Bone behind tissue is dark but its border is soft, and metal behind
    thick tissue still has a sharp one, so no darkness has to be chosen.
    """
    kept: list[DarkRegion] = []
    found = sorted(nested_regions(image, usable), key=lambda region: -region.step)
    for region in found:
        if region.step < _SHORTEST_STEP * found[0].step:
            break
        if all(region.overlap(other) < 0.1 for other in kept):
            kept.append(region)
    return tuple(kept)


def nested_regions(image: np.ndarray, usable: Bool[np.ndarray, "h w"]) -> list[DarkRegion]:
    """Connected dark parts at every level, at most ``_WORKED_PX`` large; parts contain those of darker levels."""
    if not usable.any():
        return []
    darkness, inside = _flattened(*_worked(image, usable))
    if not inside.any():
        return []
    across, along = (cv2.Sobel(darkness, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    slope = cv2.dilate(cv2.magnitude(across, along), np.ones((3, 3), np.uint8))
    low, high = np.percentile(darkness[inside], [50.0, 99.7])
    if high - low < 1e-2:
        return []
    found: list[DarkRegion] = []
    for level in np.linspace(low, high, _LEVELS + 2)[1:-1]:
        for reach in _OPENED_PX:
            found += _regions_at(_opened((darkness > level) & inside, reach), slope, inside)
    return found


def _opened(dark: Bool[np.ndarray, "h w"], reach_px: int) -> Bool[np.ndarray, "h w"]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach_px, reach_px))
    return cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, disc).astype(bool)


def _worked(
    image: np.ndarray, usable: Bool[np.ndarray, "h w"]
) -> tuple[Float32[np.ndarray, "i j"], Bool[np.ndarray, "i j"]]:
    """The picture and its usable pixels, no larger than is worked with."""
    height, width = usable.shape
    scale = min(_WORKED_PX / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = cv2.resize(np.asarray(image, dtype=np.float32), size, interpolation=cv2.INTER_AREA)
    counts = cv2.resize(usable.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return picture, counts > 0.999


def _flattened(
    picture: Float32[np.ndarray, "h w"], usable: Bool[np.ndarray, "h w"]
) -> tuple[Float32[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Logarithm of the intensity, dark positive, less all that is dark and wide; and the pixels where it holds.

    The wide part is a grey opening, taken at half the size. Unusable pixels neither fill nor cut it.
    """
    inside = cv2.erode(
        usable.astype(np.uint8), np.ones((2 * _CUT_PX + 1,) * 2, np.uint8), borderType=cv2.BORDER_REPLICATE
    ).astype(bool)
    if not inside.any():
        return np.zeros_like(picture), inside
    white = float(np.percentile(picture[inside], 99.5))
    floor = max(white * _DARKEST_SHARE, 1e-6)
    darkness = np.log(max(white, floor) / np.clip(picture, floor, max(white, floor)))
    darkness = cv2.GaussianBlur(darkness.astype(np.float32), (0, 0), _SMOOTHING_PX)
    half = (max(picture.shape[1] // 2, 1), max(picture.shape[0] // 2, 1))
    small = cv2.resize(darkness, half, interpolation=cv2.INTER_AREA)
    known = cv2.resize(inside.astype(np.uint8), half, interpolation=cv2.INTER_NEAREST).astype(bool)
    reach = max(3, round(_WIDEST_SHARE * max(half))) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    top = float(darkness.max()) + 1.0
    eroded = cv2.erode(np.where(known, small, np.float32(top)), disc, borderValue=top)
    opened = cv2.dilate(np.where(known, eroded, np.float32(-1.0)), disc, borderValue=-1.0)
    wide = cv2.resize(np.minimum(opened, small), picture.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(inside, np.maximum(darkness - wide, 0), np.float32(0)).astype(np.float32), inside


def _regions_at(
    dark: Bool[np.ndarray, "h w"], slope: Float32[np.ndarray, "h w"], inside: Bool[np.ndarray, "h w"]
) -> list[DarkRegion]:
    count, labels, stats, centres = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=4)
    usable_px = int(inside.sum())
    core = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    regions = []
    for label in range(1, count):
        area = int(stats[label, cv2.CC_STAT_AREA])
        longest = max(stats[label, cv2.CC_STAT_WIDTH], stats[label, cv2.CC_STAT_HEIGHT])
        if not _SMALLEST_SHARE * usable_px < area < _LARGEST_SHARE * usable_px:
            continue
        if longest > _LONGEST_SHARE * max(dark.shape):
            continue
        box = _box(stats[label], dark.shape)
        part = labels[box] == label
        border = part & ~cv2.erode(part.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0).astype(bool)
        free = border & core[box]
        if int(free.sum()) < (1 - _MOST_CUT) * int(border.sum()):
            continue
        mask = np.zeros(dark.shape, dtype=bool)
        mask[box] = part
        regions.append(
            DarkRegion(
                mask=mask,
                area_px=area,
                centre_px=(float(centres[label, 0]), float(centres[label, 1])),
                step=float(np.quantile(slope[box][free], _SHARP_QUANTILE)),
            )
        )
    return regions


def _box(stats: np.ndarray, size: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of one region with a pixel around it."""
    left, top, width, height = (int(value) for value in stats[:4])
    return slice(max(top - 1, 0), min(top + height + 1, size[0])), slice(
        max(left - 1, 0), min(left + width + 1, size[1])
    )


def mask_of_polygon(corners_px: Sequence[tuple[float, float]], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Pixels whose centres a closed polygon or lasso of (u, v) corners holds, on a picture of ``size`` = (h, w).

    Even-odd rule where the line crosses itself; fewer than three corners hold nothing. A centre exactly on the line
    counts on the upper and left sides only, so polygons that share an edge share no pixel.
    """
    height, width = size
    inside = np.zeros(size, dtype=bool)
    corners = np.asarray(corners_px, dtype=np.float64).reshape(-1, 2)
    if len(corners) < 3:
        return inside
    onward = np.roll(corners, -1, axis=0)
    first, last = max(int(np.ceil(corners[:, 1].min())), 0), min(int(np.floor(corners[:, 1].max())), height - 1)
    columns = np.arange(width)
    for row in range(first, last + 1):
        meets = (corners[:, 1] <= row) != (onward[:, 1] <= row)
        start, end = corners[meets], onward[meets]
        crossings = start[:, 0] + (row - start[:, 1]) * (end[:, 0] - start[:, 0]) / (end[:, 1] - start[:, 1])
        inside[row] = (np.searchsorted(np.sort(crossings), columns, side="right") % 2) == 1
    return inside
