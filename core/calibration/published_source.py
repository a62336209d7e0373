"""The published way to a source, for comparison: a circle of whole pixels in the straightened picture.

Every row of the Veriserum source table obeys ``SID = h M / (M - 1)``, ``principal point = -c / (M - 1)``, ``M = r / R``
with radius r and centre c in whole pixels of 0.25 mm: one pixel of the radius is 9 mm of source distance.
"""

from collections.abc import Generator, Sequence

import cv2
import numpy as np
from jaxtyping import Float32

from core.calibration.faults import CalibrationFaultError, Fault
from core.calibration.phantoms import DiscPlate
from core.calibration.values import Progress, Provenance, SourceResult
from core.geometry.distortion import Correction, DetectorGrid

_GRID = DetectorGrid(spacing_mm=0.25, width_px=1440, height_px=1440, centre_px=(719.5, 719.5))
_COARSE = 32
METHOD = "published whole-pixel circle"


def published_source(
    pictures: Sequence[np.ndarray], plate: DiscPlate, correction: Correction
) -> Generator[Progress, None, SourceResult]:
    """The mean over all pictures of what a whole-pixel circle tells of the source.

    Raises:
        CalibrationFaultError: no circle is found.
    """
    away_u, away_v = _tables(correction)
    found = []
    for number, picture in enumerate(pictures):
        yield Progress(fraction=number / len(pictures), text=f"circle in picture {number + 1}")
        straight = cv2.remap(picture.astype(np.float32), away_u, away_v, cv2.INTER_LINEAR)
        found.append(_from_circle(_circle(straight, f"picture {number + 1} of the disc"), plate))
    return SourceResult(
        source_mm=tuple(np.mean(found, axis=0).tolist()),
        covariance=_rounding(found[0][2], plate),
        method=METHOD,
        notes=("whole pixels only; the covariance is that of rounding alone",),
        provenance=Provenance(phantom=plate),
    )


def _tables(correction: Correction) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Raw pixels of the straightened ones, solved on a coarse grid and interpolated."""
    line = (np.arange(_GRID.width_px // _COARSE) + 0.5) * _COARSE - 0.5
    u, v = np.meshgrid(line, line)
    raw = correction.distortion.px_from_mm(_GRID.mm_from_px(np.column_stack([u.ravel(), v.ravel()])))
    size = (_GRID.width_px, _GRID.height_px)
    coarse = np.nan_to_num(raw, nan=-1.0).astype(np.float32).reshape(*u.shape, 2)
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(fine[..., 0]), np.ascontiguousarray(fine[..., 1])


def _circle(straight: Float32[np.ndarray, "h w"], name: str) -> tuple[int, int, int]:
    """Centre and radius in whole pixels by Hough's transform."""
    low, high = np.percentile(straight, [1.0, 99.0])
    grey = ((straight - low) / max(high - low, 1e-6) * 255.0).clip(0, 255).astype(np.uint8)
    grey = cv2.GaussianBlur(grey, (0, 0), 1.5)
    side = min(grey.shape)
    circles = cv2.HoughCircles(
        grey, cv2.HOUGH_GRADIENT, 1, side, param1=100, param2=30, minRadius=side // 5, maxRadius=int(0.42 * side)
    )
    if circles is None:
        raise CalibrationFaultError(Fault.NO_DISC, f"{name}: Hough's transform finds no circle in it")
    u, v, radius = circles[0, 0]
    return round(float(u)), round(float(v)), round(float(radius))


def _from_circle(circle: tuple[int, int, int], plate: DiscPlate) -> tuple[float, float, float]:
    u, v, radius = circle
    larger = radius * _GRID.spacing_mm / plate.radius_mm - 1.0
    if larger <= 0:
        raise CalibrationFaultError(
            Fault.WRONG_PHANTOM,
            f"a circle of {radius} px is no shadow of the disc {plate.name!r}: it is smaller",
        )
    x, y = _GRID.mm_from_px(np.array([[u, v]]))[0]
    return -x / larger, -y / larger, plate.height_mm * (1.0 + larger) / larger


def _rounding(distance_mm: float, plate: DiscPlate) -> np.ndarray:
    """Covariance of numbers rounded to whole pixels: a twelfth of the square of a pixel's effect."""
    larger = plate.height_mm / (distance_mm - plate.height_mm)
    aside = _GRID.spacing_mm / larger
    along = plate.height_mm * _GRID.spacing_mm / (plate.radius_mm * larger**2)
    return np.diag([aside**2, aside**2, along**2]) / 12.0
