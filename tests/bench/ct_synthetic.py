"""Register a bone from CT to pictures of it whose truth is known; print errors.

``python -m tests.bench.ct_synthetic [--bone rad] [--pairs 20] [--amplitudes 5,10] [--size 512]``

The bone is a real one. The pictures come from its voxels by Siddon's method (the registration integrates a trilinear
field), at another scale of attenuation, from the CT resampled to voxels of other sizes, with soft tissue around it,
a second bone that the registration does not know, scatter, blur, noise and a residual distortion.
"""

import argparse
import time

import cv2
import numpy as np
from scipy import ndimage

from core.evaluation.pose_error import PoseErrors
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.view import View
from core.geometry.volume import Volume
from core.imaging.field_of_view import find_field_of_view
from core.registration.frame import register_frame
from core.registration.recipe import Recipe
from core.registration.values import Body, Problem, Shot, Solution, finish
from core.rendering.siddon import siddon_reference
from core.simulation.detector import ImageChain, expose, make_aperture
from core.simulation.rig import dual_plane_rig
from tests.bench.real_sequence import offsets
from tests.bench.wrist import bone

SCALE = 0.8
"""True attenuation over what the CT's numbers are taken for."""
_SUPERSAMPLE = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bone", default="rad")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--amplitudes", default="5,10")
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    body, other = bone(options.bone), bone("uln" if options.bone != "uln" else "rad")
    filmed, beside = resampled(body.volumes[0], 0.83), resampled(other.volumes[0], 0.83)
    scenes = [pictured(body, filmed, other, beside, options.size, seed) for seed in range(options.pairs)]
    for amplitude in map(float, options.amplitudes.split(",")):
        moves = offsets(options.pairs, 1, amplitude, 3)[:, 0]
        solutions: list[Solution] = []
        seconds = []
        for (shots, truth), move in zip(scenes, moves, strict=True):
            before = time.thread_time()
            solutions.append(
                finish(
                    register_frame(
                        Problem(bodies=(body,), shots=shots), [truth.perturbed(move, body.pivot_mm)], Recipe()
                    )
                )
            )
            seconds.append(time.thread_time() - before)
        errors = PoseErrors.between([s.poses[0] for s in solutions], [truth for _, truth in scenes], body.pivot_mm)
        (mm, deg), (mm95, deg95) = errors.percentile(50), errors.percentile(95)
        outcomes = [s.outcome.name for s in solutions]
        print(
            f"  {options.bone}, {options.pairs} pairs of {options.size} px, +-{amplitude:g}: within 1 mm and 1 deg "
            f"{errors.within(1, 1):.1%}, median {mm:.3f} mm {deg:.3f} deg, p95 {mm95:.2f} mm {deg95:.2f} deg; "
            f"cost {np.median([s.cost for s in solutions]):.3f}; CPU {np.median(seconds):.2f} s a pair; "
            f"{ {name: outcomes.count(name) for name in sorted(set(outcomes))} }"
        )


def resampled(volume: Volume, factor: float) -> Volume:
    """The volume on a grid of other voxels, cubic: neither its values nor its voxels are the registration's."""
    values = ndimage.zoom(volume.attenuation_per_mm, factor, order=3, mode="constant", grid_mode=False)
    shape = np.array(volume.attenuation_per_mm.shape[::-1]) - 1
    spacing = volume.spacing_mm * shape / (np.array(values.shape[::-1]) - 1)
    return Volume(
        attenuation_per_mm=np.clip(values, 0, None).astype(np.float32),
        spacing_mm=spacing,
        body_from_grid=volume.body_from_grid,
    )


def pictured(
    body: Body, filmed: Volume, other: Body, beside: Volume, size_px: int, seed: int
) -> tuple[tuple[Shot, Shot], Rigid]:
    """A picture pair of both bones in a limb, and the true pose of the first."""
    draw = np.random.default_rng([seed, 91])
    turn = so3_exp(draw.uniform(-1.2, 1.2, 3))
    place = draw.uniform(-15, 15, 3)
    truth = Rigid(rotation=turn, translation_mm=place - turn @ body.pivot_mm)
    aside = turn @ np.array([28.0, 6.0, 0.0])
    second = Rigid(rotation=turn, translation_mm=place + aside - turn @ other.pivot_mm)
    axis = turn @ np.array([0.0, 0.0, 1.0])
    shots = []
    for view in dual_plane_rig(size_px):
        # bones are small for this rig: nearer to the source they fill the picture as wrists do
        closer = magnified(view, 1.6)
        fine = closer.scaled(size_px * _SUPERSAMPLE, size_px * _SUPERSAMPLE)
        bones = SCALE * (siddon_reference(filmed, fine, truth) + siddon_reference(beside, fine, second))
        bones = cv2.resize(bones, (size_px, size_px), interpolation=cv2.INTER_AREA)
        chain = ImageChain()
        arriving = np.exp(-bones - limb(closer, place, axis, draw)).astype(np.float32)
        picture = expose(arriving, make_aperture(size_px, chain, draw), chain, view.pixel_spacing_mm or 1.0, draw)
        shots.append(Shot(view=closer, image=picture, usable=find_field_of_view([picture])))
    return (shots[0], shots[1]), truth


def magnified(view: View, by: float) -> View:
    """The view with its source and detector moved so that the body appears larger."""
    from dataclasses import replace

    depth = float(view.depth_mm(np.zeros(3)))
    return replace(view, camera_from_world=view.camera_from_world.shifted([0.0, 0.0, depth / by - depth]))


def limb(view: View, place: np.ndarray, axis: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Line integrals of soft tissue: a long cylinder, uneven by a smooth field."""
    rows, columns = np.mgrid[: view.height_px, : view.width_px]
    origin = np.asarray(view.project(place[None])[0])
    tip = np.asarray(view.project((place + 20 * axis)[None])[0])
    along = (tip - origin) / max(float(np.linalg.norm(tip - origin)), 1e-9)
    across = np.abs((columns - origin[0]) * along[1] - (rows - origin[1]) * along[0])
    span = view.millimetres_per_pixel(float(view.depth_mm(place)))
    depth_mm = 2 * np.sqrt(np.clip(38.0**2 - (across * span) ** 2, 0, None))
    texture = ndimage.gaussian_filter(draw.normal(size=depth_mm.shape), 0.03 * view.width_px)
    return np.asarray(0.02 * depth_mm * (1 + 0.08 * texture / max(float(np.abs(texture).max()), 1e-9)))


if __name__ == "__main__":
    main()
