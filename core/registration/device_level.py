"""One level of the pyramid for many frames at once on a Warp device: poses in, costs and normal equations out.

The pictures are cut and prepared by ``Level``, so that both paths compare the same pixels; drawing, smoothing,
derivatives and Gram matrices are kernels. On CUDA they are recorded once as a graph and replayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from jaxtyping import Bool, Float, Int

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.volume import Volume
from core.imaging.smoothing import gaussian_kernel
from core.registration.level import Evaluation, LevelView, Pictures, shrink_factor
from core.registration.recipe import Stage
from core.registration.values import Body
from core.rendering.path_length import lens_of
from core.rendering.shadow import FEATURES
from core.rendering.warp_device import CUDA, warp
from core.rendering.warp_moments import index_from_body
from core.similarity.gradient_correlation import FEWEST_PIXELS, NormalEquations

_LANES, _STRIPS = 4, 16
"""Threads a face and threads a Gram entry on a graphics card; the CPU has one."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluations:
    """Costs of all frames with their Gauss-Newton models, for each view."""

    costs: Float[np.ndarray, "b views"]
    correlations: Float[np.ndarray, "b views"]
    hessians: Float[np.ndarray, "b views k k"]
    rhss: Float[np.ndarray, "b views k"]
    pixels: Int[np.ndarray, "b views"]

    @property
    def cost(self) -> Float[np.ndarray, " b"]:
        """Mean over the views."""
        return np.asarray(self.costs.mean(axis=1))

    @property
    def hessian(self) -> Float[np.ndarray, "b k k"]:
        """Mean over the views."""
        return np.asarray(self.hessians.mean(axis=1))

    @property
    def rhs(self) -> Float[np.ndarray, "b k"]:
        """Mean over the views."""
        return np.asarray(self.rhss.mean(axis=1))

    def merged(self, take: Bool[np.ndarray, " b"], other: "Evaluations") -> "Evaluations":
        """These where ``take`` is True, else the other's."""
        return Evaluations(
            costs=np.where(take[:, None], self.costs, other.costs),
            correlations=np.where(take[:, None], self.correlations, other.correlations),
            hessians=np.where(take[:, None, None, None], self.hessians, other.hessians),
            rhss=np.where(take[:, None, None], self.rhss, other.rhss),
            pixels=np.where(take[:, None], self.pixels, other.pixels),
        )

    def of(self, frame: int) -> Evaluation:
        """One frame's."""
        views = tuple(
            NormalEquations(
                cost=float(self.costs[frame, view]),
                correlation=float(self.correlations[frame, view]),
                hessian=self.hessians[frame, view],
                rhs=self.rhss[frame, view],
                pixels=int(self.pixels[frame, view]),
            )
            for view in range(self.costs.shape[1])
        )
        return Evaluation(
            cost=float(self.cost[frame]), hessian=self.hessian[frame], rhs=self.rhs[frame], per_view=views
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawable:
    """What a body is drawn from at one level: a mesh, or a volume."""

    pivot_mm: Float[np.ndarray, "3"]
    mesh: TriangleMesh | None = None
    volume: Volume | None = None

    @classmethod
    def of(cls, body: Body, allowed_mm: float) -> Self:
        """The coarsest mesh within a tolerance, or the coarsest volume whose voxels are not larger than that."""
        if not body.volumes:
            return cls(pivot_mm=body.pivot_mm, mesh=body.level_for(allowed_mm))
        fitting = [volume for volume in body.volumes if float(volume.spacing_mm.min()) <= allowed_mm]
        return cls(pivot_mm=body.pivot_mm, volume=fitting[-1] if fitting else body.volumes[0])


@final
class DeviceLevel:
    """Draws bodies at poses[frame, body] and compares them with each frame's cut pictures."""

    def __init__(
        self,
        drawables: Sequence[Drawable],
        cuts: Sequence[Sequence[LevelView]],
        *,
        supersample: int,
        smoothing_px: float,
        device: str,
    ) -> None:
        """Put pictures and bodies on the device.

        Args:
            drawables: the bodies.
            cuts: for each frame its views, all frames with as many.
            supersample: rays a pixel side.
            smoothing_px: Gaussian of the drawn picture; the cuts have had theirs.
            device: ``cpu`` or ``cuda``.

        Raises:
            DeviceError: Warp is not installed.
        """
        wp = warp()
        self._wp, self._device = wp, device
        self._supersample = supersample
        self._views = len(cuts[0])
        self._frames = len(cuts)
        self._bodies = len(drawables)
        flat = [cut for frame in cuts for cut in frame]
        self._cuts = flat
        self._camera_from_world = Rigid(
            rotation=np.stack([cut.view.camera_from_world.rotation for cut in flat]),
            translation_mm=np.stack([cut.view.camera_from_world.translation_mm for cut in flat]),
        )
        self._axes = np.stack(
            [np.kron(np.eye(2 * len(drawables)), cut.view.camera_from_world.rotation) for cut in flat]
        )
        self._energy = np.array([cut.target.energy for cut in flat])
        self._pixels = np.array([cut.target.pixels for cut in flat])
        self._comparable = (self._pixels >= FEWEST_PIXELS) & (self._energy > 0)
        self._pivots_mm = np.stack([drawable.pivot_mm for drawable in drawables])
        self._weights = self._put(
            gaussian_kernel(smoothing_px) if smoothing_px > 0 else np.ones(1, dtype=np.float32), float
        )
        self._put_pictures(flat)
        self._put_bodies(drawables, flat)
        self._make_room(flat)
        self._graph: Any = None

    def _put(self, values: np.ndarray, dtype: object) -> Any:  # noqa: ANN401  (Warp has no types)
        return self._wp.array(np.ascontiguousarray(values), dtype=dtype, device=self._device)

    def _put_pictures(self, flat: Sequence[LevelView]) -> None:
        wp = self._wp
        sizes = np.array([(cut.view.height_px, cut.view.width_px) for cut in flat], dtype=np.int32)
        high, wide = (int(side) for side in sizes.max(axis=0))
        self._largest = (high, wide)
        target = np.zeros((len(flat), high, wide, 2), dtype=np.float32)
        counts = np.zeros((len(flat), high, wide), dtype=np.uint8)
        for item, cut in enumerate(flat):
            h, w = sizes[item]
            target[item, :h, :w] = cut.target.gradient
            counts[item, :h, :w] = cut.target.counts
        self._sizes = self._put(sizes, wp.vec2i)
        self._target = self._put(target, float)
        self._counts = self._put(counts, wp.uint8)
        self._lenses = self._put(np.stack([lens_of(cut.view) for cut in flat]), wp.vec4d)

    def _put_bodies(self, drawables: Sequence[Drawable], flat: Sequence[LevelView]) -> None:
        wp = self._wp
        self._shapes: list[tuple[Any, ...]] = []
        for drawable in drawables:
            if drawable.volume is not None:
                turn, middle = index_from_body(drawable.volume, drawable.pivot_mm)
                values = self._put(drawable.volume.attenuation_per_mm, float)
                step_mm = float(drawable.volume.spacing_mm.min())
                self._shapes.append((values, wp.mat33(turn), wp.vec3(middle), step_mm))
            elif drawable.mesh is not None:
                vertices = self._put(drawable.mesh.vertices_mm - drawable.pivot_mm, wp.vec3d)
                faces = self._put(drawable.mesh.faces.astype(np.int32), wp.vec3i)
                shape = (len(flat), len(drawable.mesh.vertices_mm))
                positions = wp.empty(shape, dtype=wp.vec3d, device=self._device)
                pixels = wp.empty(shape, dtype=wp.vec2d, device=self._device)
                self._shapes.append((vertices, faces, positions, pixels, len(drawable.mesh.faces)))

    def _make_room(self, flat: Sequence[LevelView]) -> None:
        wp, items, bodies = self._wp, len(flat), self._bodies
        high, wide = self._largest
        fine = (high * self._supersample, wide * self._supersample)
        channels = 1 + 6 * bodies

        def zeros(*shape: int, dtype: object = float) -> Any:  # noqa: ANN401
            return wp.zeros(shape, dtype=dtype, device=self._device)

        self._rotations = zeros(items, bodies, dtype=wp.mat33d)
        self._pivots = zeros(items, bodies, dtype=wp.vec3d)
        self._attenuations = zeros(items, bodies)
        self._active = zeros(items, dtype=int)
        self._moments = zeros(items * bodies, *fine, 2)
        self._paths = zeros(items, *fine)
        self._features = zeros(items, high, wide, 1 + FEATURES * bodies)
        self._across = zeros(items, high, wide, 1 + FEATURES * bodies)
        self._drawn = zeros(items, high, wide, channels)
        self._gram = zeros(items, channels + 1, channels + 1, dtype=wp.float64)
        entries = [(i, j) for i in range(channels + 1) for j in range(i, channels + 1)]
        self._entries = self._put(np.array(entries, dtype=np.int32), wp.vec2i)

    def evaluate(
        self, poses: Rigid, attenuation_per_mm: Float[np.ndarray, "b bodies"], active: Bool[np.ndarray, " b"]
    ) -> Evaluations:
        """Costs and normal equations of the active frames at poses[frame, body]; the others come out as zero."""
        camera_from_body = Rigid(
            rotation=self._camera_from_world.rotation[:, None],
            translation_mm=self._camera_from_world.translation_mm[:, None],
        ) @ Rigid(
            rotation=np.repeat(poses.rotation, self._views, axis=0),
            translation_mm=np.repeat(poses.translation_mm, self._views, axis=0),
        )
        everywhere = np.broadcast_to(self._pivots_mm[:, None], (len(self._cuts), self._bodies, 1, 3))
        pivots = camera_from_body.apply(everywhere)[..., 0, :]
        self._rotations.assign(camera_from_body.rotation)
        self._pivots.assign(pivots)
        self._attenuations.assign(np.repeat(attenuation_per_mm, self._views, axis=0).astype(np.float32))
        self._active.assign(np.repeat(active, self._views).astype(np.int32))
        self._run()
        return self._collected(self._gram.numpy())

    def _run(self) -> None:
        """Launch the kernels; on CUDA recorded at the first call, then replayed."""
        if self._device != CUDA:
            self._launch()
            return
        if self._graph is None:
            self._launch()  # loads the modules, which cannot be recorded
            with self._wp.ScopedCapture(device=self._device) as capture:
                self._launch()
            self._graph = capture.graph
        self._wp.capture_launch(self._graph)

    def _launch(self) -> None:
        from core.rendering import warp_kernels as kernels
        from core.similarity.warp_gram import add_gram

        items, (high, wide), s = len(self._cuts), self._largest, self._supersample
        where = (self._lenses, self._sizes, self._active)
        self._moments.zero_()
        self._gram.zero_()
        self._draw()
        self._start(
            kernels.sum_paths, (items, high * s, wide * s), self._moments, self._attenuations, *where, s, self._paths
        )
        self._start(
            kernels.find_features,
            (items, high, wide),
            *(self._moments, self._paths, self._attenuations, self._pivots, *where, s, self._features),
        )
        smoothing = (self._weights, self._sizes, self._active)
        self._start(kernels.smooth_rows, (items, high, wide), self._features, *smoothing, self._across)
        self._start(kernels.derive, (items, high, wide), self._across, self._weights, self._pivots, *where, self._drawn)
        strips = _STRIPS if self._device == CUDA else 1
        seen = (self._target, self._counts, self._sizes, self._active, self._entries)
        self._start(add_gram, (items, strips, len(self._entries)), self._drawn, *seen, strips, self._gram)

    def _draw(self) -> None:
        from core.rendering import warp_kernels as kernels

        items, (high, wide), s = len(self._cuts), self._largest, self._supersample
        where = (self._lenses, self._sizes, self._active)
        for body, shape in enumerate(self._shapes):
            if len(shape) == 4:
                poses = (body, self._bodies, self._rotations, self._pivots)
                self._start(kernels.draw_volume, (items, high * s, wide * s), *shape, *poses, *where, s, self._moments)
                continue
            vertices, faces, positions, pixels, count = shape
            self._start(
                kernels.project,
                (items, vertices.shape[0]),
                *(vertices, body, self._rotations, self._pivots, self._lenses, self._active, s, positions, pixels),
            )
            lanes = _LANES if self._device == CUDA else 1
            drawn = (faces, body, self._bodies, positions, pixels, self._pivots)
            self._start(kernels.draw_faces, (items, count, lanes), *drawn, *where, s, lanes, self._moments)

    def _start(self, kernel: object, dim: tuple[int, ...], *inputs: object) -> None:
        self._wp.launch(kernel, dim, list(inputs), device=self._device)

    def _collected(self, grams: Float[np.ndarray, "items n n"]) -> Evaluations:
        """Eliminate each view's gain: core.similarity.gradient_correlation for all at once."""
        inner, last = slice(1, -1), grams.shape[1] - 1
        mm, mt = grams[:, 0, 0], grams[:, 0, last]
        says = self._comparable & (mm > 0)
        safe = np.where(says, mm, 1.0)
        energy = np.where(says, self._energy, 1.0)
        gain = mt / safe
        pull = grams[:, 0, inner] / safe[:, None]
        upper = grams[:, inner, inner]
        full = upper + np.swapaxes(np.triu(upper, 1), 1, 2)
        weight = np.where(says, 1.0 / energy, 0.0)
        hessian = (gain**2 * weight)[:, None, None] * (full - mm[:, None, None] * pull[:, :, None] * pull[:, None, :])
        rhs = (gain * weight)[:, None] * (grams[:, inner, last] - pull * mt[:, None])
        explained = np.where(says, mt * gain * weight, 0.0)
        turn = self._axes
        shape = (self._frames, self._views)
        return Evaluations(
            costs=(1.0 - explained + (gain < 0)).reshape(shape),
            correlations=(np.sign(mt) * np.sqrt(np.maximum(explained, 0.0))).reshape(shape),
            hessians=(np.swapaxes(turn, 1, 2) @ hessian @ turn).reshape(*shape, *hessian.shape[1:]),
            rhss=(np.swapaxes(turn, 1, 2) @ rhs[..., None])[..., 0].reshape(*shape, rhs.shape[1]),
            pixels=np.where(says, self._pixels, 0).reshape(shape),
        )

    @property
    def drawn(self) -> Float[np.ndarray, "items h w c"]:
        """The last drawn pictures with their derivatives along camera axes, padded to the largest cut."""
        return np.asarray(self._drawn.numpy())


def allowed_departure_mm(pictures: Sequence[Pictures], pose: Rigid, stage: Stage) -> float:
    """How far a level of detail may depart from the body at a stage, as ``Level`` has it."""
    footprints = [
        shot.view.millimetres_per_pixel(abs(shot.view.depth_mm(pose.translation_mm)))
        * shrink_factor(shot.view, stage.picture_px)
        for shot in pictures
    ]
    return 0.12 * min(footprints)
