"""Correlation of image gradients, its cost, and the normal equations of its Gauss-Newton step.

For the gradients m of the drawn picture and t of the seen one (both components stacked, over the pixels
that count) the best gain is g = m.t / m.m and the cost is ``1 - r^2 = |t - g m|^2 / |t|^2`` with the
correlation ``r = m.t / (|m| |t|)``. A negative gain (bright metal) costs one more.
"""

from dataclasses import dataclass
from typing import final

import numba as nb
import numpy as np
from jaxtyping import Bool, Float, Float32

FEWEST_PIXELS = 50
"""With fewer pixels nothing is compared."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalEquations:
    """Cost of one view and its quadratic model: ``cost(x) ~ cost - 2 rhs.x + x.hessian.x``."""

    cost: float
    correlation: float
    hessian: Float[np.ndarray, "k k"]
    rhs: Float[np.ndarray, " k"]
    pixels: int
    """Number of pixels compared; 0 where the view says nothing."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """Gradients of the seen picture with the pixels that count."""

    gradient: Float32[np.ndarray, "h w 2"]
    counts: Bool[np.ndarray, "h w"]
    energy: float
    pixels: int


def target_of(
    picture: Float32[np.ndarray, "h w"], counts: Bool[np.ndarray, "h w"], clip_quantile: float | None = None
) -> Target:
    """Prepare the seen picture; with a quantile, gradients beyond it are softly clipped.

    Clipping keeps the strong edges of skin and air from drowning the implant at coarse levels.
    """
    gradient = central_differences(np.ascontiguousarray(picture[..., None]))[..., 0]
    if clip_quantile is not None and counts.any():
        length = np.sqrt((gradient**2).sum(axis=-1, keepdims=True))
        limit = np.quantile(length[counts], clip_quantile) + 1e-6
        gradient = gradient * (limit / np.sqrt(limit**2 + length**2))
    gradient = np.ascontiguousarray(gradient, dtype=np.float32)
    energy = float((gradient[counts].astype(np.float64) ** 2).sum())
    return Target(gradient=gradient, counts=counts, energy=energy, pixels=int(counts.sum()))


def central_differences(picture: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "h w 2 c"]:
    """Half the difference of the two neighbours along columns (0) and rows (1); edges repeat."""
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
    across = 0.5 * (padded[1:-1, 2:] - padded[1:-1, :-2])
    along = 0.5 * (padded[2:, 1:-1] - padded[:-2, 1:-1])
    return np.stack([across, along], axis=2)


@nb.njit(nogil=True, cache=True, fastmath=True)
def _add_outer(line: np.ndarray, used: int, part: np.ndarray) -> None:
    for i in range(used):
        value = line[i]
        for j in range(part.shape[1]):
            part[i, j] += value * line[j]


@nb.njit(nogil=True, cache=True, fastmath=True)
def _gram(drawn: np.ndarray, target: np.ndarray, counts: np.ndarray, gram: np.ndarray) -> None:
    """Sum of outer products of [gradient of each drawn channel, target] over the counted pixels.

    Channel 0 is the picture itself; pixels around which nothing is drawn add only to the target's own
    energy, which is known, and are passed over. Sums are float32 in a row, float64 over rows.
    """
    height, width, channels = drawn.shape
    line = np.zeros(gram.shape[0], dtype=np.float32)
    part = np.zeros(gram.shape, dtype=np.float32)
    half = np.float32(0.5)
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        part[:] = 0.0
        for column in range(width):
            left, right = drawn[row, max(column - 1, 0)], drawn[row, min(column + 1, width - 1)]
            up, down = drawn[above, column], drawn[below, column]
            empty = left[0] == 0.0 and right[0] == 0.0 and up[0] == 0.0 and down[0] == 0.0
            if empty or not counts[row, column]:
                continue
            for k in range(channels):
                line[k] = half * (right[k] - left[k])
            line[channels] = target[row, column, 0]
            _add_outer(line, channels + 1, part)
            for k in range(channels):
                line[k] = half * (down[k] - up[k])
            line[channels] = target[row, column, 1]
            _add_outer(line, channels + 1, part)
        for i in range(channels + 1):
            for j in range(channels + 1):
                gram[i, j] += part[i, j]


def says_nothing(parameters: int) -> NormalEquations:
    """Of a view in which nothing can be compared."""
    return NormalEquations(
        cost=1.0,
        correlation=0.0,
        hessian=np.zeros((parameters, parameters)),
        rhs=np.zeros(parameters),
        pixels=0,
    )


def normal_equations(drawn: Float32[np.ndarray, "h w c"], target: Target) -> NormalEquations:
    """Cost and Gauss-Newton system of one view.

    ``drawn`` holds the drawn picture in channel 0 and its derivatives with respect to the parameters
    in the others. The gain is eliminated (variable projection).
    """
    parameters = drawn.shape[-1] - 1
    if target.pixels < FEWEST_PIXELS or target.energy <= 0:
        return says_nothing(parameters)
    padded = 4 * -(-(parameters + 2) // 4)
    gram = np.zeros((padded, padded))
    _gram(drawn, target.gradient, target.counts, gram)
    mm, mt = gram[0, 0], gram[0, parameters + 1]
    if mm <= 0:
        return says_nothing(parameters)
    inner = slice(1, parameters + 1)
    gain = mt / mm
    pull = gram[0, inner] / mm
    hessian = gain**2 * (gram[inner, inner] - mm * np.outer(pull, pull)) / target.energy
    rhs = gain * (gram[inner, parameters + 1] - pull * mt) / target.energy
    explained = mt * mt / mm / target.energy
    return NormalEquations(
        cost=float(1.0 - explained + (1.0 if gain < 0 else 0.0)),
        correlation=float(np.sign(mt) * np.sqrt(max(explained, 0.0))),
        hessian=hessian,
        rhs=rhs,
        pixels=target.pixels,
    )
