"""Milliseconds that the moment raster takes for two views of one implant, one thread.

``python -m tests.bench.raster [--repeats 20] [--edge-mm 1.45]``

The body is a closed implant-like surface of about the given number of faces; the views are 110 degrees apart and the
detector is 360 mm wide, seen whole.
"""

import argparse
import time

import numpy as np

from core.geometry.rigid import Rigid, so3_exp
from core.rendering.moment_raster import accumulate_moments
from core.rendering.path_length import lens_of
from tests.scenes import implant, rig_view


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--edge-mm", type=float, default=1.45)
    options = parser.parse_args()
    mesh = implant(options.edge_mm)
    pose = Rigid(rotation=so3_exp(np.array([0.3, -0.8, 1.1])), translation_mm=[12.0, -7.0, 25.0])
    print(f"{len(mesh.faces)} faces, two views, CPU ms (median, least); with vertices moved and pictures cleared")
    for size in (64, 128, 256, 512, 1024):
        times = []
        for _ in range(options.repeats + 1):
            before = time.thread_time()
            for view in (rig_view("A", 0.0, size), rig_view("B", 110.0, size)):
                camera = (view.camera_from_world @ pose).apply(mesh.vertices_mm)
                out = np.zeros((size, size, 2), dtype=np.float32)
                accumulate_moments(camera, mesh.faces, lens_of(view), float(camera[:, 2].mean()), out)
            times.append(1e3 * (time.thread_time() - before))
        print(f"{size:5d} px  {np.median(times[1:]):7.2f}  {np.min(times[1:]):7.2f}")


if __name__ == "__main__":
    main()
