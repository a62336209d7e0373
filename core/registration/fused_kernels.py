"""Kernels of one view's evaluation: from the bodies' moments to the Gram matrix of image gradients, in one pass.

They compute what ``shadow_features``, ``smooth``, ``pose_derivatives`` and ``normal_equations`` compute one after
the other (those are the plain reference), but only inside the box that a body's shadow can reach, row by row, with
channels in planes so that the processor's vector units can be used. One call is serial and keeps nothing, so results
depend neither on threads nor on what ran before.

A **box** is (left, top, width, height) in pixels of the cut. Empty pixels surround the shadow in it unless the cut
ends there: one for the secants, as many as the smoothing reaches, and one for the differences.
"""

import math

import numba as nb
import numpy as np

from core.rendering.moment_raster import accumulate_faces, project_vertices

_FLAT = np.float32(1e-6)
_ONE, _HALF, _ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)
_FEATURES = 5
_TWISTS = 6
_LINES = _TWISTS + 2
"""Gradients kept of a pixel: six derivatives, the drawn picture, the seen one."""
_OPAQUE = 40.0
"""Optical thickness beyond which nothing changes in single precision."""


@nb.njit(nogil=True, cache=True, error_model="numpy")
def move_vertices(
    vertices_mm: np.ndarray, rotation: np.ndarray, translation_mm: np.ndarray, out: np.ndarray
) -> float:
    """Camera-frame vertices (n, 3); returns the least depth."""
    nearest = np.inf
    for i in range(vertices_mm.shape[0]):
        x, y, z = vertices_mm[i, 0], vertices_mm[i, 1], vertices_mm[i, 2]
        for k in range(3):
            out[i, k] = rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2] * z + translation_mm[k]
        nearest = min(nearest, out[i, 2])
    return nearest


