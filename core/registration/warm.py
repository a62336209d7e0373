"""Compile, or load from the cache, every kernel that a registration calls, before the first one is asked for."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.recipe import Recipe, Stage
from core.registration.score import view_scores
from core.registration.values import Problem, Shot
from core.rendering.path_length import path_length
from core.rendering.silhouette import silhouette

_SIZE_PX = 64
_KINDS: tuple[type, ...] = (np.uint8, np.uint16, np.float32)
_RECIPE = Recipe(
    stages=(
        Stage(picture_px=32, supersample=2, margin_mm=20.0, clip_quantile=0.9, iterations=1),
        Stage(picture_px=64, iterations=1),
    ),
    fewest_px_to_choose=64,
    second_starts=0,
    mirrored=False,
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Warming:
    """A report: what is ready now."""

    what: str
    fraction: float


def warm_up() -> Generator[Warming, None, None]:
    """Register two boxes in tiny pictures of every kind, so that all kernels are there with their real types.

    Takes half a minute on a machine that has never done it, and a second once they are cached. Yields after every
    evaluation; closing the generator stops it.
    """
    mesh = _box()
    bodies = tuple(prepare_body(name, mesh) for name in ("one", "other"))
    yield Warming(what="surfaces", fraction=0.0)
    poses = tuple(Rigid(rotation=np.eye(3), translation_mm=np.array([x, x, 0.0])) for x in (0.0, 12.0))
    views = tuple(_view(name, turn) for name, turn in (("A", 0.0), ("B", 90.0)))
    silhouette(mesh, views[0], poses[0])
    for at, kind in enumerate(_KINDS):
        problem = Problem(bodies=bodies, shots=tuple(_shot(view, mesh, poses, kind) for view in views))
        for _ in register_frame(problem, poses, _RECIPE):
            yield Warming(what=f"pictures of {np.dtype(kind).name}", fraction=at / len(_KINDS))
    view_scores(problem, poses)
    yield Warming(what="all", fraction=1.0)


def _box() -> TriangleMesh:
    """20 x 30 x 40 mm, closed, outside out."""
    corners = np.array([[x, y, z] for x in (-10.0, 10.0) for y in (-15.0, 15.0) for z in (-20.0, 20.0)])
    squares = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = [corner for a, b, c, d in squares for corner in ((a, b, c), (a, c, d))]
    return TriangleMesh(vertices_mm=corners, faces=np.array(faces))


def _view(name: str, turn_deg: float) -> View:
    upright = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]])
    turned = Rigid.from_euler([turn_deg, 0.0, 0.0], [0.0, 0.0, 0.0], order="YXZ").rotation
    return View(
        name=name,
        camera_from_world=Rigid(rotation=upright @ turned, translation_mm=np.array([0.0, 0.0, 1000.0])),
        focal_px=(10.0 * _SIZE_PX, 10.0 * _SIZE_PX),
        principal_px=(0.5 * _SIZE_PX, 0.5 * _SIZE_PX),
        width_px=_SIZE_PX,
        height_px=_SIZE_PX,
    )


def _shot(view: View, mesh: TriangleMesh, poses: Sequence[Rigid], kind: type) -> Shot:
    """As the program hands pictures over: neither picture nor mask can be written to."""
    path_mm = sum(path_length(mesh, view, pose) for pose in poses)
    image: np.ndarray = (np.exp(-0.05 * np.asarray(path_mm)) * 200).astype(kind)
    usable = np.ones(image.shape, dtype=bool)
    image.flags.writeable = usable.flags.writeable = False
    return Shot(view=view, image=image, usable=usable)
