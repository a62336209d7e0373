"""One level of the pyramid: pictures cut around the bodies, ready to be compared with drawn ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Float32, Int64

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.imaging.smoothing import block_mean, gaussian_kernel, smooth
from core.registration.fused_kernels import draw_surface, equations_in_world, gradient_gram
from core.registration.pictures import Pictures, log_intensity, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body
from core.rendering.path_length import lens_of
from core.rendering.shadow import FEATURES, pose_derivatives, shadow_features
from core.similarity.gradient_correlation import (
    FEWEST_PIXELS,
    NormalEquations,
    Target,
    normal_equations,
    says_nothing,
    target_of,
)

Poses = tuple[Rigid, ...]

__all__ = ["Evaluation", "Level", "LevelView", "Pictures", "Poses", "log_intensity", "pictures_of", "shrink_factor"]

_SMALLEST_CUT_PX = 16


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelView:
    """One view's cut at one level; the planes are what the fused kernels read."""

    view: View
    target: Target
    weight: Float32[np.ndarray, "h w"]
    """Root of each pixel's weight: 1 where it counts."""
    weighted: Float32[np.ndarray, "2 h w"]
    """The target's gradient times the weight, one plane a component."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Moments of one body in the box that its shadow can reach."""

    box: Int64[np.ndarray, "4"]
    """(left, top, width, height) in pixels of the cut."""
    moments: Float32[np.ndarray, "high wide 2"]
    """On the supersampled grid of the box."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """Mean cost over views with its Gauss-Newton model in twists of the free bodies."""

    cost: float
    hessian: Float[np.ndarray, "k k"]
    rhs: Float[np.ndarray, " k"]
    per_view: tuple[NormalEquations, ...]


@final
class Level:
    """Draws the bodies at poses and compares them with the pictures, at one picture size.

    For one thread at a time: what was drawn last of each body is kept, since most bodies stand still
    while one is tried.
    """

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
        self._kernel = gaussian_kernel(recipe.smoothing_px) if recipe.smoothing_px > 0 else np.ones(1, np.float32)
        self._meshes = _meshes(bodies, pictures, start, stage)
        self.views = tuple(_cut(bodies, shot, (start, *also_around), stage, recipe) for shot in pictures)
        self._last: dict[tuple[int, int], tuple[Rigid, Drawn]] = {}

    def evaluate(self, poses: Poses, free: Sequence[int] | None = None) -> Evaluation:
        """Cost and normal equations at the poses; views that see nothing count as cost 1.

        The unknowns are the twists of the ``free`` bodies, in their order; of all by default.
        """
        free = range(len(poses)) if free is None else free
        return _mean([self._evaluate_view(index, poses, free) for index in range(len(self.views))], 6 * len(free))

    def evaluate_plainly(self, poses: Poses) -> Evaluation:
        """The same, one plain step after the other: the reference that ``evaluate`` must agree with."""
        systems = []
        for cut in self.views:
            system = normal_equations(self.draw(cut.view, poses), cut.target)
            axes = np.kron(np.eye(2 * len(poses)), cut.view.camera_from_world.rotation)
            systems.append(replace(system, hessian=axes.T @ system.hessian @ axes, rhs=axes.T @ system.rhs))
        return _mean(systems, 6 * len(poses))

    def cost_with(self, poses: Poses, attenuation_per_mm: Sequence[float]) -> float:
        """The cost at the poses if the bodies attenuated otherwise."""
        kept, self._attenuation = self._attenuation, np.asarray(attenuation_per_mm, dtype=np.float64)
        cost = self.evaluate(poses, ()).cost
        self._attenuation = kept
        return cost

    def draw(self, view: View, poses: Poses) -> Float32[np.ndarray, "h w c"]:
        """The shadow and its derivatives with respect to camera-axis twists about the pivots."""
        s = self._supersample
        moments = np.zeros((len(poses), view.height_px * s, view.width_px * s, 2), dtype=np.float32)
        pivots = np.array([self._pivot_camera_mm(index, view, pose) for index, pose in enumerate(poses)])
        for index, pose in enumerate(poses):
            drawn = self._draw_body(index, view, pose, pivots[index, 2])
            left, top, width, height = drawn.box * s
            moments[index, top : top + height, left : left + width] = drawn.moments
        features = np.empty((view.height_px, view.width_px, 1 + FEATURES * len(poses)), dtype=np.float32)
        lens = lens_of(_finer(view, s))
        shadow_features(moments, self._attenuation, pivots[:, 2].copy(), lens, s, features)
        features = smooth(features, self._smoothing_px)
        drawn_picture = np.empty((view.height_px, view.width_px, 1 + 6 * len(poses)), dtype=np.float32)
        pose_derivatives(features, lens_of(view), pivots, drawn_picture)
        return drawn_picture

    def _pivot_camera_mm(self, index: int, view: View, pose: Rigid) -> Float[np.ndarray, "3"]:
        pivot_world_mm = pose.rotation @ self._pivots_mm[index] + pose.translation_mm
        camera = view.camera_from_world
        return camera.rotation @ pivot_world_mm + camera.translation_mm

    def _draw_body(self, index: int, view: View, pose: Rigid, depth_mm: float) -> Drawn:
        """The moments of one body about ``depth_mm``: the one place that knows what bodies are made of."""
        mesh = self._meshes[index]
        camera = view.camera_from_world
        box, moments = draw_surface(
            mesh.vertices_mm,
            mesh.faces,
            (camera.rotation, camera.translation_mm),
            (pose.rotation, pose.translation_mm),
            depth_mm,
            lens_of(_finer(view, self._supersample)),
            (view.width_px, view.height_px),
            self._supersample,
            self._margin_px,
            NEAREST_DEPTH_MM,
        )
        return Drawn(box=box, moments=moments)

    @property
    def _margin_px(self) -> int:
        """How far around its shadow a body's derivatives reach: secant, smoothing, difference."""
        return 2 + len(self._kernel) // 2

    def _drawn(self, at: int, index: int, pose: Rigid, depth_mm: float) -> Drawn:
        """As ``_draw_body``, or what was drawn last if the body has not moved."""
        known = self._last.get((at, index))
        if known is not None and known[0] is pose:
            return known[1]
        drawn = self._draw_body(index, self.views[at].view, pose, depth_mm)
        self._last[at, index] = (pose, drawn)
        return drawn

    def _evaluate_view(self, at: int, poses: Poses, free: Sequence[int]) -> NormalEquations:
        cut = self.views[at]
        pivots = np.array([self._pivot_camera_mm(index, cut.view, pose) for index, pose in enumerate(poses)])
        if cut.target.pixels < FEWEST_PIXELS or cut.target.energy <= 0:
            return says_nothing(6 * len(free))
        drawn = [self._drawn(at, index, pose, pivots[index, 2]) for index, pose in enumerate(poses)]
        starts = np.cumsum([0, *[one.moments.size for one in drawn]])
        gram = gradient_gram(
            np.concatenate([one.moments.reshape(-1) for one in drawn]),
            starts,
            np.stack([one.box for one in drawn]),
            np.array(free, dtype=np.int64),
            self._attenuation,
            pivots,
            lens_of(cut.view),
            lens_of(_finer(cut.view, self._supersample)),
            self._supersample,
            self._kernel,
            cut.weight,
            cut.weighted,
        )
        if gram[0, 0] <= 0:
            return says_nothing(6 * len(free))
        cost, correlation, hessian, rhs = equations_in_world(
            gram, cut.target.energy, cut.view.camera_from_world.rotation
        )
        return NormalEquations(
            cost=cost, correlation=correlation, hessian=hessian, rhs=rhs, pixels=cut.target.pixels
        )


def _mean(systems: Sequence[NormalEquations], size: int) -> Evaluation:
    count = len(systems)
    return Evaluation(
        cost=sum(system.cost for system in systems) / count,
        hessian=sum((system.hessian for system in systems), np.zeros((size, size))) / count,
        rhs=sum((system.rhs for system in systems), np.zeros(size)) / count,
        per_view=tuple(systems),
    )


def _finer(view: View, supersample: int) -> View:
    return view if supersample == 1 else view.scaled(view.width_px * supersample, view.height_px * supersample)


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
    target = target_of(picture, distance > kept, stage.clip_quantile)
    weight = target.counts.astype(np.float32)
    return LevelView(
        view=view.cropped(left, top, width, height),
        target=target,
        weight=weight,
        weighted=np.ascontiguousarray(np.moveaxis(target.gradient, -1, 0) * weight),
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
