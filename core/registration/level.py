"""One level of the pyramid: pictures cut around the bodies, ready to be compared with drawn ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float, Float32

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.imaging.field_of_view import distance_to_edge_px
from core.imaging.smoothing import block_mean, smooth
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body, Problem, Shot
from core.rendering.moment_raster import accumulate_moments
from core.rendering.path_length import lens_of
from core.rendering.shadow import FEATURES, pose_derivatives, shadow_features
from core.similarity.gradient_correlation import NormalEquations, Target, normal_equations, target_of

Poses = tuple[Rigid, ...]

_SMALLEST_CUT_PX = 16
_DARKEST_SHARE = 4 / 255
"""Intensities below this share of white are noise to the logarithm."""
_LOG_SCALE = 60.0


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """What every level of one problem needs of a shot, computed once."""

    view: View
    logarithm: Float32[np.ndarray, "h w"]
    edge_distance_px: Float32[np.ndarray, "h w"]

    @classmethod
    def of(cls, shot: Shot) -> "Pictures":
        """Logarithm of the intensity and the distance of each pixel from the image circle's edge."""
        known = _PREPARED.get(shot)
        if known is None:
            known = cls(
                view=shot.view,
                logarithm=log_intensity(shot.image, shot.usable),
                edge_distance_px=distance_to_edge_px(shot.usable),
            )
            _PREPARED[shot] = known
        return known


_PREPARED: WeakKeyDictionary[Shot, Pictures] = WeakKeyDictionary()


