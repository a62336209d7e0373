"""Other starts worth a try: perturbed, mirrored and turned poses."""

from collections.abc import Sequence

import numpy as np

from core.geometry.rigid import Rigid
from core.geometry.symmetry import Symmetry
from core.geometry.view import View
from core.registration.recipe import Recipe
from core.registration.values import Body

TURNS_DEG = (-50.0, 50.0, 180.0)
"""Turns about the axis about which a nearly symmetric body changes least."""


def perturbed(body: Body, pose: Rigid, recipe: Recipe, generator: np.random.Generator) -> list[Rigid]:
    """Random moves of the pose about the body's pivot, uniform within the recipe's spread."""
    moves = generator.uniform(-1, 1, (recipe.second_starts, 6))
    moves[:, :3] *= recipe.spread_mm
    moves[:, 3:] *= np.radians(recipe.spread_deg)
    return [pose.perturbed(move, body.pivot_mm) for move in moves]


def mirrored_and_turned(body: Body, pose: Rigid, views: Sequence[View]) -> list[Rigid]:
    """The poses at which a nearly symmetric body casts nearly the same shadow; none for others."""
    if body.symmetry is None:
        return []
    mirrored = [mirrored_pose(body.symmetry, pose, view) for view in views]
    axis_world = pose.rotate(body.symmetry.turn_axis[None])[0]
    centre_mm = pose.apply(body.symmetry.centre_mm[None])[0]
    return mirrored + [pose.turned(np.radians(angle) * axis_world, centre_mm) for angle in TURNS_DEG]


def mirrored_pose(symmetry: Symmetry, pose: Rigid, view: View) -> Rigid:
    """The pose that a single view cannot tell from this one.

    Reflecting the world along the viewing ray keeps the shadow (but for perspective); reflecting the
    body in its own plane undoes the change of handedness.
    """
    centre_mm = pose.apply(symmetry.centre_mm[None])[0]
    ray = centre_mm - view.source_world_mm
    ray = ray / np.linalg.norm(ray)
    flip_world = np.eye(3) - 2 * np.outer(ray, ray)
    flip_body = np.eye(3) - 2 * np.outer(symmetry.mirror_normal, symmetry.mirror_normal)
    rotation = flip_world @ pose.rotation @ flip_body
    return Rigid(rotation=rotation, translation_mm=centre_mm - rotation @ symmetry.centre_mm)
