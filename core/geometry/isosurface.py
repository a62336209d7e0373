"""The surface of a bone at a level of a field on a grid: closed, wound outward, one piece."""

from typing import NamedTuple

import numpy as np
import trimesh
from jaxtyping import Float, Float32
from skimage.measure import marching_cubes

from core.errors import MeshError
from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_repair import as_manifold, from_manifold
from core.geometry.rigid import Rigid

_FEW_FACES = 120_000
_SIMPLER_MM = 0.03


class Isosurface(NamedTuple):
    """A surface, and what was left out."""

    mesh: TriangleMesh
    notes: tuple[str, ...]


def isosurface(
    field: Float32[np.ndarray, "k j i"],
    level: float,
    spacing_mm: Float[np.ndarray, "3"],
    body_from_grid: Rigid,
) -> Isosurface:
    """The largest closed piece of the surface on which the field has the level, inside being above it.

    Lewiner's marching cubes (2003). The grid is surrounded by air, so a bone that the grid cuts off is
    closed there. Cavities inside the bone are filled.

    Raises:
        MeshError: nothing is above the level.
    """
    padded = np.pad(field, 1, constant_values=min(float(field.min()), level - abs(level) - 1.0))
    if not (padded > level).any():
        raise MeshError(f"nothing in the volume is above {level:g}; choose a lower threshold or another label")
    # Beyond the cut the field falls from the bone's value to the padding's at once: half a voxel is as good as any.
    np.copyto(padded, np.maximum(padded, 2 * level - float(field.max())))
    vertices, faces, _, _ = marching_cubes(padded, level, allow_degenerate=False)
    places = (vertices[:, ::-1] - 1.0) * spacing_mm
    pieces = trimesh.Trimesh(body_from_grid.apply(places), faces[:, ::-1], process=True).split(only_watertight=True)
    if len(pieces) == 0:
        raise MeshError("the surface of the bone is not closed; smooth the volume or choose another threshold")
    largest = max(pieces, key=lambda piece: abs(piece.volume))
    mesh = TriangleMesh(vertices_mm=np.asarray(largest.vertices), faces=np.asarray(largest.faces, dtype=np.int32))
    if mesh.volume_mm3 < 0:
        mesh = mesh.flipped()
    left_out = len(pieces) - 1
    told = "a smaller piece or cavity was" if left_out == 1 else f"{left_out} smaller pieces and cavities were"
    notes = (f"{told} left out",) if left_out else ()
    return Isosurface(_simplified(mesh), notes)


def _simplified(mesh: TriangleMesh) -> TriangleMesh:
    """Without the crumbs that marching cubes leaves, where there are many."""
    solid = as_manifold(mesh)
    if solid is None or len(mesh.faces) < _FEW_FACES:
        return mesh
    simpler = from_manifold(solid.simplify(_SIMPLER_MM))
    return simpler if simpler.is_closed else mesh