def log_intensity(image: np.ndarray, usable: np.ndarray) -> Float32[np.ndarray, "h w"]:
    """Logarithm of intensity over the darkest signal, which turns shadows that multiply into sums."""
    picture = np.asarray(image, dtype=np.float32)
    inside = picture[usable] if usable.any() else picture.reshape(-1)
    white = float(np.percentile(inside[:: max(1, inside.size // 50_000)], 99.5))
    darkest = max(white * _DARKEST_SHARE, 1e-6)
    return np.asarray(_LOG_SCALE * np.log(np.maximum(picture, darkest) / darkest), dtype=np.float32)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelView:
    """One view's cut at one level."""

    view: View
    target: Target


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """Mean cost over views with its Gauss-Newton model in twists of all bodies."""

    cost: float
    hessian: Float[np.ndarray, "k k"]
    rhs: Float[np.ndarray, " k"]
    per_view: tuple[NormalEquations, ...]

    def restricted_to(self, free: Sequence[int]) -> "Evaluation":
        """The same with only the twists of the given bodies as unknowns."""
        if len(self.rhs) == 6 * len(free):
            return self
        rows = np.concatenate([np.arange(6 * index, 6 * index + 6) for index in free])
        return replace(self, hessian=self.hessian[np.ix_(rows, rows)], rhs=self.rhs[rows])


@final
class Level:
    """Draws the bodies at poses and compares them with the pictures, at one picture size."""

    def __init__(
        self,
        bodies: Sequence[Body],
        pictures: Sequence[Pictures],
        start: Poses,
        stage: Stage,
        recipe: Recipe,
        attenuation_per_mm: Sequence[float] | None = None,
        also_around: Sequence[Poses] = (),
    ) -> None:
        """Cut the pictures around the bodies at ``start``, and at other poses that are to be compared.

        The recipe's attenuation by default. Costs can be compared only on the same cut: another one
        holds another share of what no body explains.
        """
        self._pivots_mm = [body.pivot_mm for body in bodies]
        self._attenuation = np.array(
            [recipe.attenuation_per_mm] * len(bodies) if attenuation_per_mm is None else attenuation_per_mm
        )
        self._supersample = stage.supersample
        self._smoothing_px = recipe.smoothing_px
        self._meshes = _meshes(bodies, pictures, start, stage)
        self.views = tuple(_cut(bodies, shot, (start, *also_around), stage, recipe) for shot in pictures)

    def evaluate(self, poses: Poses) -> Evaluation:
        """Cost and normal equations at the poses; views that see nothing count as cost 1."""
        systems = [self._evaluate_view(view, poses) for view in self.views]
        count = len(systems)
        return Evaluation(
            cost=sum(system.cost for system in systems) / count,
            hessian=sum((system.hessian for system in systems), np.zeros((6 * len(poses),) * 2)) / count,
            rhs=sum((system.rhs for system in systems), np.zeros(6 * len(poses))) / count,
            per_view=tuple(systems),
        )

    def _evaluate_view(self, cut: LevelView, poses: Poses) -> NormalEquations:
        drawn = self.draw(cut.view, poses)
        system = normal_equations(drawn, cut.target)
        axes = np.kron(np.eye(2 * len(poses)), cut.view.camera_from_world.rotation)
        return NormalEquations(
            cost=system.cost,
            correlation=system.correlation,
            hessian=axes.T @ system.hessian @ axes,
            rhs=axes.T @ system.rhs,
            pixels=system.pixels,
        )

    def cost_with(self, poses: Poses, attenuation_per_mm: Sequence[float]) -> float:
        """The cost at the poses if the bodies attenuated otherwise."""
        kept, self._attenuation = self._attenuation, np.asarray(attenuation_per_mm, dtype=np.float64)
        cost = self.evaluate(poses).cost
        self._attenuation = kept
        return cost

    def draw(self, view: View, poses: Poses) -> Float32[np.ndarray, "h w c"]:
        """The shadow and its derivatives with respect to camera-axis twists about the pivots."""
        s = self._supersample
        fine = view.scaled(view.width_px * s, view.height_px * s)
        lens = lens_of(fine)
        moments = np.zeros((len(poses), fine.height_px, fine.width_px, 2), dtype=np.float32)
        pivots = np.empty((len(poses), 3))
        for index, (mesh, pose) in enumerate(zip(self._meshes, poses, strict=True)):
            camera_from_body = view.camera_from_world @ pose
            pivots[index] = camera_from_body.apply(self._pivots_mm[index][None])[0]
            vertices = camera_from_body.apply(mesh.vertices_mm)
            if vertices[:, 2].min() > NEAREST_DEPTH_MM:
                accumulate_moments(vertices, mesh.faces, lens, pivots[index, 2], moments[index])
        features = np.empty((view.height_px, view.width_px, 1 + FEATURES * len(poses)), dtype=np.float32)
        shadow_features(moments, self._attenuation, pivots[:, 2].copy(), lens, s, features)
        features = smooth(features, self._smoothing_px)
        drawn = np.empty((view.height_px, view.width_px, 1 + 6 * len(poses)), dtype=np.float32)
        pose_derivatives(features, lens_of(view), pivots, drawn)
        return drawn


def shrink_factor(view: View, picture_px: int) -> int:
    """How many pixels one pixel of a level spans along each side."""
    return max(1, round(max(view.width_px, view.height_px) / picture_px))


def _meshes(
    bodies: Sequence[Body], pictures: Sequence[Pictures], start: Poses, stage: Stage
) -> tuple[TriangleMesh, ...]:
    chosen = []
    for body, pose in zip(bodies, start, strict=True):
        footprints = [
            shot.view.millimetres_per_pixel(abs(shot.view.depth_mm(pose.translation_mm)))
            * shrink_factor(shot.view, stage.picture_px)
            for shot in pictures
        ]
        chosen.append(body.level_for(0.12 * min(footprints)))
    return tuple(chosen)


def _cut(bodies: Sequence[Body], shot: Pictures, around: Sequence[Poses], stage: Stage, recipe: Recipe) -> LevelView:
    factor = shrink_factor(shot.view, stage.picture_px)
    small = shot.logarithm
    view = _shrunk(shot.view, factor)
    left, top, width, height = _window(bodies, view, around, stage.margin_mm)
    part = small[top * factor : (top + height) * factor, left * factor : (left + width) * factor]
    picture = smooth(block_mean(part, factor)[..., None], recipe.smoothing_px)[..., 0]
    middle = factor // 2
    distance = shot.edge_distance_px[middle::factor, middle::factor][top : top + height, left : left + width]
    scale = max(shot.view.width_px, shot.view.height_px) / 1024
    kept = recipe.circle_margin_px * scale + factor * (recipe.smoothing_px + 1.0)
    return LevelView(
        view=view.cropped(left, top, width, height),
        target=target_of(picture, distance > kept, stage.clip_quantile),
    )


def _shrunk(view: View, factor: int) -> View:
    width, height = view.width_px // factor, view.height_px // factor
    return view.cropped(0, 0, width * factor, height * factor).scaled(width, height)


def _window(bodies: Sequence[Body], view: View, around: Sequence[Poses], margin_mm: float) -> tuple[int, int, int, int]:
    """Left, top, width, height of the part of the picture around the bodies, at least 16 px a side."""
    corners = []
    for body, pose in ((body, poses[k]) for poses in around for k, body in enumerate(bodies)):
        mesh = body.levels[-1]
        pixels = view.project(pose.apply(mesh.vertices_mm))
        pixels = pixels[np.isfinite(pixels).all(axis=1)]
        depth = max(view.depth_mm(pose.translation_mm), 1.0)
        if len(pixels):
            margin = margin_mm / view.millimetres_per_pixel(depth)
            corners += [pixels.min(axis=0) - margin, pixels.max(axis=0) + margin]
    size = np.array([view.width_px, view.height_px])
    if not corners:
        return 0, 0, view.width_px, view.height_px
    low = np.clip(np.floor(np.min(corners, axis=0)), 0, np.maximum(size - _SMALLEST_CUT_PX, 0)).astype(int)
    high = np.clip(np.ceil(np.max(corners, axis=0)), 0, size).astype(int)
    extent = np.minimum(np.maximum(high - low, _SMALLEST_CUT_PX), size - low)
    return int(low[0]), int(low[1]), int(extent[0]), int(extent[1])


def pictures_of(problem: Problem) -> tuple[Pictures, ...]:
    """The prepared pictures of all shots."""
    return tuple(Pictures.of(shot) for shot in problem.shots)
