"""nanodrr: ray marching by torch; samples are spread over the part of each ray inside the volume."""

from harness import run


def load():
    from importlib.metadata import version

    import nanodrr  # noqa: F401

    return version("nanodrr")


def prepare(work):
    import numpy as np
    import torch
    from nanodrr.data import Subject
    from nanodrr.drr import render

    values = torch.from_numpy(work["attenuation_per_mm"])[None, None]
    world_from_voxel = work["world_from_grid"] @ np.diag([*work["spacing_mm"], 1.0])
    as_tensor = lambda matrix: torch.tensor(np.asarray(matrix), dtype=torch.float32)  # noqa: E731
    subject = Subject(
        values,
        torch.zeros_like(values),
        as_tensor(world_from_voxel),
        as_tensor(np.linalg.inv(world_from_voxel)),
        Subject._make_voxel_to_grid(values.shape),
        as_tensor(world_from_voxel[:3] @ [*(np.array(values.shape[:1:-1]) - 1) / 2, 1.0]),
        max_label=0,
        convert_to_mu=False,
    )
    height, width = (int(side) for side in work["size"])
    views = []
    for view in range(2):
        fx, fy, cx, cy = work["lens"][view]
        # nanodrr counts pixels from their outer corner
        k = np.array([[fx, 0, cx + 0.5], [0, fy, cy + 0.5], [0, 0, 1.0]])
        sdd = float(fx * work["spacing_px_mm"][view])
        world_from_camera = np.linalg.inv(work["camera_from_world"][view])
        views.append((as_tensor(np.linalg.inv(k))[None], as_tensor(world_from_camera)[None], torch.tensor([sdd])))
    samples = int(2 * max(values.shape))

    def draw():
        with torch.no_grad():
            return np.stack(
                [
                    render(subject, k_inv, rt_inv, sdd, height, width, samples)[0, 0].numpy()
                    for k_inv, rt_inv, sdd in views
                ]
            )

    return draw


run(load, prepare)
