"""Closed solids for the simulator: lofted tubes and extrusions for boolean operations, and back to surfaces."""

import numpy as np
from jaxtyping import Float
from manifold3d import CrossSection, Manifold, Mesh64

from core.errors import MeshError
from core.geometry.mesh import TriangleMesh

ALONG_X = np.array([[0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
"""Turns an extrusion of a (z, y) outline so that it runs along -x."""
ALONG_Y = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
"""Turns an extrusion of an (x, z) outline so that it runs along -y."""
_SLIVER_MM = 0.005


def loft_mesh(rings_mm: Float[np.ndarray, "rings points 3"]) -> TriangleMesh:
    """The closed tube through rings of points, capped with fans; wound outward."""
    rings, points, _ = rings_mm.shape
    ahead = np.roll(np.arange(points), -1)
    here = np.arange(points)
    faces = []
    for ring in range(rings - 1):
        low, high = ring * points, (ring + 1) * points
        faces.append(np.stack([low + here, low + ahead, high + here], axis=-1))
        faces.append(np.stack([low + ahead, high + ahead, high + here], axis=-1))
    first, last = rings * points, rings * points + 1
    top = (rings - 1) * points
    faces.append(np.stack([np.full(points, first), ahead, here], axis=-1))
    faces.append(np.stack([np.full(points, last), top + here, top + ahead], axis=-1))
    caps = np.stack([rings_mm[0].mean(axis=0), rings_mm[-1].mean(axis=0)])
    vertices = np.concatenate([rings_mm.reshape(-1, 3), caps])
    mesh = TriangleMesh(vertices_mm=vertices, faces=np.concatenate(faces))
    return mesh if mesh.volume_mm3 > 0 else mesh.flipped()


def as_solid(mesh: TriangleMesh) -> Manifold:
    """The solid inside a closed surface.

    Raises:
        MeshError: the surface is no manifold.
    """
    solid = Manifold(Mesh64(np.array(mesh.vertices_mm), mesh.faces.astype(np.uint64)))
    if solid.is_empty():
        raise MeshError(f"a simulated solid is no manifold: {solid.status()}")
    return solid


def as_mesh(solid: Manifold, edge_mm: float | None = None) -> TriangleMesh:
    """The surface of a solid, with slivers removed and edges no longer than asked for.

    Raises:
        MeshError: nothing is left, or the surface is not closed.
    """
    clean = solid.as_original().simplify(_SLIVER_MM)
    if edge_mm is not None:
        clean = clean.refine_to_length(edge_mm)
    drawn = clean.to_mesh64()
    mesh = TriangleMesh(vertices_mm=np.asarray(drawn.vert_properties)[:, :3], faces=np.asarray(drawn.tri_verts))
    if not mesh.is_closed or mesh.volume_mm3 <= 0:
        raise MeshError("a simulated solid came out open or empty; choose another edge length")
    return mesh


def outline(points: Float[np.ndarray, "n 2"]) -> CrossSection:
    """The area inside a closed line, whichever way round it is walked."""
    x, y = np.asarray(points, dtype=np.float64).T
    area = float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    return CrossSection([np.stack([x, y], axis=-1)[:: 1 if area > 0 else -1]])


def ellipse(centre: tuple[float, float], semi_axes: tuple[float, float], points: int) -> CrossSection:
    """An ellipse as a polygon of so many corners."""
    angle = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    return outline(np.stack([np.cos(angle), np.sin(angle)], axis=-1) * semi_axes + centre)


def hull(parts: list[CrossSection]) -> CrossSection:
    """The smallest convex area around several."""
    return CrossSection.batch_hull(parts)


def extruded_along_x(area_zy: CrossSection, half_length_mm: float) -> Manifold:
    """The (z, y) area extruded from -half_length to +half_length along x."""
    return area_zy.extrude(2 * half_length_mm).translate([0, 0, -half_length_mm]).transform(ALONG_X)


def extruded_along_y(area_xz: CrossSection, low_mm: float, high_mm: float) -> Manifold:
    """The (x, z) area extruded from low to high along y."""
    return area_xz.extrude(high_mm - low_mm).transform(ALONG_Y).translate([0, high_mm, 0])


def extruded_along_z(area_xy: CrossSection, low_mm: float, high_mm: float) -> Manifold:
    """The (x, y) area extruded from low to high along z."""
    return area_xy.extrude(high_mm - low_mm).translate([0, 0, low_mm])
