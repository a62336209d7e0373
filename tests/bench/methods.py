"""The registration methods side by side on the real knee: deviations from its reference, seconds, evaluations.

``python -m tests.bench.methods [--frames 0,60,120] [--amplitude 3,5,10] [--bodies femur,tibia] [--methods ...]``
"""

import argparse
import time

import numpy as np

from core.evaluation.metrics import Rates, target_errors_mm
from core.evaluation.pose_error import PoseErrors
from core.registration.methods import METHODS, register_by
from core.registration.values import Problem, Solution, finish
from tests.bench.real_sequence import Sequence111, offsets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", default="femur,tibia")
    parser.add_argument("--frames", default="0,40,80,120,160,200")
    parser.add_argument("--amplitude", default="3,5,10")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sequence = Sequence111(options.bodies.split(","))
    frames = [int(frame) for frame in options.frames.split(",")]
    print(f"{options.bodies}, frames {options.frames}: deviation from the reference")
    for amplitude in map(float, options.amplitude.split(",")):
        moves = offsets(len(frames), len(sequence.bodies), amplitude, options.seed)
        for method in options.methods.split(","):
            measure(sequence, frames, moves, method, amplitude)


def measure(sequence: Sequence111, frames: list[int], moves: np.ndarray, method: str, amplitude: float) -> None:
    solutions: list[Solution] = []
    seconds = []
    for frame, move in zip(frames, moves, strict=True):
        starts = [
            pose.perturbed(by, body.pivot_mm)
            for pose, by, body in zip(sequence.truth(frame), move, sequence.bodies, strict=True)
        ]
        problem = Problem(bodies=sequence.bodies, shots=sequence.shots(frame))
        before = time.process_time()
        solutions.append(finish(register_by(method, problem, starts)))
        seconds.append(time.process_time() - before)
    for index, body in enumerate(sequence.bodies):
        truth = [sequence.truth(frame)[index] for frame in frames]
        found = [s.poses[index] for s in solutions]
        errors = PoseErrors.between(found, truth, body.pivot_mm)
        rates = Rates.of(target_errors_mm(found, truth, body.mesh.vertices_mm))
        print(
            f"  +-{amplitude:<4g} {method:13s} {body.name:6s} within 1 mm, 1 deg {errors.within(1, 1):6.1%}   median "
            f"{errors.percentile(50)[0]:.2f} mm {errors.percentile(50)[1]:.2f} deg   mTRE median "
            f"{rates.percentiles_mm[2]:.2f} mm, below 1 mm {rates.submillimetre:.0%}, above 10 mm "
            f"{rates.gross_failure:.0%}   CPU {np.median(seconds):6.2f} s   "
            f"evaluations {np.median([s.evaluations for s in solutions]):.0f}   "
            f"outcomes {sorted({s.outcome.name for s in solutions})}"
        )


if __name__ == "__main__":
    main()
