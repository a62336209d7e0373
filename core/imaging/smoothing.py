"""Gaussian smoothing and block averaging of pictures with channels last."""

import math

import numba as nb
import numpy as np
from jaxtyping import Float32, Shaped


def gaussian_kernel(sigma_px: float) -> Float32[np.ndarray, " k"]:
    """Normalised odd kernel reaching 2.5 sigma."""
    reach = max(1, math.ceil(2.5 * sigma_px))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    return (kernel / kernel.sum()).astype(np.float32)


@nb.njit(nogil=True, cache=True, fastmath=True)
def _smooth(picture: np.ndarray, kernel: np.ndarray, between: np.ndarray, out: np.ndarray) -> None:
    height, width, channels = picture.shape
    reach = len(kernel) // 2
    for row in range(height):
        for column in range(width):
            for k in range(channels):
                between[row, column, k] = 0.0
            for j in range(-reach, reach + 1):
                at = min(max(column + j, 0), width - 1)
                weight = kernel[j + reach]
                for k in range(channels):
                    between[row, column, k] += weight * picture[row, at, k]
    for row in range(height):
        out[row] = 0.0
        for j in range(-reach, reach + 1):
            at = min(max(row + j, 0), height - 1)
            weight = kernel[j + reach]
            for column in range(width):
                for k in range(channels):
                    out[row, column, k] += weight * between[at, column, k]


def smooth(picture: Float32[np.ndarray, "h w c"], sigma_px: float) -> Float32[np.ndarray, "h w c"]:
    """Gaussian smoothing with the edge pixels repeated outside."""
    if sigma_px <= 0:
        return picture
    out = np.empty_like(picture)
    _smooth(np.ascontiguousarray(picture), gaussian_kernel(sigma_px), np.empty_like(picture), out)
    return out


@nb.njit(nogil=True, cache=True, fastmath=True)
def _block_sums(picture: np.ndarray, factor: int, out: np.ndarray) -> None:
    for row in range(out.shape[0] * factor):
        line, to = picture[row], out[row // factor]
        for column in range(out.shape[1]):
            total = np.float32(0.0)
            for k in range(factor):
                total += line[column * factor + k]
            to[column] += total


def block_mean(picture: Shaped[np.ndarray, "h w"], factor: int) -> Float32[np.ndarray, "i j"]:
    """Means over ``factor`` x ``factor`` blocks; rows and columns that fill no block are dropped."""
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    cut = picture[: height * factor, : width * factor]
    if factor == 1:
        return cut.astype(np.float32)
    out = np.zeros((height, width), dtype=np.float32)
    _block_sums(np.ascontiguousarray(cut, dtype=np.float32), factor, out)
    out *= np.float32(1.0 / (factor * factor))
    return out
