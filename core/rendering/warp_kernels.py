"""The fast renderer as NVIDIA Warp kernels: one source for CUDA and, as a check, for the CPU.

The same mathematics as core.rendering.moment_raster and core.rendering.shadow, for many pictures at once. An
*item* is one view of one frame (or hypothesis); items share meshes but have their own cut, lens and poses. All
depths are relative to the body's pivot. Vertices and edges are float64 and pictures float32, as on the CPU.
Import this module only after ``warp_device.warp()``: it needs Warp.
"""

import warp as wp

# Nothing is differentiated through the kernels: half the code to compile.
wp.set_module_options({"enable_backward": False})


@wp.func
def crossing(one: wp.vec2d, other: wp.vec2d, row: wp.float64) -> wp.float64:
    """Column at which an edge crosses a row, always from its upper vertex: the same for both its faces."""
    if one[1] <= other[1]:
        return one[0] + (row - one[1]) * ((other[0] - one[0]) / (other[1] - one[1]))
    return other[0] + (row - other[1]) * ((one[0] - other[0]) / (one[1] - other[1]))


@wp.func
def fine_lens(lens: wp.vec4d, supersample: int) -> wp.vec4d:
    """The lens (fx, fy, cx, cy) of the supersampled grid."""
    s = wp.float64(supersample)
    half = wp.float64(0.5)
    return wp.vec4d(lens[0] * s, lens[1] * s, (lens[2] + half) * s - half, (lens[3] + half) * s - half)


@wp.func
def rounded_lens(lens: wp.vec4d, supersample: int) -> wp.vec4:
    """The same in float32."""
    fine = fine_lens(lens, supersample)
    return wp.vec4(float(fine[0]), float(fine[1]), float(fine[2]), float(fine[3]))


@wp.func
def rounded(point: wp.vec3d) -> wp.vec3:
    """A point in float32."""
    return wp.vec3(float(point[0]), float(point[1]), float(point[2]))


@wp.kernel
def project(
    vertices: wp.array(dtype=wp.vec3d),
    body: int,
    rotations: wp.array2d(dtype=wp.mat33d),
    pivots: wp.array2d(dtype=wp.vec3d),
    lenses: wp.array(dtype=wp.vec4d),
    active: wp.array(dtype=int),
    supersample: int,
    positions: wp.array2d(dtype=wp.vec3d),
    pixels: wp.array2d(dtype=wp.vec2d),
):
    """Vertices (about the pivot, body axes) to camera axes about the pivot, and to fine pixels."""
    item, vertex = wp.tid()
    if active[item] == 0:
        return
    at = rotations[item, body] * vertices[vertex]
    pivot = pivots[item, body]
    lens = fine_lens(lenses[item], supersample)
    z = pivot[2] + at[2]
    positions[item, vertex] = at
    pixels[item, vertex] = wp.vec2d(
        lens[0] * (pivot[0] + at[0]) / z + lens[2], lens[1] * (pivot[1] + at[1]) / z + lens[3]
    )


