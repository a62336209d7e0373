"""nanodrr with the loss and optimiser of xvr (multiscale NCC and gradient NCC, Adam), both views at once, 64 px."""

from harness import run_registrations

_PICTURE_PX = 64
_STEPS = 150


def load():
    from importlib.metadata import version

    import nanodrr  # noqa: F401

    return version("nanodrr")


def prepare(work):
    import numpy as np
    import torch
    from nanodrr.data import Subject
    from nanodrr.drr import render
    from nanodrr.metrics import GradientNormalizedCrossCorrelation2d, MultiscaleNormalizedCrossCorrelation2d

    def as_tensor(matrix):
        return torch.tensor(np.asarray(matrix), dtype=torch.float32)

    values = torch.from_numpy(work["attenuation_per_mm"])[None, None]
    body_from_voxel = work["body_from_grid"] @ np.diag([*work["spacing_mm"], 1.0])
    subject = Subject(
        values,
        torch.zeros_like(values),
        as_tensor(body_from_voxel),
        as_tensor(np.linalg.inv(body_from_voxel)),
        Subject._make_voxel_to_grid(values.shape),
        torch.zeros(3),
        max_label=0,
        convert_to_mu=False,
    )
    factor = max(1, int(work["size"][0]) // _PICTURE_PX)
    height, width = (int(side) // factor for side in work["size"])
    lens = work["lens"] / factor
    views = []
    for view in range(2):
        fx, fy = lens[view, :2]
        cx, cy = (work["lens"][view, 2:] + 0.5) / factor  # counted from the picture's corner
        k = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
        sdd = float(work["lens"][view, 0] * work["spacing_px_mm"][view])
        world_from_camera = np.linalg.inv(work["camera_from_world"][view])
        views.append((as_tensor(np.linalg.inv(k))[None], torch.tensor([sdd]), as_tensor(world_from_camera)))
    samples = int(2 * max(values.shape))
    similar = MultiscaleNormalizedCrossCorrelation2d([None, 9], [0.5, 0.5])
    edges = GradientNormalizedCrossCorrelation2d(patch_size=11, sigma=0.5)

    def register(start, darkness):
        small = darkness.reshape(2, height, factor, width, factor).mean(axis=(2, 4))
        seen = [torch.from_numpy(np.ascontiguousarray(picture))[None, None] for picture in small]
        turn = torch.full((3,), 1e-6, requires_grad=True)
        shift = torch.zeros(3, requires_grad=True)
        origin = as_tensor(start)
        steps = [{"params": [turn], "lr": 1e-2}, {"params": [shift], "lr": 1.0}]
        optimiser = torch.optim.Adam(steps)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, mode="max", factor=0.5, patience=10)
        best = (-float("inf"), origin)
        for _ in range(_STEPS):
            optimiser.zero_grad()
            pose = _moved(origin, turn, shift)
            body_from_world = torch.linalg.inv(pose)
            score = 0.0
            for (k_inv, sdd, world_from_camera), picture in zip(views, seen, strict=True):
                rt_inv = (body_from_world @ world_from_camera)[None]
                drawn = render(subject, k_inv, rt_inv, sdd, height, width, samples)
                score = score + (similar(drawn, picture) + edges(drawn, picture)).sum() / 2
            if float(score) > best[0]:
                best = (float(score), pose.detach())
            (-score).backward()
            optimiser.step()
            plateau.step(float(score))
            if optimiser.param_groups[0]["lr"] < 1e-4:
                break
        return best[1].numpy().astype(np.float64)

    def _moved(origin, turn, shift):
        zero = torch.zeros(())
        x, y, z = turn
        hat = torch.stack([torch.stack([zero, -z, y]), torch.stack([z, zero, -x]), torch.stack([-y, x, zero])])
        rotation = torch.linalg.matrix_exp(hat) @ origin[:3, :3]
        top = torch.cat([rotation, (origin[:3, 3] + shift)[:, None]], dim=1)
        return torch.cat([top, torch.tensor([[0.0, 0.0, 0.0, 1.0]])])

    return register


run_registrations(load, prepare)
