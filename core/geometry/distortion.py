"""Image distortion of one detector: where on its plane each pixel of a raw picture lies, and the way back.

Detector frame: x right, y up, z toward the source, in mm; the origin is the centre of the plate that the distortion
was measured with. Pixels as everywhere: (0, 0) is the centre of the top-left pixel, v counts down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Float

from core.errors import CalibrationError

_NEWTON_STEPS = 12
_SETTLED_PX = 1e-9
_START_GRID = 24


@final
@dataclass(frozen=True, kw_only=True)
class Distortion:
    """``w = affine (u, v, 1)``; ``X = sum_k x_k wx^i_k wy^j_k``, ``Y`` likewise: mm on the detector from raw pixels.

    ``affine`` brings pixels near [-1, 1] (or, for Veriserum's coefficients, near mm), without which powers of pixels
    lose all digits. Any set of exponents is possible: total degree n, or the tensor bicubic.
    """

    exponents: tuple[tuple[int, int], ...]
    x_coefficients: tuple[float, ...]
    y_coefficients: tuple[float, ...]
    affine: tuple[tuple[float, float, float], tuple[float, float, float]]
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        """Refuse what is no map.

        Raises:
            CalibrationError: numbers that do not belong together, or are not finite; a picture without size.
        """
        if not len(self.exponents) == len(self.x_coefficients) == len(self.y_coefficients) > 0:
            raise CalibrationError(
                f"a distortion needs as many coefficients as terms, got {len(self.exponents)} terms, "
                f"{len(self.x_coefficients)} coefficients for x and {len(self.y_coefficients)} for y"
            )
        numbers = [*self.x_coefficients, *self.y_coefficients, *self.affine[0], *self.affine[1]]
        if not np.isfinite(numbers).all():
            raise CalibrationError("a distortion holds a coefficient that is no finite number")
        if min(self.width_px, self.height_px) <= 0:
            raise CalibrationError(
                f"a distortion belongs to pictures of a size, not of {self.width_px} x {self.height_px} px"
            )
        if abs(float(np.linalg.det(self._turn))) < 1e-12:
            raise CalibrationError("the affine part of a distortion maps the picture onto a line")

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the pictures it belongs to."""
        return self.width_px, self.height_px

    def mm_from_px(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Where on the detector (mm, y up) pixels of the raw picture lie."""
        terms = self._powers(self._normalised(pixels))
        return terms @ self._coefficients

    def jacobian(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2 2"]:
        """Derivative of ``mm_from_px`` by the pixel (mm/px); rows X, Y, columns u, v."""
        w = self._normalised(pixels)
        i, j = np.array(self.exponents).T
        x, y = w[:, :1], w[:, 1:]
        by_x = i * x ** np.maximum(i - 1, 0) * y**j
        by_y = j * x**i * y ** np.maximum(j - 1, 0)
        slopes = np.stack([by_x @ self._coefficients, by_y @ self._coefficients], axis=-1)
        return slopes @ self._turn

    def px_from_mm(self, points_mm: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Pixels of the raw picture that show points of the detector (mm, y up); NaN where none does.

        A polynomial fitted the other way gives the start, Newton's method the rest.
        """
        points = np.asarray(points_mm, dtype=np.float64)
        pixels = self._started(points)
        ahead = np.full(len(points), np.inf)
        for _ in range(_NEWTON_STEPS):
            step = np.linalg.solve(self._safe(self.jacobian(pixels)), (points - self.mm_from_px(pixels))[..., None])
            step = step[..., 0]
            longest = 0.1 * max(self.size_px)
            length = np.linalg.norm(step, axis=-1, keepdims=True)
            pixels = pixels + step * np.minimum(1.0, longest / np.maximum(length, 1e-300))
            ahead = length[:, 0]
            if not (ahead > _SETTLED_PX).any():
                break
        pixels[~(ahead < 1e-6)] = np.nan
        return pixels

    @staticmethod
    def _safe(jacobians: Float[np.ndarray, "n 2 2"]) -> Float[np.ndarray, "n 2 2"]:
        """Jacobians without the singular ones, far outside the picture; those points do not settle and become NaN."""
        singular = ~(np.abs(np.linalg.det(jacobians)) > 1e-12)
        return np.where(singular[:, None, None], np.eye(2), jacobians)

    def _started(self, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        table, offset, centre, scale = self._backward
        away = np.clip((points - centre) / scale, -1.5, 1.5)  # cubics run wild far outside
        return _bicubic_terms(away) @ table + offset

    @cached_property
    def _backward(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pixels as a bicubic of mm, fitted on a grid over the picture: table (16 2), offset, centre and scale."""
        across, down = np.linspace(0, self.width_px - 1, _START_GRID), np.linspace(0, self.height_px - 1, _START_GRID)
        pixels = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        points = self.mm_from_px(pixels)
        centre, scale = points.mean(axis=0), np.abs(points - points.mean(axis=0)).max(axis=0)
        table = _bicubic_terms((points - centre) / scale)
        offset = pixels.mean(axis=0)
        return np.linalg.lstsq(table, pixels - offset, rcond=None)[0], offset, centre, scale

    def _normalised(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        affine = np.array(self.affine)
        return np.asarray(pixels, dtype=np.float64) @ affine[:, :2].T + affine[:, 2]

    def _powers(self, w: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n terms"]:
        i, j = np.array(self.exponents).T
        highest = int(max(i.max(), j.max())) + 1
        x, y = np.ones((highest, len(w))), np.ones((highest, len(w)))
        for power in range(1, highest):
            x[power], y[power] = x[power - 1] * w[:, 0], y[power - 1] * w[:, 1]
        return (x[i] * y[j]).T

    @cached_property
    def _coefficients(self) -> Float[np.ndarray, "terms 2"]:
        return np.column_stack([self.x_coefficients, self.y_coefficients])

    @cached_property
    def _turn(self) -> Float[np.ndarray, "2 2"]:
        return np.array(self.affine)[:, :2]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorGrid:
    """Pixels of the straightened picture on the detector plane: ``u = X / spacing + cx``, ``v = -Y / spacing + cy``."""

    spacing_mm: float
    width_px: int
    height_px: int
    centre_px: tuple[float, float]
    """The pixel of the detector frame's origin."""

    def __post_init__(self) -> None:
        """Refuse a grid that holds no picture.

        Raises:
            CalibrationError: a spacing or size that is not positive and finite.
        """
        if not (np.isfinite([self.spacing_mm, *self.centre_px]).all() and self.spacing_mm > 0):
            raise CalibrationError(f"pixels of a straightened picture need a size in mm, got {self.spacing_mm}")
        if min(self.width_px, self.height_px) <= 0:
            raise CalibrationError(f"a straightened picture needs a size, not {self.width_px} x {self.height_px} px")

    def mm_from_px(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Points on the detector (mm, y up) under pixels of the straightened picture."""
        away = (np.asarray(pixels, dtype=np.float64) - self.centre_px) * self.spacing_mm
        return away * np.array([1.0, -1.0])

    def px_from_mm(self, points_mm: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Pixels of the straightened picture at points on the detector (mm, y up)."""
        return np.asarray(points_mm, dtype=np.float64) / self.spacing_mm * np.array([1.0, -1.0]) + self.centre_px


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """How a raw picture becomes a straight one: the distortion and the grid it is resampled on."""

    distortion: Distortion
    grid: DetectorGrid

    def straight_from_raw(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Where points of the raw picture (px) lie in the straightened one (px)."""
        return self.grid.px_from_mm(self.distortion.mm_from_px(pixels))

    def raw_from_straight(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Where points of the straightened picture (px) lie in the raw one (px); NaN where nowhere."""
        return self.distortion.px_from_mm(self.grid.mm_from_px(pixels))


def _bicubic_terms(w: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 16"]:
    return np.asarray(np.polynomial.polynomial.polyvander2d(w[:, 0], w[:, 1], (3, 3)))


def total_degree(order: int) -> tuple[tuple[int, int], ...]:
    """Exponents of all terms up to a total degree, lowest first."""
    return tuple((n - j, j) for n in range(order + 1) for j in range(n + 1))


def tensor_bicubic() -> tuple[tuple[int, int], ...]:
    """Exponents (i, j) of ``wx^i wy^j`` for i and j from 0 to 3, j running fastest."""
    return tuple((i, j) for i in range(4) for j in range(4))


def normalising(width_px: int, height_px: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The affine map that takes a picture to [-1, 1] on its longer side, y up."""
    half = 0.5 * max(width_px, height_px)
    centre: Sequence[float] = (0.5 * (width_px - 1), 0.5 * (height_px - 1))
    return ((1.0 / half, 0.0, -centre[0] / half), (0.0, -1.0 / half, centre[1] / half))
