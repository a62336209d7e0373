"""Grey values to screen brightness: window tables for 8 and 16 bit pictures, automatic window, histogram."""

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8

from core.errors import ImageError

_LEVELS = {np.dtype(np.uint8): 1 << 8, np.dtype(np.uint16): 1 << 16}


def grey_levels(dtype: np.dtype) -> int:
    """How many grey values a picture of this type can have.

    Raises:
        ImageError: the type is neither 8 nor 16 bit unsigned.
    """
    levels = _LEVELS.get(np.dtype(dtype))
    if levels is None:
        raise ImageError(
            f"a picture of type {np.dtype(dtype).name} cannot be shown; pictures must be 8 or 16 bit unsigned"
        )
    return levels


def window_table(low: float, high: float, dtype: np.dtype, *, inverted: bool = False) -> UInt8[np.ndarray, " levels"]:
    """Screen brightness of each grey value: 0 at ``low`` and below, 255 at ``high`` and above.

    A window without width is a threshold. ``inverted`` shows bright as dark.

    Raises:
        ImageError: the type is neither 8 nor 16 bit unsigned, or a limit is not a number.
    """
    if not np.isfinite([low, high]).all():
        raise ImageError(f"a window needs two finite grey values, got {low} and {high}")
    if high < low:
        low, high = high, low
    values = np.arange(grey_levels(dtype), dtype=np.float64)
    share = np.clip((values - low) / (high - low), 0.0, 1.0) if high > low else (values >= low).astype(np.float64)
    return np.round(255.0 * (1.0 - share if inverted else share)).astype(np.uint8)


def apply_window(
    picture: np.ndarray, table: UInt8[np.ndarray, " levels"], out: UInt8[np.ndarray, "h w"] | None = None
) -> UInt8[np.ndarray, "h w"]:
    """The picture (h, w) through a table made for its type; about a millisecond for 1664 x 1600.

    Raises:
        ImageError: the picture's type is not the table's, or neither 8 nor 16 bit.
    """
    if grey_levels(picture.dtype) != len(table):
        raise ImageError(f"a table of {len(table)} grey values does not fit a picture of type {picture.dtype.name}")
    return np.asarray(cv2.LUT(picture, table, dst=out), dtype=np.uint8)


def histogram(picture: np.ndarray, usable: Bool[np.ndarray, "h w"] | None = None) -> Int[np.ndarray, " levels"]:
    """How many usable pixels have each grey value.

    Raises:
        ImageError: the picture is neither 8 nor 16 bit, or the usable area is of another size.
    """
    levels = grey_levels(picture.dtype)
    if usable is None:
        return np.bincount(picture.ravel(), minlength=levels)
    if usable.shape != picture.shape:
        raise ImageError(f"the usable area is {usable.shape}, the picture {picture.shape}: they must be of one size")
    return np.bincount(picture[usable], minlength=levels)


def auto_window(
    picture: np.ndarray,
    usable: Bool[np.ndarray, "h w"] | None = None,
    *,
    low_percent: float = 0.5,
    high_percent: float = 99.5,
) -> tuple[float, float]:
    """The window between two percentiles of the usable area; always at least one grey value wide.

    Without a usable pixel the whole picture counts.

    Raises:
        ImageError: the picture is neither 8 nor 16 bit, or the usable area is of another size.
    """
    counts = histogram(picture, usable)
    total = int(counts.sum())
    if total == 0:
        return auto_window(picture, low_percent=low_percent, high_percent=high_percent)
    running = np.cumsum(counts)
    # The smallest grey value that at least the given share of the pixels does not exceed.
    wanted = np.array([low_percent, high_percent]) / 100.0 * total
    low, high = np.searchsorted(running, np.maximum(wanted, 1.0), side="left")
    top = len(counts) - 1
    if high <= low:
        low, high = (low, low + 1) if low < top else (top - 1, top)
    return float(low), float(high)
