"""Find the real knee without a start; print deviations from its reference, silent misses and seconds a pair.

``python -m tests.bench.search [--step 10] [--bodies femur,tibia] [--masks given|proposed] [--prior-deg 60]``

The given masks are another program's silhouettes; the proposed ones are dark regions of the picture.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from core.errors import RegistrationError
from core.geometry.rigid import Rigid
from core.initialisation.search import BodyMasks, find_poses
from core.io.images import read_image
from core.registration.values import Problem, Solution, finish
from tests.bench.real_sequence import FOLDER, Sequence111, offsets, report


def given_masks(sequence: Sequence111, frame: int) -> list[BodyMasks]:
    """The silhouettes that come with the data."""
    return [tuple(read_image(_mask_path(body.name, plane, frame)) > 0 for plane in (1, 2)) for body in sequence.bodies]


def _mask_path(body: str, plane: int, frame: int) -> Path:
    found = sorted((FOLDER / "masks").glob(f"*{body}*cam{plane}*/*{frame:04d}*")) or sorted(
        path for path in (FOLDER / "masks").rglob(f"*{frame:04d}*") if body in str(path) and f"{plane}" in str(path)
    )
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", default="femur,tibia")
    parser.add_argument("--step", type=int, default=10)
    parser.add_argument("--masks", choices=("given", "proposed"), default="given")
    parser.add_argument("--prior-deg", type=float)
    options = parser.parse_args()
    sequence = Sequence111(options.bodies.split(","))
    frames, solutions, seconds = [], [], []
    moves = offsets(len(sequence.frames), len(sequence.bodies), 20.0, 0)
    for at, frame in enumerate(sequence.frames[:: options.step]):
        problem = Problem(bodies=sequence.bodies, shots=sequence.shots(frame))
        masks = given_masks(sequence, frame) if options.masks == "given" else None
        prior: list[Rigid] | None = None
        if options.prior_deg is not None:
            prior = [
                p.perturbed(m, b.pivot_mm)
                for p, m, b in zip(sequence.truth(frame), moves[at], sequence.bodies, strict=True)
            ]
        before = time.thread_time()
        try:
            solution: Solution = finish(find_poses(problem, masks, prior=prior, prior_deg=options.prior_deg))
        except RegistrationError as error:
            print(f"  frame {frame}: {error}")
            continue
        seconds.append(time.thread_time() - before)
        frames.append(frame)
        solutions.append(solution)
    if solutions:
        report(sequence, frames, solutions, f"found from {options.masks} masks, {len(frames)} frames")
        print(f"  CPU s a pair: median {np.median(seconds):.2f}, most {max(seconds):.2f}")


if __name__ == "__main__":
    main()
