"""One level of the pyramid: pictures cut around the bodies, ready to be compared with drawn ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Float32, Int64

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.geometry.volume import Volume
from core.imaging.smoothing import gaussian_kernel, smooth
from core.registration.cut_ends import beyond_cut_ends
from core.registration.fused_kernels import equations_in_world, gradient_gram
from core.registration.pictures import Pictures, log_intensity, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body
from core.registration.visibility import pixel_bounds
from core.rendering.boxed_moments import draw_surface
from core.rendering.boxed_volume import draw_volume
from core.rendering.path_length import lens_of
from core.rendering.shadow import FEATURES, pose_derivatives, shadow_features
from core.similarity.gradient_correlation import (
    FEWEST_PIXELS,
    NormalEquations,
    Target,
    central_differences,
    normal_equations,
    says_nothing,
    target_of,
)

Poses = tuple[Rigid, ...]

__all__ = ["Evaluation", "Level", "LevelView", "Pictures", "Poses", "log_intensity", "pictures_of", "shrink_factor"]

_SMALLEST_CUT_PX = 16
_VOXELS_A_PIXEL = 1.0
_OUTLIER_SMOOTHING_PX = 1.0
_EDGE_SHARE = 0.2
"""Drawn gradients above this share of the largest are edges."""
"""Largest voxel over the pixel's footprint at which a volume still looks as fine as the picture."""


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
    picture: Float32[np.ndarray, "h w"]
    """The smoothed log picture of which the target holds the gradients."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grid:
    """A view's numbers as the kernels take them."""

    size: tuple[int, int]
    camera_from_world: tuple[np.ndarray, np.ndarray]
    lens: Float[np.ndarray, "4"]
    fine_lens: Float[np.ndarray, "4"]
    """Of the supersampled grid."""

    @classmethod
    def of(cls, view: View, supersample: int) -> "_Grid":
        fine = view.scaled(view.width_px * supersample, view.height_px * supersample)
        camera = view.camera_from_world
        return cls(
            size=(view.width_px, view.height_px),
            camera_from_world=(camera.rotation, camera.translation_mm),
            lens=lens_of(view),
            fine_lens=lens_of(fine),
        )

    def camera_mm(self, pose: Rigid, point_mm: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """A point of a body in the camera's frame."""
        turn, shift = self.camera_from_world
        return np.asarray(turn @ (pose.rotation @ point_mm + pose.translation_mm) + shift)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Moments of one body in the box that its shadow can reach."""

    box: Int64[np.ndarray, "4"]
    """(left, top, width, height) in pixels of the cut."""
    moments: Float32[np.ndarray, "high wide 2"]
    """On the supersampled grid of the box."""
    pivot_camera_mm: Float[np.ndarray, "3"]
    """Its depth is what the moments are about."""


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
            recipe.first_attenuations(bodies) if attenuation_per_mm is None else attenuation_per_mm
        )
        self._supersample = stage.supersample
        self._smoothing_px = recipe.smoothing_px
        self._kernel = gaussian_kernel(recipe.smoothing_px) if recipe.smoothing_px > 0 else np.ones(1, np.float32)
        self._solids = _solids(bodies, pictures, start, stage)
        self.views = tuple(_cut(bodies, shot, (start, *also_around), stage, recipe) for shot in pictures)
        self._grids = tuple(_Grid.of(cut.view, stage.supersample) for cut in self.views)
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
        return self.evaluate_with(poses, attenuation_per_mm, ()).cost

    def evaluate_with(
        self, poses: Poses, attenuation_per_mm: Sequence[float], free: Sequence[int] | None = None
    ) -> Evaluation:
        """``evaluate`` if the bodies attenuated otherwise."""
        kept, self._attenuation = self._attenuation, np.asarray(attenuation_per_mm, dtype=np.float64)
        evaluation = self.evaluate(poses, free)
        self._attenuation = kept
        return evaluation

    def discount_outliers(self, poses: Poses, scale: float) -> None:
        """From now on, gradients that the bodies at the poses do not explain count less.

        Weights are Cauchy's, ``1 / (1 + (e / (scale s))^2)`` of the residual's length e over its robust deviation s
        along the drawn edges of the view. Costs are lower than without, and comparable only within this level.
        """
        self.views = tuple(
            cut if cut.target.pixels < FEWEST_PIXELS else _discounted(cut, self.draw(cut.view, poses)[..., :1], scale)
            for cut in self.views
        )

    def draw(self, view: View, poses: Poses) -> Float32[np.ndarray, "h w c"]:
        """The shadow and its derivatives with respect to camera-axis twists about the pivots."""
        s, grid = self._supersample, _Grid.of(view, self._supersample)
        moments = np.zeros((len(poses), view.height_px * s, view.width_px * s, 2), dtype=np.float32)
        pivots = np.empty((len(poses), 3))
        for index, pose in enumerate(poses):
            drawn = self._draw_body(index, grid, pose)
            pivots[index] = drawn.pivot_camera_mm
            left, top, width, height = drawn.box * s
            moments[index, top : top + height, left : left + width] = drawn.moments
        features = np.empty((view.height_px, view.width_px, 1 + FEATURES * len(poses)), dtype=np.float32)
        shadow_features(moments, self._attenuation, pivots[:, 2].copy(), grid.fine_lens, s, features)
        features = smooth(features, self._smoothing_px)
        picture = np.empty((view.height_px, view.width_px, 1 + 6 * len(poses)), dtype=np.float32)
        pose_derivatives(features, grid.lens, pivots, picture)
        return picture

    def _draw_body(self, index: int, grid: _Grid, pose: Rigid) -> Drawn:
        """The moments of one body about its pivot's depth: the one place that knows what bodies are made of."""
        solid = self._solids[index]
        pivot_camera_mm = grid.camera_mm(pose, self._pivots_mm[index])
        if isinstance(solid, Volume):
            camera_from_world = Rigid(rotation=grid.camera_from_world[0], translation_mm=grid.camera_from_world[1])
            box, moments = draw_volume(
                solid,
                camera_from_world @ pose,
                float(pivot_camera_mm[2]),
                grid.fine_lens,
                grid.size,
                self._supersample,
                self._margin_px,
            )
            return Drawn(box=box, moments=moments, pivot_camera_mm=pivot_camera_mm)
        box, moments = draw_surface(
            solid.vertices_mm,
            solid.faces,
            grid.camera_from_world,
            (pose.rotation, pose.translation_mm),
            pivot_camera_mm[2],
            grid.fine_lens,
            grid.size,
            self._supersample,
            self._margin_px,
            NEAREST_DEPTH_MM,
        )
        return Drawn(box=box, moments=moments, pivot_camera_mm=pivot_camera_mm)

    @property
    def _margin_px(self) -> int:
        """How far around its shadow a body's derivatives reach: secant, smoothing, difference."""
        return 2 + len(self._kernel) // 2

    def _drawn(self, at: int, index: int, pose: Rigid) -> Drawn:
        """As ``_draw_body``, or what was drawn last if the body has not moved."""
        known = self._last.get((at, index))
        if known is not None and known[0] is pose:
            return known[1]
        drawn = self._draw_body(index, self._grids[at], pose)
        self._last[at, index] = (pose, drawn)
        return drawn

    def _evaluate_view(self, at: int, poses: Poses, free: Sequence[int]) -> NormalEquations:
        cut, grid = self.views[at], self._grids[at]
        if cut.target.pixels < FEWEST_PIXELS or cut.target.energy <= 0:
            return says_nothing(6 * len(free))
        drawn = [self._drawn(at, index, pose) for index, pose in enumerate(poses)]
        gram = gradient_gram(
            np.concatenate([one.moments.reshape(-1) for one in drawn]),
            np.array([one.box for one in drawn]),
            np.array(free, dtype=np.int64),
            self._attenuation,
            np.array([one.pivot_camera_mm for one in drawn]),
            grid.lens,
            grid.fine_lens,
            self._supersample,
            self._kernel,
            cut.weight,
            cut.weighted,
        )
        if gram[0, 0] <= 0:
            return says_nothing(6 * len(free))
        cost, correlation, hessian, rhs = equations_in_world(gram, cut.target.energy, grid.camera_from_world[0])
        return NormalEquations(cost=cost, correlation=correlation, hessian=hessian, rhs=rhs, pixels=cut.target.pixels)


def _mean(systems: Sequence[NormalEquations], size: int) -> Evaluation:
    count = len(systems)
    return Evaluation(
        cost=sum(system.cost for system in systems) / count,
        hessian=sum((system.hessian for system in systems), np.zeros((size, size))) / count,
        rhs=sum((system.rhs for system in systems), np.zeros(size)) / count,
        per_view=tuple(systems),
    )


def shrink_factor(view: View, picture_px: int) -> int:
    """How many pixels one pixel of a level spans along each side."""
    return max(1, round(max(view.width_px, view.height_px) / picture_px))


def _solids(
    bodies: Sequence[Body], pictures: Sequence[Pictures], start: Poses, stage: Stage
) -> tuple[TriangleMesh | Volume, ...]:
    """What each body is drawn from at this level: the coarsest surface or volume that is fine enough."""
    chosen: list[TriangleMesh | Volume] = []
    for body, pose in zip(bodies, start, strict=True):
        footprints = [
            shot.view.millimetres_per_pixel(abs(shot.view.depth_mm(pose.translation_mm)))
            * shrink_factor(shot.view, stage.picture_px)
            for shot in pictures
        ]
        volume = body.volume_for(_VOXELS_A_PIXEL * min(footprints))
        chosen.append(body.level_for(0.12 * min(footprints)) if volume is None else volume)
    return tuple(chosen)


def _cut(bodies: Sequence[Body], shot: Pictures, around: Sequence[Poses], stage: Stage, recipe: Recipe) -> LevelView:
    factor = shrink_factor(shot.view, stage.picture_px)
    view = _shrunk(shot.view, factor)
    left, top, width, height = _window(bodies, view, around, stage.margin_mm)
    part = shot.mean_of_blocks(factor)[top : top + height, left : left + width]
    picture = smooth(np.ascontiguousarray(part)[..., None], recipe.smoothing_px)[..., 0]
    middle = factor // 2
    distance = shot.edge_distance_px[middle::factor, middle::factor][top : top + height, left : left + width]
    scale = max(shot.view.width_px, shot.view.height_px) / 1024
    kept = recipe.circle_margin_px * scale + factor * (recipe.smoothing_px + 1.0)
    cropped = view.cropped(left, top, width, height)
    counts = (distance > kept) & ~beyond_cut_ends(bodies, around, cropped)
    target = target_of(picture, counts, stage.clip_quantile)
    weight = target.counts.astype(np.float32)
    return LevelView(
        view=cropped,
        target=target,
        weight=weight,
        weighted=np.ascontiguousarray(np.moveaxis(target.gradient, -1, 0) * weight),
        picture=picture,
    )


def _discounted(cut: LevelView, drawn: Float32[np.ndarray, "h w 1"], scale: float) -> LevelView:
    seen, counts = cut.target.gradient, cut.target.counts
    shown = central_differences(np.ascontiguousarray(drawn))[..., 0]
    strength = float((seen[counts] * shown[counts]).sum()) / max(float((shown[counts] ** 2).sum()), 1e-9)
    residual = np.linalg.norm(seen - strength * shown, axis=-1)[..., None]
    residual = smooth(np.ascontiguousarray(residual, dtype=np.float32), _OUTLIER_SMOOTHING_PX)[..., 0]
    length = strength * np.linalg.norm(shown, axis=-1)
    drawn_edges = counts & (np.abs(length) > _EDGE_SHARE * float(np.abs(length[counts]).max()))
    usual = 1.4826 * float(np.median(residual[drawn_edges])) if drawn_edges.any() else 0.0
    weight = (cut.weight / (1.0 + (residual / max(scale * usual, 1e-9)) ** 2)).astype(np.float32)
    energy = float((weight[..., None].astype(np.float64) * seen.astype(np.float64) ** 2).sum())
    return replace(
        cut,
        target=replace(cut.target, energy=energy),
        weight=weight,
        weighted=np.ascontiguousarray(np.moveaxis(seen, -1, 0) * weight),
    )


def _shrunk(view: View, factor: int) -> View:
    width, height = view.width_px // factor, view.height_px // factor
    return view.cropped(0, 0, width * factor, height * factor).scaled(width, height)


def _window(bodies: Sequence[Body], view: View, around: Sequence[Poses], margin_mm: float) -> tuple[int, int, int, int]:
    """Left, top, width, height of the part of the picture around the bodies, at least 16 px a side."""
    corners = []
    for body, pose in ((body, poses[k]) for poses in around for k, body in enumerate(bodies)):
        bounds = pixel_bounds(body, pose, view)
        depth = max(view.depth_mm(pose.translation_mm), 1.0)
        if bounds is not None:
            margin = margin_mm / view.millimetres_per_pixel(depth)
            corners += [bounds[0] - margin, bounds[1] + margin]
    size = np.array([view.width_px, view.height_px])
    if not corners:
        return 0, 0, view.width_px, view.height_px
    low = np.clip(np.floor(np.min(corners, axis=0)), 0, np.maximum(size - _SMALLEST_CUT_PX, 0)).astype(int)
    high = np.clip(np.ceil(np.max(corners, axis=0)), 0, size).astype(int)
    extent = np.minimum(np.maximum(high - low, _SMALLEST_CUT_PX), size - low)
    return int(low[0]), int(low[1]), int(extent[0]), int(extent[1])
