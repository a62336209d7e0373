"""Register simulated pairs in batches on a graphics card: pairs a second, and the time of a single pair.

``python -m tests.bench.gpu [--device cuda] [--pairs 256] [--distinct 8] [--at-once 64] [--repeats 5]``

Both components of the simulated knee in both views, through all stages. Two figures: with the pictures prepared
before (what the card does, and the host between its steps), and from raw pictures (with 16 threads preparing them).
Wanted on a data-centre card: 500 pairs a second in batches and 5 ms for one pair. ``--device cpu`` checks the script.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.evaluation.pose_error import PoseErrors
from core.geometry.rigid import Rigid
from core.imaging.field_of_view import find_field_of_view
from core.registration.batch import register_batch
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe
from core.registration.values import Problem, Shot, Solution, finish
from core.rendering.warp_device import warp
from core.simulation.implants import femoral_component, tibial_component
from core.simulation.knee import make_knee
from core.simulation.motion import gait_phases

RECIPE = Recipe(mirrored=False, second_starts=0)


def make_pairs(distinct: int, size_px: int) -> tuple[list[Problem], list[tuple[Rigid, ...]]]:
    """Simulated pairs and their true poses; the registered surfaces are coarser than the X-rayed ones."""
    knee = make_knee(gait_phases(distinct), 5, size_px=size_px)
    bodies = tuple(
        prepare_body(name, mesh) for name, mesh in (("femur", femoral_component(1.4)), ("tibia", tibial_component(1.4)))
    )
    problems, truths = [], []
    for index in range(distinct):
        pictures = [knee.picture(index, plane) for plane in range(2)]
        shots = tuple(
            Shot(view=view, image=image, usable=find_field_of_view([image]))
            for view, image in zip(knee.views, pictures, strict=True)
        )
        problems.append(Problem(bodies=bodies, shots=shots))
        truths.append(knee.truth(index))
    return problems, truths


def again(problem: Problem) -> Problem:
    """The same pair as if it had just been read: nothing of it is prepared."""
    return Problem(bodies=problem.bodies, shots=tuple(replace(shot) for shot in problem.shots))


def timed(problems: Sequence[Problem], starts: Sequence[Sequence[Rigid]], device: str, at_once: int) -> float:
    began = time.perf_counter()
    finish(register_batch(problems, starts, RECIPE, device, frames_at_once=at_once, workers=16))
    return time.perf_counter() - began


def report_errors(label: str, solutions: Sequence[Solution], truths: Sequence[Sequence[Rigid]]) -> None:
    for index, name in enumerate(("femur", "tibia")):
        pivot = np.zeros(3)
        errors = PoseErrors.between([s.poses[index] for s in solutions], [t[index] for t in truths], pivot)
        print(f"  {label} {name}: median {errors.percentile(50)[0]:.3f} mm {errors.percentile(50)[1]:.3f} deg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--pairs", type=int, default=256)
    parser.add_argument("--distinct", type=int, default=8)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--size", type=int, default=1024)
    options = parser.parse_args()
    print(f"Warp {warp().__version__} on {warp().get_device(options.device).name}")
    problems, truths = make_pairs(options.distinct, options.size)
    draw = np.random.default_rng(1)
    moves = draw.uniform(-1, 1, (options.distinct, 2, 6)) * [4, 4, 4, *np.radians([4, 4, 4])]
    starts = [
        tuple(pose.perturbed(move, body.pivot_mm) for pose, move, body in zip(truth, pair, p.bodies, strict=True))
        for truth, pair, p in zip(truths, moves, problems, strict=True)
    ]
    found = finish(register_batch(problems, starts, RECIPE, options.device))
    report_errors("device", found, truths)
    report_errors(
        "single", [finish(register_frame(p, s, RECIPE)) for p, s in zip(problems, starts, strict=True)], truths
    )
    many = [k % options.distinct for k in range(options.pairs)]
    for prepared in (True, False):
        seconds = []
        for _ in range(options.repeats):
            work = [problems[k] if prepared else again(problems[k]) for k in many]
            seconds.append(timed(work, [starts[k] for k in many], options.device, options.at_once))
        rate = options.pairs / float(np.median(seconds))
        print(f"  {'prepared' if prepared else 'raw'} pictures: {rate:.1f} pairs/s in batches of {options.at_once}")
    single = [timed(problems[:1], starts[:1], options.device, 1) for _ in range(4 * options.repeats)]
    print(f"  one pair, prepared pictures: {1e3 * float(np.median(single)):.1f} ms")


if __name__ == "__main__":
    main()
