"""Prepare a surface for registration: repair, levels of detail, symmetry, and notes for people."""

from core.geometry.levels_of_detail import levels_of_detail
from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_crossing import crossing_share
from core.geometry.mesh_repair import repair
from core.geometry.symmetry import find_symmetry
from core.registration.values import Body
from core.rendering.coverage import silhouette_change_mm

_CROSSING = 0.02


def prepare_body(name: str, mesh: TriangleMesh) -> Body:
    """A body from a surface in mm; takes about a second for 70 000 faces.

    Raises:
        MeshError: the surface cannot be used; the message says why and what to do.
    """
    repaired = repair(mesh, name=f"the surface of {name!r}")
    notes = list(repaired.notes)
    if repaired.filled:
        change = silhouette_change_mm(mesh, repaired.mesh)
        notes.append(f"closing moved the silhouette by {change:.3f} mm on average")
    crossing = crossing_share(repaired.mesh)
    if crossing > _CROSSING:
        notes.append(
            f"the surface crosses itself on {crossing:.0%} of test rays: material counts twice there; "
            "unite its parts in a mesh program if the simulated X-ray looks wrong"
        )
    levels = levels_of_detail(repaired.mesh)
    symmetry = find_symmetry(repaired.mesh)
    if symmetry is not None:
        notes.append("nearly mirror-symmetric: mirrored and turned poses are tried as well")
    return Body(
        name=name,
        levels=levels.meshes,
        tolerances_mm=levels.tolerances_mm,
        pivot_mm=repaired.mesh.centre_mm,
        symmetry=symmetry,
        notes=(*notes, *levels.notes),
    )
