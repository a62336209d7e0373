"""Kernels of one view's evaluation: from the bodies' moments to the Gram matrix of image gradients, in one pass.

They compute what ``shadow_features``, ``smooth``, ``pose_derivatives`` and ``normal_equations`` compute one after
the other (those are the plain reference), but only inside the box that a body's shadow can reach, row by row, with
channels in planes so that the processor's vector units can be used. One call is serial and keeps nothing, so results
depend neither on threads nor on what ran before.
"""

import math

import numba as nb
import numpy as np

from core.rendering.boxed_shadow import derivative_row, draw_features, draw_paths, draw_picture
from core.rendering.picture_rows import difference_down, difference_row, dot, smooth_down

_ZERO = np.float32(0.0)
_FEATURES = 5
_TWISTS = 6
_LINES = _TWISTS + 2
"""Gradients kept of a pixel: six derivatives, the drawn picture, the seen one."""


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _add_dots(lines: np.ndarray, gram: np.ndarray) -> None:
    """Dot products of the twists' lines with each other and with the two pictures' lines."""
    width = lines.shape[1]
    for i in range(_TWISTS):
        a = lines[i]
        for j in range(i, _LINES, 2):
            if j + 1 == _LINES:
                gram[i, j] += dot(a, lines[j])
                continue
            b, b_next = lines[j], lines[j + 1]
            total, total_next = _ZERO, _ZERO
            for c in range(width):
                total += a[c] * b[c]
                total_next += a[c] * b_next[c]
            gram[i, j] += total
            gram[i, j + 1] += total_next


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _union(boxes: np.ndarray) -> tuple[int, int, int, int]:
    left, top, right, bottom = 1 << 30, 1 << 30, 0, 0
    for b in range(boxes.shape[0]):
        if boxes[b, 2] > 0:
            left, top = min(left, boxes[b, 0]), min(top, boxes[b, 1])
            right, bottom = max(right, boxes[b, 0] + boxes[b, 2]), max(bottom, boxes[b, 1] + boxes[b, 3])
    return left, top, max(right - left, 0), max(bottom - top, 0)


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _picture_gradients(
    picture: np.ndarray,
    weight: np.ndarray,
    target: np.ndarray,
    union: tuple[int, int, int, int],
    gram: np.ndarray,
    slope: np.ndarray,
    kept: np.ndarray,
) -> None:
    """Weighted gradients (2, h, w) of the drawn picture, the weights kept, and the sums with picture and target.

    Pixels around which nothing is drawn keep no weight, as in the reference.
    """
    height, width = picture.shape
    left, top = union[0], union[1]
    for r in range(height):
        here, above, below = picture[r], picture[max(r - 1, 0)], picture[min(r + 1, height - 1)]
        given = weight[top + r, left : left + width]
        for c in range(width):
            before, after = max(c - 1, 0), min(c + 1, width - 1)
            empty = here[before] == _ZERO and here[after] == _ZERO and above[c] == _ZERO and below[c] == _ZERO
            kept[r, c] = _ZERO if empty else given[c]
        difference_row(here, kept[r], slope[0, r])
        difference_down(above, below, kept[r], slope[1, r])
        for k in range(2):
            line = slope[k, r]
            gram[0, 0] += dot(line, line)
            gram[0, gram.shape[0] - 1] += dot(line, target[k, top + r, left : left + width])


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _body_gradients(
    features: np.ndarray,
    corner: tuple[int, int],
    inside: tuple[int, int],
    lens: np.ndarray,
    pivot_mm: np.ndarray,
    kernel: np.ndarray,
    kept: np.ndarray,
    slope: np.ndarray,
    target: np.ndarray,
    gradients: np.ndarray,
    gram: np.ndarray,
) -> None:
    """Weighted gradients (h, 8, 2 w) of the derivatives, the drawn picture and the seen one; their sums (8, 8).

    ``corner`` is the box's (left, top) in the cut, ``inside`` in the union of boxes.
    """
    _, height, width = features.shape
    smoothed = np.empty((_FEATURES, width), dtype=np.float32)
    rows = np.empty((3, _TWISTS, width), dtype=np.float32)
    part = np.zeros((_LINES, _LINES), dtype=np.float32)
    ready = 0
    for r in range(height):
        while ready <= min(r + 1, height - 1):
            for f in range(_FEATURES):
                smooth_down(features[f], ready, kernel, smoothed[f])
            derivative_row(smoothed, ready, corner, lens, pivot_mm, rows[ready % 3])
            ready += 1
        here, above, below = rows[r % 3], rows[max(r - 1, 0) % 3], rows[min(r + 1, height - 1) % 3]
        weight = kept[inside[1] + r, inside[0] : inside[0] + width]
        lines = gradients[r]
        for k in range(_TWISTS):
            difference_row(here[k], weight, lines[k, :width])
            difference_down(above[k], below[k], weight, lines[k, width:])
        for k in range(2):
            lines[6, k * width : (k + 1) * width] = slope[k, inside[1] + r, inside[0] : inside[0] + width]
            lines[7, k * width : (k + 1) * width] = target[k, corner[1] + r, corner[0] : corner[0] + width]
        part[:] = _ZERO
        _add_dots(lines, part)
        for i in range(_TWISTS):
            for j in range(i, _LINES):
                gram[i, j] += part[i, j]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _add_cross(a: np.ndarray, box_a: np.ndarray, b: np.ndarray, box_b: np.ndarray, gram: np.ndarray) -> None:
    """Sums of the products of two bodies' gradients where their boxes overlap; to a (6, 6) part."""
    left, top = max(box_a[0], box_b[0]), max(box_a[1], box_b[1])
    right = min(box_a[0] + box_a[2], box_b[0] + box_b[2])
    bottom = min(box_a[1] + box_a[3], box_b[1] + box_b[3])
    if right <= left:
        return
    for row in range(top, bottom):
        for k in range(2):
            at_a, at_b = k * box_a[2] + left - box_a[0], k * box_b[2] + left - box_b[0]
            for i in range(_TWISTS):
                one = a[row - box_a[1], i, at_a : at_a + right - left]
                for j in range(_TWISTS):
                    gram[i, j] += dot(one, b[row - box_b[1], j, at_b : at_b + right - left])