@nb.njit(nogil=True, cache=True, error_model="numpy")
def box_around(bounds: np.ndarray, supersample: int, margin: int, width: int, height: int) -> np.ndarray:
    """The box around fine pixels ``bounds`` = (left, top, right, bottom), ends not included, within the cut."""
    box = np.zeros(4, dtype=np.int64)
    if bounds[2] <= bounds[0] or bounds[3] <= bounds[1]:
        return box
    left = max(bounds[0] // supersample - margin, 0)
    top = max(bounds[1] // supersample - margin, 0)
    right = min(-(-bounds[2] // supersample) + margin, width)
    bottom = min(-(-bounds[3] // supersample) + margin, height)
    if right > left and bottom > top:
        box[0], box[1], box[2], box[3] = left, top, right - left, bottom - top
    return box


@nb.njit(nogil=True, cache=True, error_model="numpy")
def draw_surface(
    vertices_mm: np.ndarray,
    faces: np.ndarray,
    camera_from_world: tuple[np.ndarray, np.ndarray],
    world_from_body: tuple[np.ndarray, np.ndarray],
    depth_mm: float,
    lens: np.ndarray,
    size: tuple[int, int],
    supersample: int,
    margin: int,
    nearest_mm: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Box and moments (h s, w s, 2) of a surface within a cut of ``size`` = (width, height).

    ``lens`` is that of the supersampled grid. The box is empty where nothing is seen and where a vertex is nearer to
    the source than ``nearest_mm``.
    """
    count = vertices_mm.shape[0]
    turn, shift = camera_from_world
    rotation = np.zeros((3, 3))
    translation = np.zeros(3)
    for i in range(3):
        translation[i] = shift[i]
        for k in range(3):
            translation[i] += turn[i, k] * world_from_body[1][k]
            for j in range(3):
                rotation[i, j] += turn[i, k] * world_from_body[0][k, j]
    camera = np.empty((count, 3))
    bounds = np.zeros(4, dtype=np.int64)
    nearest = move_vertices(vertices_mm, rotation, translation, camera)
    if nearest > nearest_mm:
        columns, rows = np.empty(count), np.empty(count)
        ceilings = np.empty((count, 2), dtype=np.int32)
        project_vertices(camera, lens, columns, rows, ceilings)
        bounds[:2] = 1 << 30
        bounds[2:] = -(1 << 30)
        for i in range(count):
            for k in range(2):
                bounds[k] = min(bounds[k], ceilings[i, k])
                bounds[2 + k] = max(bounds[2 + k], ceilings[i, k])
    box = box_around(bounds, supersample, margin, size[0], size[1])
    moments = np.zeros((box[3] * supersample, box[2] * supersample, 2), dtype=np.float32)
    if moments.size:
        inner = lens.copy()
        left, top = box[0] * supersample, box[1] * supersample
        inner[2] -= left
        inner[3] -= top
        for i in range(count):
            columns[i] -= left
            rows[i] -= top
            ceilings[i, 0] -= left
            ceilings[i, 1] -= top
        accumulate_faces(camera, faces, columns, rows, ceilings, inner, depth_mm, moments)
    return box, moments


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _shade_row(path: np.ndarray, shade: np.ndarray) -> None:
    """``exp(-path) - 1`` by series and eight squarings, which keep its relative digits: y -> y (2 + y)."""
    for c in range(path.shape[0]):
        x = -min(path[c], np.float32(_OPAQUE)) * np.float32(1 / 256)
        y = x * (_ONE + x * (_HALF + x * (np.float32(1 / 6) + x * (np.float32(1 / 24) + x * np.float32(1 / 120)))))
        for _ in range(8):
            y *= np.float32(2.0) + y
        shade[c] = y


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _stretch_row(row: int, left: int, lens: np.ndarray, out: np.ndarray) -> None:
    """|(x, y, 1)| of the pixels of a row."""
    y = np.float32((row - lens[3]) / lens[1])
    origin, step = np.float32((left - lens[2]) / lens[0]), np.float32(1.0 / lens[0])
    for c in range(out.shape[0]):
        x = origin + step * np.float32(c)
        out[c] = math.sqrt(_ONE + x * x + y * y)


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _secant_row(path: np.ndarray, path_to: np.ndarray, dark: np.ndarray, dark_to: np.ndarray, out: np.ndarray) -> None:
    for c in range(out.shape[0]):
        step = path_to[c] - path[c]
        flat = abs(step) <= _FLAT
        safe = _ONE if flat else step
        out[c] = -(_ONE + dark[c]) if flat else (dark_to[c] - dark[c]) / safe


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _smooth_row(line: np.ndarray, kernel: np.ndarray, padded: np.ndarray, out: np.ndarray) -> None:
    """One row smoothed with its ends repeated; ``padded`` is room for it."""
    width, reach = line.shape[0], kernel.shape[0] // 2
    for j in range(reach):
        padded[j] = line[0]
        padded[reach + width + j] = line[width - 1]
    for c in range(width):
        padded[reach + c] = line[c]
    first = padded[:width]
    weight = kernel[0]
    for c in range(width):
        out[c] = weight * first[c]
    for j in range(1, kernel.shape[0]):
        shifted = padded[j : j + width]
        weight = kernel[j]
        for c in range(width):
            out[c] += weight * shifted[c]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _smooth_down(plane: np.ndarray, row: int, kernel: np.ndarray, out: np.ndarray) -> None:
    """One row of a plane smoothed along columns, with its ends repeated."""
    reach = kernel.shape[0] // 2
    for j in range(kernel.shape[0]):
        source = plane[min(max(row + j - reach, 0), plane.shape[0] - 1)]
        weight = kernel[j]
        if j == 0:
            for c in range(out.shape[0]):
                out[c] = weight * source[c]
        else:
            for c in range(out.shape[0]):
                out[c] += weight * source[c]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _difference_row(line: np.ndarray, weight: np.ndarray, out: np.ndarray) -> None:
    """Weighted half differences of the neighbours in a row."""
    last = line.shape[0] - 1
    if last == 0:
        out[0] = _ZERO
        return
    before, after, inner, weights = line[: last - 1], line[2:], out[1:last], weight[1:last]
    for c in range(inner.shape[0]):
        inner[c] = _HALF * (after[c] - before[c]) * weights[c]
    out[0] = _HALF * (line[1] - line[0]) * weight[0]
    out[last] = _HALF * (line[last] - line[last - 1]) * weight[last]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _difference_down(above: np.ndarray, below: np.ndarray, weight: np.ndarray, out: np.ndarray) -> None:
    for c in range(out.shape[0]):
        out[c] = _HALF * (below[c] - above[c]) * weight[c]


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    total = _ZERO
    for c in range(a.shape[0]):
        total += a[c] * b[c]
    return total


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _add_dots(lines: np.ndarray, gram: np.ndarray) -> None:
    """Dot products of the twists' lines with each other and with the two pictures' lines."""
    width = lines.shape[1]
    for i in range(_TWISTS):
        a = lines[i]
        for j in range(i, _LINES, 2):
            if j + 1 == _LINES:
                gram[i, j] += _dot(a, lines[j])
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
def _draw_paths(
    moments: np.ndarray,
    starts: np.ndarray,
    boxes: np.ndarray,
    union: tuple[int, int, int, int],
    attenuation_per_mm: np.ndarray,
    lens: np.ndarray,
    s: int,
    path: np.ndarray,
    shade: np.ndarray,
) -> None:
    """Optical thickness and ``exp(-thickness) - 1`` on the fine grid of the union of all boxes."""
    path[:] = _ZERO
    for b in range(boxes.shape[0]):
        width, height = boxes[b, 2] * s, boxes[b, 3] * s
        if width == 0:
            continue
        left, top = (boxes[b, 0] - union[0]) * s, (boxes[b, 1] - union[1]) * s
        mu = np.float32(attenuation_per_mm[b])
        body = moments[starts[b] : starts[b] + 2 * width * height].reshape((height, width, 2))
        for r in range(height):
            to, row = path[top + r, left : left + width], body[r]
            for c in range(width):
                to[c] += mu * row[c, 0]
    stretch = np.empty(path.shape[1], dtype=np.float32)
    for r in range(path.shape[0]):
        _stretch_row(union[1] * s + r, union[0] * s, lens, stretch)
        row = path[r]
        for c in range(row.shape[0]):
            row[c] *= stretch[c]
        _shade_row(row, shade[r])


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _draw_picture(shade: np.ndarray, s: int, kernel: np.ndarray, out: np.ndarray) -> None:
    """The shadow: block means of the shade, smoothed."""
    height, width = out.shape
    across = np.empty((height, width), dtype=np.float32)
    line = np.empty(width, dtype=np.float32)
    padded = np.empty(width + kernel.shape[0], dtype=np.float32)
    share = np.float32(1.0 / (s * s))
    for r in range(height):
        if s == 1:
            _smooth_row(shade[r], kernel, padded, across[r])
            continue
        line[:] = _ZERO
        for k in range(s):
            fine = shade[r * s + k]
            for j in range(s):
                for c in range(width):
                    line[c] += share * fine[c * s + j]
        _smooth_row(line, kernel, padded, across[r])
    for r in range(height):
        _smooth_down(across, r, kernel, out[r])


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
        _difference_row(here, kept[r], slope[0, r])
        _difference_down(above, below, kept[r], slope[1, r])
        for k in range(2):
            line = slope[k, r]
            gram[0, 0] += _dot(line, line)
            gram[0, gram.shape[0] - 1] += _dot(line, target[k, top + r, left : left + width])


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _draw_features(
    body: np.ndarray,
    path: np.ndarray,
    shade: np.ndarray,
    corner: tuple[int, int],
    attenuation_per_mm: float,
    depth_mm: float,
    lens: np.ndarray,
    s: int,
    kernel: np.ndarray,
    features: np.ndarray,
) -> None:
    """Five features (5, h, w) of one body, smoothed along rows; ``path`` and ``shade`` are cut to its box.

    A flux is a secant times the step of a moment from one pixel to the next; a feature is the mean of the two
    fluxes around a pixel. ``corner`` is the box's (left, top) on the fine grid.
    """
    high, wide = path.shape
    width = features.shape[2]
    share = np.float32(1.0 / (s * s))
    stretch = np.empty(wide, dtype=np.float32)
    secant = np.empty(wide, dtype=np.float32)
    here = np.empty((2, wide), dtype=np.float32)
    below = np.empty((2, wide), dtype=np.float32)
    across = np.zeros((2, wide + 1), dtype=np.float32)
    from_above = np.zeros((2, wide), dtype=np.float32)
    to_below = np.zeros((2, wide), dtype=np.float32)
    fine = np.empty((_FEATURES, wide), dtype=np.float32)
    lines = np.zeros((_FEATURES, width), dtype=np.float32)
    padded = np.empty(width + kernel.shape[0], dtype=np.float32)
    mu_share = np.float32(attenuation_per_mm) * share
    half_fx, half_fy = np.float32(0.5 * lens[0]), np.float32(0.5 * lens[1])
    inverse_depth = np.float32(1.0 / depth_mm)
    first = body[0]
    for c in range(wide):
        below[0, c] = first[c, 0]
        below[1, c] = first[c, 1] * inverse_depth
    for r in range(high):
        here, below = below, here
        from_above, to_below = to_below, from_above
        if r + 1 < high:
            row = body[r + 1]
            for c in range(wide):
                below[0, c] = row[c, 0]
                below[1, c] = row[c, 1] * inverse_depth
            _secant_row(path[r], path[r + 1], shade[r], shade[r + 1], secant)
            for k in range(2):
                flux, one, two = to_below[k], here[k], below[k]
                for c in range(wide):
                    flux[c] = secant[c] * (two[c] - one[c])
        else:
            to_below[:] = _ZERO
        inner = secant[: wide - 1]
        _secant_row(path[r, : wide - 1], path[r, 1:], shade[r, : wide - 1], shade[r, 1:], inner)
        for k in range(2):
            flux, one, two = across[k, 1:wide], here[k, : wide - 1], here[k, 1:]
            for c in range(wide - 1):
                flux[c] = inner[c] * (two[c] - one[c])
        _stretch_row(corner[1] + r, corner[0], lens, stretch)
        dark = shade[r]
        for k in range(2):
            level, upright, before, after = fine[2 * k], fine[2 * k + 1], across[k, :wide], across[k, 1:]
            up, down = from_above[k], to_below[k]
            for c in range(wide):
                scale = mu_share * stretch[c]
                level[c] = half_fx * scale * (before[c] + after[c])
                upright[c] = half_fy * scale * (up[c] + down[c])
        thick, mass = fine[4], here[0]
        for c in range(wide):
            thick[c] = -mu_share * stretch[c] * (_ONE + dark[c]) * mass[c]
        for f in range(_FEATURES):
            if s == 1:
                _smooth_row(fine[f], kernel, padded, features[f, r])
                continue
            line, source = lines[f], fine[f]
            for j in range(s):
                for c in range(width):
                    line[c] += source[c * s + j]
            if (r + 1) % s == 0:
                _smooth_row(line, kernel, padded, features[f, r // s])
                line[:] = _ZERO


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
def _derivative_row(
    features: np.ndarray, row: int, corner: tuple[int, int], lens: np.ndarray, pivot_mm: np.ndarray, out: np.ndarray
) -> None:
    """Derivatives (6, w) of one row from its five smoothed features (5, w); see core.rendering.shadow."""
    y = np.float32((corner[1] + row - lens[3]) / lens[1])
    origin, step = np.float32((corner[0] - lens[2]) / lens[0]), np.float32(1.0 / lens[0])
    px, py, pz = np.float32(pivot_mm[0]), np.float32(pivot_mm[1]), np.float32(pivot_mm[2])
    inverse = _ONE / pz
    gxs, gys, hxs, hys, thicks = features[0], features[1], features[2], features[3], features[4]
    o0, o1, o2, o3, o4, o5 = out[0], out[1], out[2], out[3], out[4], out[5]
    for c in range(gxs.shape[0]):
        x = origin + step * np.float32(c)
        gx, gy, thick = gxs[c], gys[c], thicks[c]
        vx = -(gx - hxs[c]) * inverse
        vy = -(gy - hys[c]) * inverse
        vz = -(x * vx + y * vy)
        o0[c] = vx
        o1[c] = vy
        o2[c] = vz
        o3[c] = x * y * gx + (_ONE + y * y) * gy + y * thick - (py * vz - pz * vy)
        o4[c] = -(_ONE + x * x) * gx - x * y * gy - x * thick - (pz * vx - px * vz)
        o5[c] = y * gx - x * gy - (px * vy - py * vx)


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
                _smooth_down(features[f], ready, kernel, smoothed[f])
            _derivative_row(smoothed, ready, corner, lens, pivot_mm, rows[ready % 3])
            ready += 1
        here, above, below = rows[r % 3], rows[max(r - 1, 0) % 3], rows[min(r + 1, height - 1) % 3]
        weight = kept[inside[1] + r, inside[0] : inside[0] + width]
        lines = gradients[r]
        for k in range(_TWISTS):
            _difference_row(here[k], weight, lines[k, :width])
            _difference_down(above[k], below[k], weight, lines[k, width:])
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
                    gram[i, j] += _dot(one, b[row - box_b[1], j, at_b : at_b + right - left])


@nb.njit(nogil=True, cache=True, error_model="numpy")
def gradient_gram(
    moments: np.ndarray,
    starts: np.ndarray,
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
        starts: where each body's begin.
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
    s, width, height = supersample, union[2], union[3]
    if width == 0 or height == 0:
        return gram
    path = np.empty((height * s, width * s), dtype=np.float32)
    shade = np.empty((height * s, width * s), dtype=np.float32)
    _draw_paths(moments, starts, boxes, union, attenuation_per_mm, fine_lens, s, path, shade)
    picture = np.empty((height, width), dtype=np.float32)
    _draw_picture(shade, s, kernel, picture)
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
        _draw_features(
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
