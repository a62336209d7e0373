"""Coarser copies of a closed surface, each checked: closed still, and of the same volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_repair import as_manifold, from_manifold

TOLERANCES_MM = (0.05, 0.1, 0.25)
LARGEST_VOLUME_CHANGE = 0.01


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """The surface itself first, then coarser and coarser, with their largest departure from it."""

    meshes: tuple[TriangleMesh, ...]
    tolerances_mm: tuple[float, ...]
    notes: tuple[str, ...]


def levels_of_detail(mesh: TriangleMesh, tolerances_mm: Sequence[float] = TOLERANCES_MM) -> Levels:
    """Simplify a closed surface within each tolerance (Manifold's collapse of short and flat edges).

    A level that is no longer closed or whose volume changed by more than one per cent is left out:
    registration on such a level fails silently.
    """
    solid = as_manifold(mesh)
    if solid is None:
        return Levels(
            meshes=(mesh,),
            tolerances_mm=(0.0,),
            notes=("the surface is closed but no strict manifold, so it is used at full detail only",),
        )
    meshes, kept, notes = [mesh], [0.0], []
    for tolerance in tolerances_mm:
        coarse = from_manifold(solid.simplify(tolerance))
        change = abs(coarse.volume_mm3 / mesh.volume_mm3 - 1)
        if not coarse.is_closed or change > LARGEST_VOLUME_CHANGE:
            notes.append(f"the level of detail of {tolerance} mm was dropped (volume changed by {change:.1%})")
            continue
        if len(coarse.faces) < len(meshes[-1].faces):
            meshes.append(coarse)
            kept.append(tolerance)
    return Levels(meshes=tuple(meshes), tolerances_mm=tuple(kept), notes=tuple(notes))
