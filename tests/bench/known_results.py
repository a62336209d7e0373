"""Registrations whose error is known, simulated and real: what covariance and risk are fitted to and checked on.

``python -m tests.bench.known_results OUT.npz --cache FOLDER [--implants procedural,cams,kneeling] [--real]``

Each row is one body of one result: where it comes from, its error in the world's axes, its covariance, its features.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.geometry.rigid import Rigid, so3_log
from core.registration.frame import register_frame
from core.registration.level import Level, pictures_of
from core.registration.recipe import Recipe
from core.registration.risk import features_of
from core.registration.values import Problem, finish
from tests.bench.real_sequence import Sequence111, offsets
from tests.bench.scenes_of_conditions import CONDITIONS, EVERYTHING, bodies_of, scene

FIRST_SEED = {"procedural": 0, "cams": 1000, "kneeling": 1000}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A problem, its truth and its starts."""

    source: str
    condition: str
    amplitude: float
    problem: Problem
    truth: tuple[Rigid, ...]
    starts: tuple[Rigid, ...]
    recipe: Recipe


def simulated(implant: str, seed: int, size_px: int, cache: Path, near: bool) -> Iterator[Case]:
    """All conditions from near and, unless ``near``, from far without second starts, so that some go wrong."""
    known = scene(implant, seed, size_px, cache)
    for at, condition in enumerate((*CONDITIONS, *EVERYTHING)):
        problem, truth = known.problem(condition, bodies_of(implant))
        for amplitude in (5.0,) if near or condition in EVERYTHING else (5.0, 20.0):
            moves = offsets(1, len(truth), amplitude, 100 * seed + at)[0]
            starts = tuple(
                pose.perturbed(move, body.pivot_mm)
                for pose, move, body in zip(truth, moves, problem.bodies, strict=True)
            )
            recipe = Recipe() if amplitude < 10 else Recipe(second_starts=0, mirrored=False)
            yield Case(
                source=implant,
                condition=condition,
                amplitude=amplitude,
                problem=problem,
                truth=truth,
                starts=starts,
                recipe=recipe,
            )


def real(step: int) -> Iterator[Case]:
    """The real knee from near, and from far without second starts."""
    sequence = Sequence111(("femur", "tibia"))
    for amplitude in (5.0, 15.0, 25.0):
        moves = offsets(len(sequence.frames), 2, amplitude, int(amplitude))
        for at, frame in enumerate(sequence.frames[::step]):
            problem = Problem(bodies=sequence.bodies, shots=sequence.shots(frame))
            starts = tuple(
                p.perturbed(m, b.pivot_mm)
                for p, m, b in zip(sequence.truth(frame), moves[at], sequence.bodies, strict=True)
            )
            recipe = Recipe() if amplitude < 10 else Recipe(second_starts=0, mirrored=False)
            yield Case(
                source=f"real {at % 2}",
                condition="real",
                amplitude=amplitude,
                problem=problem,
                truth=sequence.truth(frame),
                starts=starts,
                recipe=recipe,
            )


def rows_of(case: Case) -> list[tuple[object, ...]]:
    solution = finish(register_frame(case.problem, case.starts, case.recipe))
    last = Level(
        case.problem.bodies,
        pictures_of(case.problem),
        solution.poses,
        case.recipe.stages[-1],
        case.recipe,
        solution.attenuation_per_mm or None,
    ).evaluate(solution.poses)
    rows: list[tuple[object, ...]] = []
    every = features_of(case.problem, solution.poses, last, case.recipe.stages[-1].picture_px)
    for index, body in enumerate(case.problem.bodies):
        pose, truth = solution.poses[index], case.truth[index]
        shift = pose.apply(body.pivot_mm[None])[0] - truth.apply(body.pivot_mm[None])[0]
        error = np.concatenate([shift, so3_log(pose.rotation @ truth.rotation.T)])
        covariance = solution.covariance_of(index)
        axes = np.stack([shot.view.camera_from_world.rotation for shot in case.problem.shots])[:2]
        rows.append(
            (
                case.source,
                case.condition,
                case.amplitude,
                body.name,
                error,
                covariance,
                every[index],
                axes,
                solution.outcome.name,
                solution.cost,
            )
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--implants", default="procedural,cams,kneeling")
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--sizes", default="512", help="of the pictures, px")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--near", action="store_true", help="no starts from far away")
    parser.add_argument("--step", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    rows: list[tuple[object, ...]] = []

    def of_seed(asked: tuple[str, int, int]) -> list[tuple[object, ...]]:
        return [row for case in simulated(*asked, options.cache, options.near) for row in rows_of(case)]

    asked = [
        (implant, FIRST_SEED[implant] + n, size)
        for implant in filter(None, options.implants.split(","))
        for size in map(int, options.sizes.split(","))
        for n in range(options.scenes)
    ]
    with ThreadPoolExecutor(options.threads) as pool:
        for found in pool.map(of_seed, asked):
            rows += found
        if options.real:
            for found in pool.map(rows_of, real(options.step)):
                rows += found
    names = (
        "source",
        "condition",
        "amplitude",
        "body",
        "error",
        "covariance",
        "features",
        "axes",
        "outcome",
        "cost",
    )
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    np.savez_compressed(options.out, **dict(zip(names, columns, strict=True)))
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
