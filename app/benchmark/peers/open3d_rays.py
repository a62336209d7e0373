"""Open3D: all intersections of each ray, signed by the face they meet (Embree)."""

from harness import rays_world, run, signed_lengths


def load():
    import open3d

    return open3d.__version__


def prepare(work):
    import numpy as np
    import open3d as o3d

    vertices, faces = work["vertices_world_mm"], work["faces"]
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(
        o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(np.ascontiguousarray(faces, dtype=np.uint32))
    )
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    views = []
    for view in range(2):
        source, rays = rays_world(work, view)
        flat = rays.reshape(-1, 3)
        views.append((flat, o3d.core.Tensor(np.hstack([np.broadcast_to(source, flat.shape), flat]).astype(np.float32))))

    def draw():
        drawn = []
        for flat, rays in views:
            hits = scene.list_intersections(rays)
            ids = hits["ray_ids"].numpy()
            outward = (normals[hits["primitive_ids"].numpy()] * flat[ids]).sum(axis=1) > 0
            drawn.append(signed_lengths(ids, hits["t_hit"].numpy(), outward, len(flat)).reshape(work["size"]))
        return np.stack(drawn)

    return draw


run(load, prepare)
