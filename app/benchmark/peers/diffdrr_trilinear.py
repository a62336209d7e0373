"""DiffDRR: its trilinear renderer on rays in voxel coordinates; a torchvision made for CUDA is given what it misses."""

from harness import rays_world, run, voxels_from_world

RAYS_AT_ONCE = 65_536
"""All at once would need many GB."""


def load():
    from importlib.metadata import version

    import torch

    try:
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        load.kept = library
    except RuntimeError:
        pass  # a whole torchvision has them
    import diffdrr.renderers  # noqa: F401

    return version("diffdrr")


def prepare(work):
    import numpy as np
    import torch
    from diffdrr.renderers import Trilinear

    density = torch.from_numpy(np.ascontiguousarray(work["attenuation_per_mm"].transpose(2, 1, 0)))
    to_voxels = voxels_from_world(work)
    renderer = Trilinear(0.5)
    height, width = (int(side) for side in work["size"])
    views = []
    for view in range(2):
        source, rays = rays_world(work, view)
        flat = rays.reshape(-1, 3)
        middle = (work["world_from_grid"] @ np.array([*(np.array(density.shape) - 1) / 2 * work["spacing_mm"], 1.0]))[
            :3
        ]
        reach = float(np.linalg.norm(np.array(density.shape) * work["spacing_mm"])) / 2
        near, far = np.linalg.norm(middle - source) - reach, np.linalg.norm(middle - source) + reach
        ends = [source + flat * distance for distance in (near, far)]
        inside = [torch.tensor(p @ to_voxels[:3, :3].T + to_voxels[:3, 3], dtype=torch.float32)[None] for p in ends]
        views.append((*inside, torch.full((1, 1, len(flat)), float(far - near))))
    samples = int(3.5 * max(density.shape))

    def draw():
        with torch.no_grad():
            return np.stack([one_view(*view) for view in views])

    def one_view(starts, ends, lengths):
        parts = []
        for first in range(0, ends.shape[1], RAYS_AT_ONCE):
            part = slice(first, first + RAYS_AT_ONCE)
            rays = (starts[:, part], ends[:, part], lengths[:, :, part])
            parts.append(renderer(density, *rays, n_points=samples).reshape(-1))
        return torch.cat(parts).reshape(height, width).numpy()

    return draw


run(load, prepare)
