"""What all peer scripts do: read the work, warm up, time, and leave the pictures with the times.

Called as ``SCRIPT work.npz result.npz repeats``. Exit code 3 says that the peer is not installed.
"""

import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

NOT_INSTALLED = 3
ENOUGH_S = 20.0
"""No more repeats once they have taken this long."""
Prepare = Callable[[Mapping[str, np.ndarray]], Callable[..., np.ndarray]]


def run(load: Callable[[], str], prepare: Prepare) -> None:
    """Time ``prepare(work)()``, which returns both pictures; building structures and rays is not timed."""
    source, target, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
    version, work = _loaded(load, source)
    draw = prepare(work)
    drawn = draw()
    cpu, wall = [], []
    for _ in range(repeats):
        began, clock = time.process_time(), time.perf_counter()
        drawn = draw()
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - clock)
        if sum(wall) > ENOUGH_S:
            break
    np.savez(target, drawn=np.asarray(drawn, dtype=np.float32), cpu_s=cpu, wall_s=wall, version=version)


def run_registrations(load: Callable[[], str], prepare: Prepare) -> None:
    """Time ``prepare(work)(start, darkness)`` for each start (4 x 4 world_from_body) and its two pictures."""
    source, target = sys.argv[1], sys.argv[2]
    version, work = _loaded(load, source)
    register = prepare(work)
    found, cpu, wall = [], [], []
    for start, darkness in zip(work["starts"], work["darkness"], strict=True):
        began, clock = time.process_time(), time.perf_counter()
        found.append(register(start, darkness))
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - clock)
        if sum(wall) > 4 * ENOUGH_S:
            break
    np.savez(target, world_from_body=np.array(found), cpu_s=cpu, wall_s=wall, version=version)


def _loaded(load: Callable[[], str], source: str) -> tuple[str, dict[str, np.ndarray]]:
    try:
        version = load()
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(NOT_INSTALLED)
    with np.load(source) as stored:
        return version, {name: stored[name] for name in stored.files}


def rays_world(work: Mapping[str, np.ndarray], view: int) -> tuple[np.ndarray, np.ndarray]:
    """The source (3) and unit directions (h w 3) of a view in world coordinates."""
    camera_from_world = work["camera_from_world"][view]
    fx, fy, cx, cy = work["lens"][view]
    height, width = work["size"]
    rows, columns = np.mgrid[:height, :width]
    rays = np.stack([(columns - cx) / fx, (rows - cy) / fy, np.ones(rows.shape)], axis=-1)
    rays = rays @ camera_from_world[:3, :3]
    source = -camera_from_world[:3, :3].T @ camera_from_world[:3, 3]
    return source, rays / np.linalg.norm(rays, axis=-1, keepdims=True)


def signed_lengths(ray_ids: np.ndarray, distances: np.ndarray, outward: np.ndarray, count: int) -> np.ndarray:
    """Path length of each ray: distances of the ways out less those of the ways in."""
    return np.bincount(ray_ids, weights=np.where(outward, distances, -distances), minlength=count)


def voxels_from_world(work: Mapping[str, np.ndarray]) -> np.ndarray:
    """Homogeneous 4 x 4: grid indices (i, j, k) of world points."""
    scale = np.diag([*(1 / work["spacing_mm"]), 1.0])
    return scale @ np.linalg.inv(work["world_from_grid"])
