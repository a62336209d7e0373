"""Gram matrices of gradients on a Warp device, for many pictures at once (see core.similarity.gradient_correlation)."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.func
def slope(
    drawn: wp.array4d(dtype=float),
    target: wp.array4d(dtype=float),
    item: int,
    row: int,
    column: int,
    size: wp.vec2i,
    channel: int,
    axis: int,
) -> float:
    """Half the difference of a channel's neighbours along columns (axis 0) or rows; the last one is the target."""
    if channel == drawn.shape[3]:
        return target[item, row, column, axis]
    if axis == 0:
        right = drawn[item, row, wp.min(column + 1, size[1] - 1), channel]
        return 0.5 * (right - drawn[item, row, wp.max(column - 1, 0), channel])
    below = drawn[item, wp.min(row + 1, size[0] - 1), column, channel]
    return 0.5 * (below - drawn[item, wp.max(row - 1, 0), column, channel])


@wp.kernel
def add_gram(
    drawn: wp.array4d(dtype=float),
    target: wp.array4d(dtype=float),
    counts: wp.array3d(dtype=wp.uint8),
    sizes: wp.array(dtype=wp.vec2i),
    active: wp.array(dtype=int),
    entries: wp.array(dtype=wp.vec2i),
    strips: int,
    gram: wp.array3d(dtype=wp.float64),
):
    """Add the products of two channels' gradients over every ``strips``-th row; float32 in a row, float64 over rows."""
    item, strip, entry = wp.tid()
    if active[item] == 0:
        return
    size = sizes[item]
    i, j = entries[entry][0], entries[entry][1]
    total = wp.float64(0.0)
    row = strip
    while row < size[0]:
        above, below = wp.max(row - 1, 0), wp.min(row + 1, size[0] - 1)
        part = float(0.0)
        for column in range(size[1]):
            if counts[item, row, column] != wp.uint8(0):
                left, right = wp.max(column - 1, 0), wp.min(column + 1, size[1] - 1)
                if (
                    drawn[item, row, left, 0] != 0.0
                    or drawn[item, row, right, 0] != 0.0
                    or drawn[item, above, column, 0] != 0.0
                    or drawn[item, below, column, 0] != 0.0
                ):
                    for axis in range(2):
                        one = slope(drawn, target, item, row, column, size, i, axis)
                        part += one * slope(drawn, target, item, row, column, size, j, axis)
        total += wp.float64(part)
        row += strips
    wp.atomic_add(gram, item, i, j, total)
