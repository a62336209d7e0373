"""Register a simulated study from starts off by +-5 mm and degrees; print errors against its truth.

``python -m tests.bench.synthetic_study [--frames 40] [--seed 0] [--amplitude 5] [--track]``

The pictures come from finer surfaces, another renderer, noise, blur, scatter, tissue and a residual
distortion; the study is read back from its files, as a user's would be.
"""

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from app.state.arrays import Arrays
from core.evaluation.pose_error import PoseErrors
from core.io.poses_csv import read_poses
from core.io.simulated_study import FEMUR, TIBIA, TRIAL, write_simulated_study
from core.io.study import StudyFile
from core.registration.frame import register_frame
from core.registration.sequence import track
from core.registration.values import Problem, Solution, finish
from tests.bench.real_sequence import offsets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--amplitude", type=float, default=5.0)
    parser.add_argument("--track", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "gait.study"
        began = time.perf_counter()
        finish(write_simulated_study(folder, frames=options.frames, seed=options.seed))
        print(f"simulated {options.frames} pairs in {time.perf_counter() - began:.1f} s")
        measure(folder, options.amplitude, options.seed, track_it=options.track)


def measure(folder: Path, amplitude: float, seed: int, *, track_it: bool) -> None:
    with StudyFile.open(folder, read_only=True) as file:
        study = file.study
    arrays = Arrays(lambda: study)
    bodies = tuple(arrays.body(name) for name in (FEMUR, TIBIA))
    truth = [read_poses(folder / "truth" / f"{name}.csv") for name in (FEMUR, TIBIA)]
    frames = study.trial(TRIAL).frames
    moves = offsets(len(frames), len(bodies), amplitude, seed)
    starts = {
        frame: tuple(
            known[frame].world_from_body.perturbed(move, body.pivot_mm)
            for known, move, body in zip(truth, moves[at], bodies, strict=True)
        )
        for at, frame in enumerate(frames)
    }

    def one(frame: int) -> Solution:
        return finish(register_frame(Problem(bodies=bodies, shots=arrays.shots(TRIAL, frame)), starts[frame]))

    one(frames[0])
    began = time.perf_counter()
    if track_it:
        results = finish(track(lambda frame: arrays.shots(TRIAL, frame), bodies, frames, starts))
        solutions = [result.solution for result in results if result.solution is not None]
    else:
        with ThreadPoolExecutor(2) as pool:
            solutions = list(pool.map(one, frames))
    seconds = (time.perf_counter() - began) / len(frames)
    how = "tracked from a start" if track_it else "starts"
    print(f"femur+tibia jointly, {how} off by +-{amplitude:g} mm/deg, {len(frames)} frames")
    for index, body in enumerate(bodies):
        found = [solution.poses[index] for solution in solutions]
        errors = PoseErrors.between(found, [truth[index][f].world_from_body for f in frames], body.pivot_mm)
        (mm, deg), (mm95, deg95) = errors.percentile(50), errors.percentile(95)
        print(
            f"  {body.name:6s} within 1 mm and 1 deg {errors.within(1, 1):6.1%}   median {mm:.3f} mm {deg:.3f} deg   "
            f"p95 {mm95:.3f} mm {deg95:.3f} deg   worst {errors.mm.max():.3f} mm {errors.deg.max():.3f} deg"
        )
    flagged = {f: s.outcome.name for f, s in zip(frames, solutions, strict=True) if not s.outcome.succeeded}
    score = np.mean([s.score for s in solutions])
    print(f"  flagged: {flagged or 'none'}   wall s a pair {seconds:.3f}   score {score:.3f}")


if __name__ == "__main__":
    main()
