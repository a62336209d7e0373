"""Triangle surfaces in millimetres: one frozen value, and the questions one asks of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import trimesh
from jaxtyping import Float, Int

from core.errors import MeshError


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TriangleMesh:
    """Vertices in mm and faces wound counter-clockwise seen from outside."""

    vertices_mm: Float[np.ndarray, "n 3"]
    faces: Int[np.ndarray, "m 3"]

    def __post_init__(self) -> None:
        """Refuse surfaces without faces, with broken indices or with non-finite vertices.

        Raises:
            MeshError: as above.
        """
        vertices = np.array(self.vertices_mm, dtype=np.float64, order="C")
        faces = np.array(self.faces, dtype=np.int32, order="C")
        if vertices.ndim != 2 or vertices.shape[-1] != 3 or len(faces) == 0 or faces.shape[-1] != 3:
            raise MeshError(
                f"the surface is empty or malformed: {vertices.shape} vertices, {faces.shape} faces; "
                "export it again as a triangle mesh"
            )
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise MeshError("a face of the surface refers to a vertex that is not there")
        if not np.isfinite(vertices).all():
            raise MeshError("the surface has vertices that are not finite (NaN or infinity)")
        vertices.flags.writeable = False
        faces.flags.writeable = False
        object.__setattr__(self, "vertices_mm", vertices)
        object.__setattr__(self, "faces", faces)

    @cached_property
    def corners_mm(self) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Lowest and highest corner of the axis-aligned bounding box."""
        used = self.vertices_mm[np.unique(self.faces)]
        return used.min(axis=0), used.max(axis=0)

    @property
    def extent_mm(self) -> Float[np.ndarray, "3"]:
        """Side lengths of the axis-aligned bounding box."""
        low, high = self.corners_mm
        return np.asarray(high - low)

    @property
    def centre_mm(self) -> Float[np.ndarray, "3"]:
        """Centre of the axis-aligned bounding box: the pivot of rotations by default."""
        low, high = self.corners_mm
        return np.asarray(0.5 * (low + high))

    @cached_property
    def volume_mm3(self) -> float:
        """Signed enclosed volume; meaningful for closed surfaces, positive when wound outward."""
        a, b, c = np.moveaxis(self.vertices_mm[self.faces] - self.centre_mm, 1, 0)
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)

    @cached_property
    def open_edges(self) -> Int[np.ndarray, "k 2"]:
        """Directed edges without exactly as many partners in the opposite direction."""
        directed = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        directed = directed.astype(np.int64)
        count = len(self.vertices_mm)
        forward = directed[:, 0] * count + directed[:, 1]
        backward = directed[:, 1] * count + directed[:, 0]
        values, counts = np.unique(forward, return_counts=True)
        opposite, opposite_counts = np.unique(backward, return_counts=True)
        there = np.searchsorted(opposite, values).clip(max=len(opposite) - 1)
        matched = np.where(opposite[there] == values, opposite_counts[there], 0)
        lonely = values[counts > matched]
        return np.stack([lonely // count, lonely % count], axis=-1)

    @property
    def is_closed(self) -> bool:
        """Whether every edge is walked equally often in both directions."""
        return len(self.open_edges) == 0

    def flipped(self) -> "TriangleMesh":
        """The same surface wound the other way round."""
        return TriangleMesh(vertices_mm=self.vertices_mm, faces=self.faces[:, ::-1])

    def scaled(self, factor: float) -> "TriangleMesh":
        """The surface with all lengths multiplied."""
        return TriangleMesh(vertices_mm=self.vertices_mm * factor, faces=self.faces)

    def as_trimesh(self) -> trimesh.Trimesh:
        """The surface for trimesh, untouched."""
        return trimesh.Trimesh(self.vertices_mm.copy(), self.faces.copy(), process=False)