@wp.kernel
def draw_faces(
    faces: wp.array(dtype=wp.vec3i),
    body: int,
    bodies: int,
    positions: wp.array2d(dtype=wp.vec3d),
    pixels: wp.array2d(dtype=wp.vec2d),
    pivots: wp.array2d(dtype=wp.vec3d),
    lenses: wp.array(dtype=wp.vec4d),
    sizes: wp.array(dtype=wp.vec2i),
    active: wp.array(dtype=int),
    supersample: int,
    lanes: int,
    moments: wp.array4d(dtype=float),
):
    """Add each face's moments; ``lanes`` threads a face take its rows in turn."""
    item, face, lane = wp.tid()
    if active[item] == 0:
        return
    corner = faces[face]
    a, b, c = pixels[item, corner[0]], pixels[item, corner[1]], pixels[item, corner[2]]
    height = sizes[item][0] * supersample
    width = sizes[item][1] * supersample
    first = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])))), 0)
    last = wp.min(int(wp.ceil(wp.max(a[1], wp.max(b[1], c[1])))), height)
    if first >= last:
        return
    if wp.max(a[0], wp.max(b[0], c[0])) < wp.float64(0.0) or wp.min(a[0], wp.min(b[0], c[0])) > wp.float64(width - 1):
        return
    pivot = pivots[item, body]
    pa, pb, pc = positions[item, corner[0]], positions[item, corner[1]], positions[item, corner[2]]
    nearest = wp.min(pa[2], wp.min(pb[2], pc[2]))
    farthest = wp.max(pa[2], wp.max(pb[2], pc[2]))
    if pivot[2] + nearest <= wp.float64(0.0):
        return
    normal = wp.normalize(wp.cross(pb - pa, pc - pa))
    lens = fine_lens(lenses[item], supersample)
    plane = item * bodies + body
    row = first + lane
    while row < last:
        y = wp.float64(row)
        down = wp.float64(0.0)
        up = wp.float64(0.0)
        if (a[1] <= y) != (b[1] <= y):
            if a[1] <= y:
                down = crossing(a, b, y)
            else:
                up = crossing(a, b, y)
        if (b[1] <= y) != (c[1] <= y):
            if b[1] <= y:
                down = crossing(b, c, y)
            else:
                up = crossing(b, c, y)
        if (c[1] <= y) != (a[1] <= y):
            if c[1] <= y:
                down = crossing(c, a, y)
            else:
                up = crossing(c, a, y)
        sign = wp.float64(1.0)
        left = up
        right = down
        if down < up:
            sign = wp.float64(-1.0)
            left = down
            right = up
        start = wp.max(int(wp.ceil(left)), 0)
        stop = wp.min(int(wp.ceil(right)), width)
        slope_y = (y - lens[3]) / lens[1]
        for column in range(start, stop):
            ray = wp.vec3d((wp.float64(column) - lens[2]) / lens[0], slope_y, wp.float64(1.0))
            steep = wp.dot(normal, ray)
            # The face's plane through ``pa``; the ray reaches the pivot's depth at ``pivot_z * ray``.
            away = wp.vec3d(pivot[0] - pivot[2] * ray[0] + pa[0], pivot[1] - pivot[2] * ray[1] + pa[1], pa[2])
            z = pa[2]
            if steep != wp.float64(0.0):
                z = wp.dot(normal, away) / steep
            z = wp.clamp(z, nearest, farthest)
            wp.atomic_add(moments, plane, row, column, 0, float(sign * z))
            wp.atomic_add(moments, plane, row, column, 1, float(sign * wp.float64(0.5) * z * z))
        row += lanes


@wp.func
def voxel(volume: wp.array3d(dtype=float), x: float, y: float, z: float) -> float:
    """Trilinear attenuation at grid indices (i, j, k); the caller stays within the outermost centres."""
    i = wp.min(wp.max(int(wp.floor(x)), 0), volume.shape[2] - 2)
    j = wp.min(wp.max(int(wp.floor(y)), 0), volume.shape[1] - 2)
    k = wp.min(wp.max(int(wp.floor(z)), 0), volume.shape[0] - 2)
    fx = x - float(i)
    fy = y - float(j)
    fz = z - float(k)
    near = wp.lerp(
        wp.lerp(volume[k, j, i], volume[k, j, i + 1], fx), wp.lerp(volume[k, j + 1, i], volume[k, j + 1, i + 1], fx), fy
    )
    far = wp.lerp(
        wp.lerp(volume[k + 1, j, i], volume[k + 1, j, i + 1], fx),
        wp.lerp(volume[k + 1, j + 1, i], volume[k + 1, j + 1, i + 1], fx),
        fy,
    )
    return wp.lerp(near, far, fz)


@wp.kernel
def draw_volume(
    volume: wp.array3d(dtype=float),
    index_from_body: wp.mat33,
    pivot_index: wp.vec3,
    step_mm: float,
    body: int,
    bodies: int,
    rotations: wp.array2d(dtype=wp.mat33d),
    pivots: wp.array2d(dtype=wp.vec3d),
    lenses: wp.array(dtype=wp.vec4d),
    sizes: wp.array(dtype=wp.vec2i),
    active: wp.array(dtype=int),
    supersample: int,
    moments: wp.array4d(dtype=float),
):
    """Moments of attenuation along each ray: midpoint samples ``step_mm`` apart in depth."""
    item, row, column = wp.tid()
    if active[item] == 0 or row >= sizes[item][0] * supersample or column >= sizes[item][1] * supersample:
        return
    lens = rounded_lens(lenses[item], supersample)
    pivot = rounded(pivots[item, body])
    ray = wp.vec3((float(column) - lens[2]) / lens[0], (float(row) - lens[3]) / lens[1], 1.0)
    at_pivot = wp.vec3(pivot[2] * ray[0] - pivot[0], pivot[2] * ray[1] - pivot[1], 0.0)
    turn = index_from_body * wp.transpose(wp.mat33(rotations[item, body]))
    origin = pivot_index + turn * at_pivot
    along = turn * ray
    near = float(-1.0e6)
    far = float(1.0e6)
    for axis in range(3):
        last = float(volume.shape[2 - axis] - 1)
        if wp.abs(along[axis]) < 1.0e-9:
            if origin[axis] < 0.0 or origin[axis] > last:
                far = -1.0e7
        else:
            one = -origin[axis] / along[axis]
            other = (last - origin[axis]) / along[axis]
            near = wp.max(near, wp.min(one, other))
            far = wp.min(far, wp.max(one, other))
    if far <= near:
        return
    count = int(wp.ceil((far - near) / step_mm))
    step = (far - near) / float(count)
    zeroth = float(0.0)
    first = float(0.0)
    for sample in range(count):
        z = near + (float(sample) + 0.5) * step
        at = origin + z * along
        value = voxel(volume, at[0], at[1], at[2])
        zeroth += value
        first += value * z
    plane = item * bodies + body
    moments[plane, row, column, 0] = zeroth * step
    moments[plane, row, column, 1] = first * step


