"""The silhouette of a surface in a cone-beam view: exact outline edges and closed loops that fill to its shadow.

Every face, wound so that it counts positive, is a small loop; their sum covers each pixel as many times as the
surface does, and along an edge between two faces that look the same way the sum cancels. What stays are the edges
where the surface turns away from the source, each walked as often as the sum says. They form closed loops whose
nonzero winding is exactly the shadow. The argument needs neither closedness nor manifoldness: on an open surface
the border edges stay too.
"""

import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numba as nb
import numpy as np
from jaxtyping import Float, Int

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Silhouette:
    """The outline of one body in one view, in pixels ((0, 0) is the centre of the top-left pixel).

    ``points_px[starts[i]:starts[i + 1]]`` are the corners of loop i, without repeating the first.
    Filled with the nonzero winding rule the loops are exactly the shadow.
    """

    segments_px: Float[np.ndarray, "n 2 2"]
    """The edges to draw, each once, in the order of the loops."""
    points_px: Float[np.ndarray, "k 2"]
    starts: Int[np.ndarray, " loops+1"]

    @cached_property
    def loops_px(self) -> tuple[Float[np.ndarray, "k 2"], ...]:
        """The closed loops, each (corners, 2), the last corner joined to the first."""
        return tuple(np.split(self.points_px, self.starts[1:-1])) if len(self.starts) > 1 else ()

    @property
    def is_empty(self) -> bool:
        """Whether the body has no shadow (it lies behind the source)."""
        return len(self.segments_px) == 0

    @cached_property
    def box_px(self) -> tuple[float, float, float, float] | None:
        """Left, top, right, bottom of the outline; None where there is none."""
        if self.is_empty:
            return None
        (left, top), (right, bottom) = self.points_px.min(axis=0), self.points_px.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Adjacency:
    """Edges of a surface and the faces along them: face ``2 k`` walks the edge as given, ``2 k + 1`` back."""

    edges: Int[np.ndarray, "e 2"]
    starts: Int[np.ndarray, " e+1"]
    sides: Int[np.ndarray, " s"]


_KNOWN: "weakref.WeakKeyDictionary[TriangleMesh, _Adjacency]" = weakref.WeakKeyDictionary()


def silhouette(mesh: TriangleMesh, view: View, world_from_body: Rigid) -> Silhouette:
    """Outline of a body in a view; about half a millisecond at 20 000 faces.

    Faces that reach behind the source cast no shadow and are left out.
    """
    adjacency = _KNOWN.get(mesh)
    if adjacency is None:
        adjacency = _KNOWN[mesh] = _adjacency_of(mesh)
    camera_from_body = view.camera_from_world @ world_from_body
    pixels, seen = _project(
        mesh.vertices_mm,
        np.ascontiguousarray(camera_from_body.rotation),
        camera_from_body.translation_mm,
        np.array([*view.focal_px, *view.principal_px]),
    )
    facing = _facing(pixels, seen, mesh.faces)
    ends, counts = _outline(adjacency.edges, adjacency.starts, adjacency.sides, facing)
    walk, repeated, starts = _chain(ends, counts, len(mesh.vertices_mm))
    following = np.arange(1, len(walk) + 1)
    following[starts[1:] - 1] = starts[:-1]
    points = pixels[walk]
    segments = np.stack([points, points[following]], axis=1)[~repeated] if len(walk) else np.empty((0, 2, 2))
    return Silhouette(segments_px=segments, points_px=points, starts=starts)


def filled_area_px(loops_px: tuple[Float[np.ndarray, "k 2"], ...]) -> float:
    """Signed area of loops in pixels (clockwise on the screen is positive); overlaps count repeatedly."""
    total = 0.0
    for loop in loops_px:
        onward = np.roll(loop, -1, axis=0)
        total += 0.5 * float((loop[:, 0] * onward[:, 1] - loop[:, 1] * onward[:, 0]).sum())
    return total


