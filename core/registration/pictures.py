"""What every level of a registration needs of a picture, computed once."""

import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import final

import numba as nb
import numpy as np
from jaxtyping import Bool, Float32

from core.geometry.view import View
from core.imaging.field_of_view import distance_to_edge_px
from core.imaging.smoothing import block_mean
from core.registration.values import Problem, Shot

_DARKEST_SHARE = 4 / 255
"""Intensities below this share of white are noise to the logarithm."""
_LOG_SCALE = 60.0
_WHITE_PERCENT = 99.5
_SAMPLED = 50_000
"""Pixels from which white is found."""
_EDGES_KEPT = 4
"""Masks whose distances are kept: those of a trial's views are the same in all frames."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """What every level of one problem needs of a shot, computed once."""

    view: View
    logarithm: Float32[np.ndarray, "h w"]
    edge_distance_px: Float32[np.ndarray, "h w"]
    _means: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    def mean_of_blocks(self, factor: int) -> Float32[np.ndarray, "i j"]:
        """The logarithm averaged over blocks, halved step by step where the factor is even; kept."""
        if factor == 1:
            return self.logarithm
        known = self._means.get(factor)
        if known is None:
            even = factor % 2 == 0
            known = block_mean(self.mean_of_blocks(factor // 2 if even else 1), 2 if even else factor)
            self._means[factor] = known
        return known

    @classmethod
    def of(cls, shot: Shot) -> "Pictures":
        """Logarithm of the intensity and the distance of each pixel from the image circle's edge."""
        known = _PREPARED.get(shot)
        if known is None:
            known = cls(
                view=shot.view,
                logarithm=log_intensity(shot.image, shot.usable),
                edge_distance_px=_edge_distance_px(shot.usable),
            )
            _PREPARED[shot] = known
        return known


_PREPARED: weakref.WeakKeyDictionary[Shot, Pictures] = weakref.WeakKeyDictionary()


def pictures_of(problem: Problem) -> tuple[Pictures, ...]:
    """The prepared pictures of all shots."""
    return tuple(Pictures.of(shot) for shot in problem.shots)


def log_intensity(image: np.ndarray, usable: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Logarithm of intensity over the darkest signal, which turns shadows that multiply into sums."""
    darkest = max(_white(image, usable) * _DARKEST_SHARE, 1e-6)
    if image.dtype in (np.uint8, np.uint16):
        table = _logarithm(np.arange(np.iinfo(image.dtype).max + 1, dtype=np.float32), darkest)
        out = np.empty(image.shape, dtype=np.float32)
        _look_up(np.ascontiguousarray(image).reshape(-1), table, out.reshape(-1))
        return out
    return _logarithm(np.asarray(image, dtype=np.float32), darkest)


def _logarithm(intensity: np.ndarray, darkest: float) -> np.ndarray:
    return np.asarray(_LOG_SCALE * np.log(np.maximum(intensity, darkest) / darkest), dtype=np.float32)


def _white(image: np.ndarray, usable: Bool[np.ndarray, "h w"]) -> float:
    count = int(np.count_nonzero(usable))
    if count == 0:
        sample = image.reshape(-1)[:: max(1, image.size // _SAMPLED)]
    else:
        every = max(1, count // _SAMPLED)
        sample = np.empty(-(-count // every), dtype=image.dtype)
        _take_every(np.ascontiguousarray(image).reshape(-1), np.ascontiguousarray(usable).reshape(-1), every, sample)
    return float(np.percentile(sample.astype(np.float32), _WHITE_PERCENT))


@nb.njit(nogil=True, cache=True)
def _look_up(image: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    for i in range(image.shape[0]):
        out[i] = table[image[i]]


@nb.njit(nogil=True, cache=True)
def _take_every(image: np.ndarray, usable: np.ndarray, every: int, out: np.ndarray) -> None:
    """Each ``every``-th of the usable pixels."""
    left, at = 0, 0
    for i in range(image.shape[0]):
        if usable[i]:
            if left == 0:
                out[at] = image[i]
                at += 1
                left = every
            left -= 1


_EDGES: OrderedDict[tuple[tuple[int, ...], bytes], np.ndarray] = OrderedDict()
_EDGES_LOCK = Lock()


def _edge_distance_px(usable: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """As ``distance_to_edge_px``; the few masks seen last are remembered, by what is in them."""
    key = (usable.shape, usable.tobytes())
    with _EDGES_LOCK:
        known = _EDGES.get(key)
        if known is not None:
            _EDGES.move_to_end(key)
            return known
    distance = distance_to_edge_px(usable)
    distance.flags.writeable = False
    with _EDGES_LOCK:
        _EDGES[key] = distance
        while len(_EDGES) > _EDGES_KEPT:
            _EDGES.popitem(last=False)
    return distance
