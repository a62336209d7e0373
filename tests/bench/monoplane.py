"""Register a kneeling knee from one camera; print deviations from its reference in the picture's plane and in depth.

``python -m tests.bench.monoplane [--amplitude 3] [--depth 20] [--starts 3]``

Starts are off by U(-amplitude, amplitude) mm and deg an axis and by U(-depth, depth) mm along the ray. The reference is
another program's, in depth too: in depth these are differences between two guesses.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.geometry.rigid import Rigid
from core.imaging.field_of_view import find_field_of_view
from core.io.calibration import read_calibration
from core.io.images import find_sequence, read_image
from core.io.jointtrack import read_jts
from core.io.mesh_files import read_mesh
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe
from core.registration.values import Body, Problem, Shot, Solution, finish
from tests.bench.real_sequence import offsets
from tests.real_data import REAL

KNEES = {
    "kneel_left": {"fem": "KR_left_8_fem.stl", "tib": "KR_left_8_tib.stl"},
    "kneel_right": {"fem": "KR_right_7_fem.stl", "tib": "KR_right_6_tib.stl"},
}
NINETY = 1.6449


def frames_of(folder: Path, bodies: dict[str, Body]) -> Iterator[tuple[int, Shot, tuple[Rigid, ...]]]:
    """Frame, shot and reference poses."""
    sequence = find_sequence(folder)
    pictures = [read_image(path) for path in sequence.paths]
    height, width = pictures[0].shape
    view = read_calibration(folder / "calibration.txt", "A", (width, height))
    usable = find_field_of_view(pictures)
    references = [read_jts(folder / f"{name}.jts", view) for name in bodies]
    for at, frame in enumerate(sequence.frames):
        poses = [reference[at] for reference in references]
        if all(pose is not None for pose in poses):
            yield frame, Shot(view=view, image=pictures[at], usable=usable), tuple(p for p in poses if p is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--amplitude", type=float, default=3.0)
    parser.add_argument("--depth", type=float, default=20.0)
    parser.add_argument("--starts", type=int, default=3)
    options = parser.parse_args()
    for knee, files in KNEES.items():
        folder = REAL / "monoplane_tka" / knee
        bodies = {name: prepare_body(name, read_mesh(folder / file, "mm")) for name, file in files.items()}
        rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in bodies}
        outcomes: list[str] = []
        for frame, shot, truth in frames_of(folder, bodies):
            moves = offsets(options.starts, len(bodies), options.amplitude, frame)
            depths = np.random.default_rng(frame).uniform(-options.depth, options.depth, options.starts)
            for move, depth in zip(moves, depths, strict=True):
                starts = [
                    pose.perturbed(by, body.pivot_mm).shifted(depth * shot.view.axis_world)
                    for pose, by, body in zip(truth, move, bodies.values(), strict=True)
                ]
                problem = Problem(bodies=tuple(bodies.values()), shots=(shot,))
                solution = finish(register_frame(problem, starts, Recipe()))
                outcomes.append(solution.outcome.name)
                for index, body in enumerate(bodies.values()):
                    rows[body.name].append(row_of(solution, index, body, truth[index], shot))
        for name, found in rows.items():
            table = np.array(found)
            across, depth_mm, deg, half, held = table.T
            print(
                f"  {knee} {name}: {len(table)} results   in its plane median {np.median(across):.2f} mm, p95 "
                f"{np.percentile(across, 95):.2f} mm   turn {np.median(deg):.2f}, {np.percentile(deg, 95):.2f} deg   "
                f"depth {np.median(depth_mm):.1f} mm, {np.percentile(depth_mm, 95):.1f} mm; 90 % interval +-"
                f"{np.median(half):.1f} mm holds the reference in {held.mean():.0%}"
            )
        print(f"  {knee} outcomes: { {name: outcomes.count(name) for name in sorted(set(outcomes))} }")


def row_of(solution: Solution, index: int, body: Body, truth: Rigid, shot: Shot) -> tuple[float, ...]:
    """Deviation in the plane, along the ray, turn; half the interval of the depth and whether it holds."""
    pose, ray = solution.poses[index], shot.view.axis_world
    shift = pose.apply(body.pivot_mm[None])[0] - truth.apply(body.pivot_mm[None])[0]
    depth = float(abs(shift @ ray))
    across = float(np.linalg.norm(shift - (shift @ ray) * ray))
    half = NINETY * float(np.sqrt(ray @ solution.covariance_of(index)[:3, :3] @ ray))
    return across, depth, float(pose.angle_deg_to(truth)), half, float(depth <= half)


if __name__ == "__main__":
    main()
