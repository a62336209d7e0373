"""Register the bones of a real wrist from their CT; no poses are known, so print how well starts and views agree.

``python -m tests.bench.wrist [--starts 20] [--amplitude 5] [--factor 0.5] [--out FOLDER]``

Radius, ulna and two metacarpals in three picture pairs, each from starts off by U(-amplitude, amplitude) mm and deg an
axis around a hand-set pose: the share that ends in one pose, the spread there, how far each view alone ends from both.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from core.geometry.rigid import Rigid
from core.imaging.field_of_view import find_field_of_view
from core.io.images import read_image
from core.io.mayacam import read_mayacam
from core.io.volumes import read_voxels
from core.registration.bone import prepare_bone, typical_slope_per_mm
from core.registration.frame import register_frame
from core.registration.recipe import Recipe
from core.registration.values import Body, Problem, Shot, finish
from core.rendering.silhouette import silhouette
from core.study.values import FileLink, VolumeLink, VoxelValues
from tests.bench.real_sequence import offsets
from tests.real_data import REAL

FOLDER = REAL / "biplane_wrist"
SPACING_MM = (0.39625, 0.39625, 0.625)
STARTS = {
    (0, "rad"): ([59.9, -69.9, -119.5], [124.2, 116.7, 80.5]),
    (0, "uln"): ([-84.3, -21.3, 87.3], [115.2, 124.7, 113.3]),
    (1, "rad"): ([61.5, -83.4, -117.5], [123.2, 116.5, 103.4]),
    (1, "uln"): ([-86.9, -20.2, 81.3], [112.8, 127.7, 132.9]),
    (2, "rad"): ([64.7, -83.9, -114.1], [122.1, 115.8, 105.0]),
    (2, "uln"): ([-87.4, -20.2, 80.7], [111.1, 127.6, 134.4]),
    (0, "mc2_mc3"): ([29.4, -67.7, -178.2], [159.9, 55.9, 47.3]),
    (1, "mc2_mc3"): ([166.9, -64.7, -20.6], [139.9, 42.3, 126.6]),
    (2, "mc2_mc3"): ([163.3, -58.1, -16.7], [129.8, 41.9, 136.6]),
}
"""Pair and bone: world_from_body as ZXY angles (deg) and mm, rounded; of the forearm from a search in regions drawn by
hand, of the second and third metacarpal (one piece of CT) from landmarks picked in both views."""


def shots() -> list[tuple[Shot, Shot]]:
    """The three picture pairs."""
    planes = []
    for plane in (1, 2):
        view = read_mayacam(FOLDER / "Calibration" / f"xr_calib_wrist_cam0{plane}.txt", "AB"[plane - 1])
        paths = sorted((FOLDER / "XMA_UND" / f"xr_data_wrist_cam0{plane}").glob("*.tif"))
        pictures = [read_image(path) for path in paths]
        usable = find_field_of_view(pictures)
        planes.append([Shot(view=view, image=picture, usable=usable) for picture in pictures])
    return list(zip(*planes, strict=True))


def bone(name: str) -> Body:
    """A bone from its cropped CT."""
    path = FOLDER / "Models" / f"{name}_dcm_cropped.tif"
    voxels = read_voxels(path, spacing_mm=SPACING_MM)
    said = VolumeLink(
        file=FileLink(path=path),
        values=VoxelValues.LINEAR,
        spacing_mm=SPACING_MM,
        slope_per_mm=typical_slope_per_mm(voxels),
    )
    return prepare_bone(name, voxels, said)


def apart(one: Rigid, other: Rigid, body: Body) -> tuple[float, float]:
    """Distance of the pivots (mm) and angle (deg)."""
    shift = one.apply(body.pivot_mm[None])[0] - other.apply(body.pivot_mm[None])[0]
    return float(np.linalg.norm(shift)), float(one.angle_deg_to(other))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--amplitude", type=float, default=5.0)
    parser.add_argument("--factor", type=float, default=Recipe().volume_factor)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    pairs, bones = shots(), {name: bone(name) for name in ("rad", "uln", "mc2_mc3")}
    recipe = Recipe(mirrored=False, second_starts=0, volume_factor=options.factor)
    for (pair, name), (angles, place) in STARTS.items():
        measure(pairs[pair], bones[name], Rigid.from_euler(angles, place), recipe, options, f"pair {pair} {name}")


def measure(
    pair: tuple[Shot, Shot], body: Body, near: Rigid, recipe: Recipe, options: argparse.Namespace, label: str
) -> None:
    moves = offsets(options.starts, 1, options.amplitude, 0)[:, 0]
    problem = Problem(bodies=(body,), shots=pair)
    before = time.process_time()
    solutions = [finish(register_frame(problem, [near.perturbed(m, body.pivot_mm)], recipe)) for m in moves]
    seconds = (time.process_time() - before) / options.starts
    best = min(solutions, key=lambda solution: solution.cost)
    home = [s for s in solutions if max(apart(s.poses[0], best.poses[0], body)) < 1.0]
    twists = np.array([spread_of(s.poses[0], best.poses[0], body) for s in home])
    mm, deg = twists[:, :3].std(axis=0), twists[:, 3:].std(axis=0)
    alone = []
    for shot in pair:
        single = finish(register_frame(Problem(bodies=(body,), shots=(shot,)), best.poses, recipe))
        here, there = (pose.apply(body.pivot_mm[None])[0] for pose in (single.poses[0], best.poses[0]))
        pixels = np.linalg.norm(shot.view.project(here[None])[0] - shot.view.project(there[None])[0])
        depth = shot.view.depth_mm(there)
        across = pixels * shot.view.millimetres_per_pixel(depth)
        turn = float(single.poses[0].angle_deg_to(best.poses[0]))
        depth_off = abs(shot.view.depth_mm(here) - depth)
        alone.append(f"{across:.2f} mm in its plane, {depth_off:.0f} mm in depth, {turn:.1f} deg")
    print(
        f"  {label}: {len(home)} of {len(solutions)} in one pose; SD there {mm.max():.3f} mm {deg.max():.3f} deg; cost "
        f"{best.cost:.3f}, scores {best.view_scores[0]:.2f} {best.view_scores[1]:.2f}; factor "
        f"{best.attenuation_per_mm[0]:g}; each view alone off by {'; '.join(alone)}; CPU {seconds:.2f} s"
    )
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(options.out / f"{label.replace(' ', '_')}.png"), overlay(pair, body, best.poses[0]))


def spread_of(pose: Rigid, home: Rigid, body: Body) -> np.ndarray:
    """Shift of the pivot (mm) and turn (deg) along the world's axes."""
    shift = pose.apply(body.pivot_mm[None])[0] - home.apply(body.pivot_mm[None])[0]
    turn = Rigid(rotation=pose.rotation @ home.rotation.T, translation_mm=np.zeros(3)).log()[3:]
    return np.concatenate([shift, np.degrees(turn)])


def overlay(pair: Sequence[Shot], body: Body, pose: Rigid) -> np.ndarray:
    """Both pictures with the outline, side by side."""
    drawn = []
    for shot in pair:
        picture = cv2.cvtColor(np.asarray(shot.image, dtype=np.uint8), cv2.COLOR_GRAY2BGR)
        for one, other in np.round(silhouette(body.mesh, shot.view, pose).segments_px).astype(int).tolist():
            cv2.line(picture, tuple(one), tuple(other), (0, 0, 255), 2)
        drawn.append(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return np.hstack(drawn)


if __name__ == "__main__":
    main()