@wp.kernel
def sum_paths(
    moments: wp.array4d(dtype=float),
    attenuations: wp.array2d(dtype=float),
    lenses: wp.array(dtype=wp.vec4d),
    sizes: wp.array(dtype=wp.vec2i),
    active: wp.array(dtype=int),
    supersample: int,
    paths: wp.array3d(dtype=float),
):
    """Attenuation times path length of all bodies along each fine ray."""
    item, row, column = wp.tid()
    if active[item] == 0 or row >= sizes[item][0] * supersample or column >= sizes[item][1] * supersample:
        return
    bodies = attenuations.shape[1]
    total = float(0.0)
    for body in range(bodies):
        total += attenuations[item, body] * moments[item * bodies + body, row, column, 0]
    lens = rounded_lens(lenses[item], supersample)
    x = (float(column) - lens[2]) / lens[0]
    y = (float(row) - lens[3]) / lens[1]
    paths[item, row, column] = total * wp.sqrt(1.0 + x * x + y * y)


@wp.func
def shade_of(path: float) -> float:
    """exp(-path) - 1, without losing the digits of a small path."""
    if wp.abs(path) < 1.0e-2:
        return -path * (1.0 - 0.5 * path * (1.0 - path / 3.0))
    return wp.exp(-path) - 1.0


@wp.func
def secant(here: float, there: float, path_here: float, path_there: float) -> float:
    """Slope of the shade between neighbouring rays."""
    step = path_there - path_here
    if wp.abs(step) > 1.0e-6:
        return (there - here) / step
    return -(1.0 + here)


@wp.kernel
def find_features(
    moments: wp.array4d(dtype=float),
    paths: wp.array3d(dtype=float),
    attenuations: wp.array2d(dtype=float),
    pivots: wp.array2d(dtype=wp.vec3d),
    lenses: wp.array(dtype=wp.vec4d),
    sizes: wp.array(dtype=wp.vec2i),
    active: wp.array(dtype=int),
    supersample: int,
    features: wp.array4d(dtype=float),
):
    """Shadow and its sensitivities to the moments' gradients (see core.rendering.shadow)."""
    item, row, column = wp.tid()
    if active[item] == 0 or row >= sizes[item][0] or column >= sizes[item][1]:
        return
    bodies = attenuations.shape[1]
    for k in range(1 + 5 * bodies):
        features[item, row, column, k] = 0.0
    lens = rounded_lens(lenses[item], supersample)
    share = 1.0 / float(supersample * supersample)
    for part in range(supersample * supersample):
        v = row * supersample + part // supersample
        u = column * supersample + part % supersample
        above = wp.max(v - 1, 0)
        below = wp.min(v + 1, sizes[item][0] * supersample - 1)
        left = wp.max(u - 1, 0)
        right = wp.min(u + 1, sizes[item][1] * supersample - 1)
        here = paths[item, v, u]
        p_left, p_right = paths[item, v, left], paths[item, v, right]
        p_above, p_below = paths[item, above, u], paths[item, below, u]
        if here != 0.0 or p_left != 0.0 or p_right != 0.0 or p_above != 0.0 or p_below != 0.0:
            dark = shade_of(here)
            to_left = secant(dark, shade_of(p_left), here, p_left)
            to_right = secant(dark, shade_of(p_right), here, p_right)
            to_above = secant(dark, shade_of(p_above), here, p_above)
            to_below = secant(dark, shade_of(p_below), here, p_below)
            x = (float(u) - lens[2]) / lens[0]
            y = (float(v) - lens[3]) / lens[1]
            stretch = wp.sqrt(1.0 + x * x + y * y) * share
            features[item, row, column, 0] = features[item, row, column, 0] + dark * share
            for body in range(bodies):
                plane = item * bodies + body
                scale = attenuations[item, body] * stretch
                at = 1 + 5 * body
                for k in range(2):
                    factor = 0.5 * scale
                    if k == 1:
                        factor = factor / float(pivots[item, body][2])
                    m = moments[plane, v, u, k]
                    across = to_left * (m - moments[plane, v, left, k]) + to_right * (moments[plane, v, right, k] - m)
                    along = to_above * (m - moments[plane, above, u, k]) + to_below * (moments[plane, below, u, k] - m)
                    features[item, row, column, at + 2 * k] = (
                        features[item, row, column, at + 2 * k] + lens[0] * factor * across
                    )
                    features[item, row, column, at + 2 * k + 1] = (
                        features[item, row, column, at + 2 * k + 1] + lens[1] * factor * along
                    )
                features[item, row, column, at + 4] = (
                    features[item, row, column, at + 4] - scale * (1.0 + dark) * moments[plane, v, u, 0]
                )


