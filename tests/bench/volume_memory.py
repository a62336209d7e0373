"""Open a whole CT, make a bone of it and X-ray it; print seconds and the largest memory of the process.

``python -m tests.bench.volume_memory [--shape 512,512,600] [--folder FOLDER]``

The CT is a phantom of two bones in soft tissue, written as 16-bit NIfTI; a process of its own reads it.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np

from core.geometry.rigid import Rigid
from core.io.volumes import read_voxels
from core.registration.bone import prepare_bone
from core.rendering.path_length import line_integral
from core.study.values import FileLink, VolumeLink, VoxelValues
from tests.scenes import rig


def write_phantom(path: Path, shape: tuple[int, int, int]) -> None:
    """Two shafts with marrow in a leg, slice by slice; Hounsfield units."""
    stored = np.lib.format.open_memmap(path.with_suffix(".npy"), mode="w+", dtype=np.int16, shape=shape)
    i, j = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape[:2]), indexing="ij")
    for k in range(shape[2]):
        t = k / shape[2]
        plane = np.where(i**2 + j**2 < 0.6, 40.0, -1000.0)
        for at, radius, inner in ((0.15 * np.sin(5 * t), 0.22 + 0.1 * t, 0.14), (0.5, 0.09, 0.04)):
            distance = np.hypot(i - at, 1.3 * j)
            plane = np.where(distance < radius, 1100.0, plane)
            plane = np.where(distance < inner, 120.0, plane)
        stored[:, :, k] = plane
    nibabel.save(nibabel.Nifti1Image(stored, np.diag([0.5, 0.5, 0.5, 1.0])), path)
    path.with_suffix(".npy").unlink()


def measure(path: Path) -> None:
    before = time.perf_counter()
    voxels = read_voxels(path)
    read = time.perf_counter()
    body = prepare_bone("bone", voxels, VolumeLink(file=FileLink(path=path), values=VoxelValues.HOUNSFIELD))
    del voxels
    prepared = time.perf_counter()
    view = rig(512)[0]
    pose = Rigid(rotation=np.eye(3), translation_mm=-body.pivot_mm)
    drawn = line_integral(body.volumes[0], view, pose)
    rendered = time.perf_counter()
    line_integral(body.volumes[0], view, pose)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(
        f"read {read - before:.1f} s, bone and surface ({len(body.mesh.faces)} triangles) {prepared - read:.1f} s, "
        f"X-rayed at 512 px {rendered - prepared:.2f} s the first time, {time.perf_counter() - rendered:.2f} s then; "
        f"largest line integral {float(drawn.max()):.2f}; largest memory {peak:.2f} GB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", default="512,512,600")
    parser.add_argument("--read", type=Path, help="read this CT instead of making one")
    options = parser.parse_args()
    if options.read is not None:
        measure(options.read)
        return
    shape = tuple(int(n) for n in options.shape.split(","))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "leg.nii"
        write_phantom(path, (shape[0], shape[1], shape[2]))
        print(f"CT of {options.shape} voxels, {path.stat().st_size / 1e9:.2f} GB", flush=True)
        subprocess.run([sys.executable, "-m", "tests.bench.volume_memory", "--read", str(path)], check=True)


if __name__ == "__main__":
    main()