@nb.njit(nogil=True, cache=True, error_model="numpy")
def gradient_gram(
    moments: np.ndarray,
    boxes: np.ndarray,
    free: np.ndarray,
    attenuation_per_mm: np.ndarray,
    pivots_camera_mm: np.ndarray,
    lens: np.ndarray,
    fine_lens: np.ndarray,
    supersample: int,
    kernel: np.ndarray,
    weight: np.ndarray,
    target: np.ndarray,
) -> np.ndarray:
    """Gram matrix of the weighted gradients of [drawn picture, twists of the free bodies, target].

    Args:
        moments: all bodies' moments (h s, w s, 2), float32, one after the other in one line.
        boxes: of each body (bodies, 4); a body without width is not seen.
        free: indices of the bodies whose derivatives are wanted.
        attenuation_per_mm: of each body.
        pivots_camera_mm: (bodies, 3); a pivot's depth is its body's z0.
        lens: (fx, fy, cx, cy) of the cut.
        fine_lens: the same of the supersampled cut.
        supersample: fine pixels a pixel's side.
        kernel: of the smoothing, odd; one number for none.
        weight: root of each pixel's weight (h, w).
        target: gradients of the seen picture times ``weight`` (2, h, w).

    Returns:
        (2 + 6 free) square and symmetric, float64; without the target's own energy, which is known.
    """
    size = 2 + _TWISTS * free.shape[0]
    gram = np.zeros((size, size))
    union = _union(boxes)
    starts = np.zeros(boxes.shape[0] + 1, dtype=np.int64)
    for b in range(boxes.shape[0]):
        starts[b + 1] = starts[b] + 2 * boxes[b, 2] * boxes[b, 3] * supersample * supersample
    s, width, height = supersample, union[2], union[3]
    if width == 0 or height == 0:
        return gram
    path = np.empty((height * s, width * s), dtype=np.float32)
    shade = np.empty((height * s, width * s), dtype=np.float32)
    draw_paths(moments, starts, boxes, union, attenuation_per_mm, fine_lens, s, path, shade)
    picture = np.empty((height, width), dtype=np.float32)
    draw_picture(shade, s, kernel, picture)
    slope = np.empty((2, height, width), dtype=np.float32)
    kept = np.empty((height, width), dtype=np.float32)
    _picture_gradients(picture, weight, target, union, gram, slope, kept)
    begins = np.zeros(free.shape[0] + 1, dtype=np.int64)
    for f in range(free.shape[0]):
        begins[f + 1] = begins[f] + boxes[free[f], 3] * _LINES * 2 * boxes[free[f], 2]
    gradients = np.empty(begins[-1], dtype=np.float32)
    for f in range(free.shape[0]):
        b = free[f]
        left, top, wide, high = boxes[b, 0], boxes[b, 1], boxes[b, 2], boxes[b, 3]
        if wide == 0:
            continue
        x, y = left - union[0], top - union[1]
        features = np.empty((_FEATURES, high, wide), dtype=np.float32)
        draw_features(
            moments[starts[b] : starts[b] + 2 * wide * high * s * s].reshape((high * s, wide * s, 2)),
            path[y * s : (y + high) * s, x * s : (x + wide) * s],
            shade[y * s : (y + high) * s, x * s : (x + wide) * s],
            (left * s, top * s),
            attenuation_per_mm[b],
            pivots_camera_mm[b, 2],
            fine_lens,
            s,
            kernel,
            features,
        )
        own = gradients[begins[f] : begins[f + 1]].reshape((high, _LINES, 2 * wide))
        sums = np.zeros((_LINES, _LINES))
        _body_gradients(
            features, (left, top), (x, y), lens, pivots_camera_mm[b], kernel, kept, slope, target, own, sums
        )
        at = 1 + _TWISTS * f
        for i in range(_TWISTS):
            gram[at + i, at : at + _TWISTS] = sums[i, :_TWISTS]
            gram[0, at + i] = sums[i, _TWISTS]
            gram[at + i, size - 1] = sums[i, _TWISTS + 1]
        for g in range(f):
            other = boxes[free[g]]
            if other[2] > 0:
                theirs = gradients[begins[g] : begins[g + 1]].reshape((other[3], _LINES, 2 * other[2]))
                back = 1 + _TWISTS * g
                _add_cross(theirs, other, own, boxes[b], gram[back : back + _TWISTS, at : at + _TWISTS])
    for i in range(size):
        for j in range(i):
            gram[i, j] = gram[j, i]
    return gram


