"""trimesh with Embree: all hits of each ray, signed by the face they meet."""

from harness import rays_world, run, signed_lengths


def load():
    import embreex  # noqa: F401
    import trimesh

    return trimesh.__version__


def prepare(work):
    import numpy as np
    import trimesh
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    mesh = trimesh.Trimesh(work["vertices_world_mm"], work["faces"], process=False)
    tracer = RayMeshIntersector(mesh)
    normals = np.asarray(mesh.face_normals)
    views = [rays_world(work, view) for view in range(2)]

    def draw():
        drawn = []
        for source, rays in views:
            flat = rays.reshape(-1, 3)
            near = _rays_at(mesh, source, flat)
            origins = np.broadcast_to(source, (len(near), 3))
            triangles, ids, places = tracer.intersects_id(
                origins, flat[near], multiple_hits=True, return_locations=True
            )
            along = ((places - source) * flat[near][ids]).sum(axis=1)
            outward = (normals[triangles] * flat[near][ids]).sum(axis=1) > 0
            lengths = np.zeros(len(flat))
            lengths[near] = signed_lengths(ids, along, outward, len(near))
            drawn.append(lengths.reshape(work["size"]))
        return np.stack(drawn)

    return draw


def _rays_at(mesh, source, flat):
    """Rays that pass the body's bounding sphere: Embree finds that too, but not before Python has copied them all."""
    import numpy as np

    centre = mesh.bounding_sphere.primitive.center - source
    along = flat @ centre
    return np.flatnonzero(centre @ centre - along**2 < mesh.bounding_sphere.primitive.radius**2)


run(load, prepare)
