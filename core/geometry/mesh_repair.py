"""Make surfaces fit for path lengths: welded, wound outward, closed, with a note of what was done."""

from dataclasses import dataclass
from typing import final

import numpy as np
import trimesh
from jaxtyping import Int
from manifold3d import Error, Manifold, Mesh

from core.errors import MeshError
from core.geometry.mesh import TriangleMesh

_MOST_LOOPS = 10_000


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RepairedMesh:
    """A closed surface, and what had to be done to get it."""

    mesh: TriangleMesh
    notes: tuple[str, ...]
    filled: bool
    """Whether faces were added, so that the silhouette may have changed."""


def repair(mesh: TriangleMesh, name: str = "the surface") -> RepairedMesh:
    """Close a surface: weld, drop degenerate faces, fill holes by fans, wind outward, unite shells.

    Raises:
        MeshError: nothing is left, it encloses no volume, or its holes cannot be closed.
    """
    notes: list[str] = []
    welded = _welded(mesh, name, notes)
    closed, filled = _filled(welded, name, notes)
    if closed.volume_mm3 < 0:
        closed = closed.flipped()
        notes.append("faces were wound inward and have been turned outward")
    size = float(closed.extent_mm.max())
    if closed.volume_mm3 < 1e-6 * size**3:
        raise MeshError(
            f"{name} encloses no volume ({closed.volume_mm3:.3g} mm3 at a size of {size:.3g} mm): it is a sheet "
            "or a drawing of lines; export it as a solid"
        )
    return RepairedMesh(mesh=_united(closed, notes), notes=tuple(notes), filled=filled)


def _welded(mesh: TriangleMesh, name: str, notes: list[str]) -> TriangleMesh:
    vertices, back = np.unique(mesh.vertices_mm, axis=0, return_inverse=True)
    faces = back.reshape(-1)[mesh.faces]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    dropped = len(mesh.faces) - len(faces)
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    doubled = len(faces) - len(first)
    if doubled:
        faces = faces[np.sort(first)]
    if len(faces) == 0:
        raise MeshError(f"{name} has no faces with an area; export it again as a triangle mesh")
    if dropped:
        notes.append(f"{dropped} faces without area were removed")
    if doubled:
        notes.append(f"{doubled} faces that stood twice were removed")
    used, back = np.unique(faces, return_inverse=True)
    return _consistently_wound(TriangleMesh(vertices_mm=vertices[used], faces=back.reshape(faces.shape)), notes)


def _consistently_wound(mesh: TriangleMesh, notes: list[str]) -> TriangleMesh:
    loose = mesh.as_trimesh()
    if loose.is_winding_consistent:
        return mesh
    trimesh.repair.fix_winding(loose)  # type: ignore[no-untyped-call]
    notes.append("neighbouring faces were wound against each other and have been turned")
    return TriangleMesh(vertices_mm=loose.vertices, faces=loose.faces)


def _filled(mesh: TriangleMesh, name: str, notes: list[str]) -> tuple[TriangleMesh, bool]:
    edges = mesh.open_edges
    if len(edges) == 0:
        return mesh, False
    loops = _loops(edges, name)
    vertices, faces = list(mesh.vertices_mm), [mesh.faces]
    widest = 0.0
    for loop in loops:
        corners = mesh.vertices_mm[loop]
        widest = max(widest, float(np.linalg.norm(np.ptp(corners, axis=0))))
        ahead = np.roll(loop, -1)
        faces.append(np.stack([ahead, loop, np.full(len(loop), len(vertices))], axis=1))
        vertices.append(corners.mean(axis=0))
    closed = TriangleMesh(vertices_mm=np.array(vertices), faces=np.concatenate(faces))
    if not closed.is_closed:
        raise MeshError(
            f"{name} is open along {len(edges)} edges in a way that cannot be closed; repair it in a mesh "
            "program (close holes, remove inner walls) and add it again"
        )
    notes.append(
        f"{len(loops)} hole{'s' if len(loops) > 1 else ''} with {len(edges)} open edges closed (widest {widest:.1f} mm)"
    )
    return closed, True


def _loops(edges: Int[np.ndarray, "k 2"], name: str) -> list[Int[np.ndarray, " n"]]:
    onward: dict[int, list[int]] = {}
    for start, end in edges:
        onward.setdefault(int(start), []).append(int(end))
    loops: list[Int[np.ndarray, " n"]] = []
    while onward:
        start = next(iter(onward))
        loop, at = [start], start
        while True:
            ends = onward.get(at)
            if not ends:
                raise MeshError(
                    f"{name} has open edges that form no closed loop; repair it in a mesh program and add it again"
                )
            at = ends.pop()
            if not onward[loop[-1]]:
                del onward[loop[-1]]
            if at == start:
                break
            loop.append(at)
        loops.append(np.array(loop))
        if len(loops) > _MOST_LOOPS:
            raise MeshError(f"{name} is a heap of loose faces ({len(edges)} open edges), not a surface")
    return loops


def _united(mesh: TriangleMesh, notes: list[str]) -> TriangleMesh:
    """Shells that overlap would count metal twice: replace them by their union."""
    solid = as_manifold(mesh)
    if solid is None:
        return mesh
    shells = solid.decompose()
    if len(shells) < 2:
        return mesh
    together = Manifold.batch_boolean(shells, _add())
    before, after = solid.volume(), together.volume()
    if together.status() != Error.NoError or abs(before - after) < 1e-4 * abs(before):
        return mesh
    notes.append(f"{len(shells)} overlapping shells were united ({before / 1e3:.2f} -> {after / 1e3:.2f} cm3)")
    return from_manifold(together)


def _add() -> object:
    from manifold3d import OpType  # noqa: PLC0415  # only for meshes of several shells

    return OpType.Add


def as_manifold(mesh: TriangleMesh) -> Manifold | None:
    """The surface as a manifold, or None where it is not one in the strict sense."""
    solid = Manifold(Mesh(mesh.vertices_mm.astype(np.float32), mesh.faces.astype(np.uint32)))
    return solid if solid.status() == Error.NoError and solid.num_tri() > 0 else None


def from_manifold(solid: Manifold) -> TriangleMesh:
    """The surface of a manifold."""
    mesh = solid.to_mesh()
    return TriangleMesh(vertices_mm=np.asarray(mesh.vert_properties)[:, :3], faces=np.asarray(mesh.tri_verts))