@nb.njit(nogil=True, cache=True, error_model="numpy")
def equations_in_world(
    gram: np.ndarray, energy: float, camera_from_world: np.ndarray
) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Cost, correlation, hessian and right side in twists along the world's axes, with the gain eliminated.

    As ``normal_equations`` has them, from the Gram matrix (with something drawn) and the target's energy.
    """
    unknowns = gram.shape[0] - 2
    mm, mt = gram[0, 0], gram[0, unknowns + 1]
    gain = mt / mm
    camera = np.empty((unknowns, unknowns))
    pull = np.empty(unknowns)
    for i in range(unknowns):
        pull[i] = gain * (gram[1 + i, unknowns + 1] - gram[0, 1 + i] / mm * mt) / energy
        for j in range(unknowns):
            camera[i, j] = gain**2 * (gram[1 + i, 1 + j] - gram[0, 1 + i] * gram[0, 1 + j] / mm) / energy
    rhs = np.zeros(unknowns)
    half = np.zeros((unknowns, unknowns))
    hessian = np.zeros((unknowns, unknowns))
    for i in range(unknowns):
        block, axis = 3 * (i // 3), i % 3
        for k in range(3):
            turn = camera_from_world[k, axis]
            rhs[i] += turn * pull[block + k]
            for j in range(unknowns):
                half[i, j] += turn * camera[block + k, j]
    for j in range(unknowns):
        block, axis = 3 * (j // 3), j % 3
        for k in range(3):
            for i in range(unknowns):
                hessian[i, j] += half[i, block + k] * camera_from_world[k, axis]
    explained = mt * mt / mm / energy
    correlation = math.copysign(math.sqrt(max(explained, 0.0)), mt)
    return 1.0 - explained + (1.0 if gain < 0 else 0.0), correlation, hessian, rhs
