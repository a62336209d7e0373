"""Track a long sequence of small pictures; print the memory as it goes, and whether threads change the results.

``python -m tests.bench.long_sequence [--frames 10000] [--size 96]``

The pictures are drawn one by one by the exact renderer at a few poses and shifted about; what is measured is the
memory of tracking, not its accuracy.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from core.geometry.rigid import Rigid, so3_exp
from core.registration.body import prepare_body
from core.registration.recipe import Recipe, Stage
from core.registration.sequence import FrameResult, TrackStep, track
from core.registration.values import Shot
from tests.scenes import implant, rig, shot

KINDS = 40
"""Different pictures, shown there and back over and over."""


def pose_at(index: int) -> Rigid:
    """A slow swing."""
    phase = 2 * np.pi * index / (2 * KINDS - 2)
    return Rigid(
        rotation=so3_exp(np.array([0.4 + 0.1 * np.sin(phase), -0.3, 0.8 + 0.15 * np.cos(phase)])),
        translation_mm=[8.0 + 5 * np.sin(phase), -5.0, 12.0],
    )


def resident_mb() -> float:
    """Memory of this process now, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=96)
    options = parser.parse_args()
    body = prepare_body("implant", implant(3.0))
    recipe = Recipe(stages=(Stage(picture_px=options.size // 2), Stage(picture_px=options.size)), second_starts=0)
    known = [
        tuple(shot(view, [(implant(3.0), pose_at(index), 0.4)]) for view in rig(options.size)) for index in range(KINDS)
    ]
    rounds = [*range(KINDS), *range(KINDS - 2, 0, -1)]

    def shots_of(frame: int) -> tuple[Shot, ...]:
        # a new array each time, as a picture read from the disk would be
        return tuple(
            Shot(view=one.view, image=one.image.copy(), usable=one.usable) for one in known[rounds[frame % len(rounds)]]
        )

    frames = range(options.frames)
    work = track(shots_of, (body,), frames, {0: (pose_at(0),)}, recipe, workers=2)
    began, first = time.perf_counter(), 0.0
    results: tuple[FrameResult, ...] = ()
    while True:
        try:
            step: TrackStep = next(work)
        except StopIteration as end:
            results = end.value
            break
        if step.result is not None and (step.index + 1) % max(options.frames // 10, 1) == 0:
            here = resident_mb()
            first = first or here
            print(
                f"  {step.index + 1:6d} frames, {time.perf_counter() - began:6.1f} s, {here:7.1f} MB resident",
                flush=True,
            )
    lost = sum(not result.succeeded for result in results)
    grown = resident_mb() - first
    print(
        f"{options.frames} frames of {options.size} px: lost {lost}; from the first tenth to the end {grown:+.1f} MB, "
        f"{1e6 * grown / max(options.frames * 0.9, 1):.0f} bytes a frame (the results themselves are kept)"
    )
    few = range(60)
    same = [finish_all(shots_of, body, few, recipe, workers) for workers in (1, 2)]
    print(f"with one and two workers the same to the bit: {same[0] == same[1]}")


def finish_all(shots_of: object, body: object, frames: range, recipe: Recipe, workers: int) -> list[bytes]:
    """The poses of a short track as bytes."""
    from core.registration.values import finish

    results = finish(track(shots_of, (body,), frames, {0: (pose_at(0),)}, recipe, workers=workers))  # type: ignore[arg-type]
    return [r.solution.poses[0].as_matrix().tobytes() for r in results if r.solution is not None]


if __name__ == "__main__":
    main()