def _adjacency_of(mesh: TriangleMesh) -> _Adjacency:
    faces = mesh.faces.astype(np.int64)
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    face = np.tile(np.arange(len(faces)), 3)
    low, high = directed.min(axis=1), directed.max(axis=1)
    proper = low != high
    key, backward = low * len(mesh.vertices_mm) + high, directed[:, 0] > directed[:, 1]
    key, face, backward = key[proper], face[proper], backward[proper]
    order = np.argsort(key, kind="stable")
    values, first = np.unique(key[order], return_index=True)
    return _Adjacency(
        edges=np.stack([values // len(mesh.vertices_mm), values % len(mesh.vertices_mm)], axis=-1).astype(np.int32),
        starts=np.append(first, len(order)).astype(np.int32),
        sides=(2 * face[order] + backward[order]).astype(np.int32),
    )


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _project(
    vertices: np.ndarray, rotation: np.ndarray, translation: np.ndarray, lens: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    pixels = np.empty((len(vertices), 2))
    seen = np.empty(len(vertices), dtype=np.bool_)
    for i in range(len(vertices)):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        depth = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z + translation[2]
        seen[i] = depth > NEAREST_DEPTH_MM
        pixels[i, 0] = (rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z + translation[0]) / depth * lens[
            0
        ] + lens[2]
        pixels[i, 1] = (rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z + translation[1]) / depth * lens[
            1
        ] + lens[3]
    return pixels, seen


@nb.njit(nogil=True, cache=True)
def _facing(pixels: np.ndarray, seen: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """1: clockwise on the screen, -1: the other way round (or without area), 0: behind the source."""
    facing = np.empty(len(faces), dtype=np.int8)
    for i in range(len(faces)):
        a, b, c = faces[i, 0], faces[i, 1], faces[i, 2]
        if not (seen[a] and seen[b] and seen[c]):
            facing[i] = 0
            continue
        ax, ay = pixels[a, 0], pixels[a, 1]
        area = (pixels[b, 0] - ax) * (pixels[c, 1] - ay) - (pixels[b, 1] - ay) * (pixels[c, 0] - ax)
        facing[i] = 1 if area > 0.0 else -1
    return facing


@nb.njit(nogil=True, cache=True)
def _outline(
    edges: np.ndarray, starts: np.ndarray, sides: np.ndarray, facing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Directed edges that do not cancel, and how often each is walked."""
    ends = np.empty((len(edges), 2), dtype=np.int32)
    counts = np.empty(len(edges), dtype=np.int32)
    found, all_even = 0, True
    for i in range(len(edges)):
        net = 0
        for j in range(starts[i], starts[i + 1]):
            way = 1 if sides[j] % 2 == 0 else -1
            net += way * facing[sides[j] // 2]
        if net == 0:
            continue
        ends[found, 0] = edges[i, 0] if net > 0 else edges[i, 1]
        ends[found, 1] = edges[i, 1] if net > 0 else edges[i, 0]
        counts[found] = abs(net)
        all_even = all_even and net % 2 == 0
        found += 1
    if all_even:  # a closed surface covers every pixel an even number of times: half of that fills the same
        counts[:found] //= 2
    return ends[:found].copy(), counts[:found].copy()


@nb.njit(nogil=True, cache=True)
def _chain(ends: np.ndarray, counts: np.ndarray, vertices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk all edges in closed loops: corners in order, whether the edge after a corner was walked before, loop starts.

    As many edges leave a corner as enter it, so a walk can only end where it began (Hierholzer 1873).
    """
    total = counts.sum()
    first = np.full(vertices, -1, dtype=np.int32)
    following = np.empty(len(ends), dtype=np.int32)
    for i in range(len(ends) - 1, -1, -1):
        following[i] = first[ends[i, 0]]
        first[ends[i, 0]] = i
    left = counts.copy()
    walk = np.empty(total, dtype=np.int32)
    repeated = np.zeros(total, dtype=np.bool_)
    starts = np.zeros(total + 1, dtype=np.int64)
    step, loops = 0, 0
    for i in range(len(ends)):
        while left[i] > 0:
            begin = ends[i, 0]
            corner = begin
            while True:
                edge = first[corner]
                while left[edge] == 0:
                    edge = following[edge]
                first[corner] = edge
                repeated[step] = left[edge] < counts[edge]
                left[edge] -= 1
                walk[step] = corner
                step += 1
                corner = ends[edge, 1]
                if corner == begin:
                    break
            loops += 1
            starts[loops] = step
    return walk, repeated, starts[: loops + 1].copy()