@wp.kernel
def smooth_rows(
    features: wp.array4d(dtype=float),
    weights: wp.array(dtype=float),
    sizes: wp.array(dtype=wp.vec2i),
    active: wp.array(dtype=int),
    out: wp.array4d(dtype=float),
):
    """The Gaussian along rows, edge pixels repeated."""
    item, row, column = wp.tid()
    if active[item] == 0 or row >= sizes[item][0] or column >= sizes[item][1]:
        return
    reach = weights.shape[0] // 2
    for k in range(features.shape[3]):
        total = float(0.0)
        for j in range(weights.shape[0]):
            at = wp.min(wp.max(column + j - reach, 0), sizes[item][1] - 1)
            total += weights[j] * features[item, row, at, k]
        out[item, row, column, k] = total


@wp.func
def smoothed(
    features: wp.array4d(dtype=float),
    weights: wp.array(dtype=float),
    height: int,
    item: int,
    row: int,
    column: int,
    k: int,
) -> float:
    """The Gaussian along a column of one channel."""
    reach = weights.shape[0] // 2
    total = float(0.0)
    for j in range(weights.shape[0]):
        at = wp.min(wp.max(row + j - reach, 0), height - 1)
        total += weights[j] * features[item, at, column, k]
    return total


@wp.kernel
def derive(
    features: wp.array4d(dtype=float),
    weights: wp.array(dtype=float),
    pivots: wp.array2d(dtype=wp.vec3d),
    lenses: wp.array(dtype=wp.vec4d),
    sizes: wp.array(dtype=wp.vec2i),
    active: wp.array(dtype=int),
    drawn: wp.array4d(dtype=float),
):
    """Smooth along columns, then [S, dS/d(camera-axis twist of each body)]."""
    item, row, column = wp.tid()
    if active[item] == 0 or row >= sizes[item][0] or column >= sizes[item][1]:
        return
    height = sizes[item][0]
    lens = rounded_lens(lenses[item], 1)
    x = (float(column) - lens[2]) / lens[0]
    y = (float(row) - lens[3]) / lens[1]
    drawn[item, row, column, 0] = smoothed(features, weights, height, item, row, column, 0)
    for body in range(pivots.shape[1]):
        at = 1 + 5 * body
        gx = smoothed(features, weights, height, item, row, column, at)
        gy = smoothed(features, weights, height, item, row, column, at + 1)
        tx = smoothed(features, weights, height, item, row, column, at + 2)
        ty = smoothed(features, weights, height, item, row, column, at + 3)
        thick = smoothed(features, weights, height, item, row, column, at + 4)
        p = rounded(pivots[item, body])
        vx = -(gx - tx) / p[2]
        vy = -(gy - ty) / p[2]
        vz = -(x * vx + y * vy)
        to = 1 + 6 * body
        drawn[item, row, column, to] = vx
        drawn[item, row, column, to + 1] = vy
        drawn[item, row, column, to + 2] = vz
        drawn[item, row, column, to + 3] = x * y * gx + (1.0 + y * y) * gy + y * thick - (p[1] * vz - p[2] * vy)
        drawn[item, row, column, to + 4] = -(1.0 + x * x) * gx - x * y * gy - x * thick - (p[2] * vx - p[0] * vz)
        drawn[item, row, column, to + 5] = y * gx - x * gy - (p[0] * vy - p[1] * vx)
