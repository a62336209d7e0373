"""Mitsuba 3 (LLVM): a loop of ray intersections that adds signed distances."""

from harness import rays_world, run


def load():
    import mitsuba

    return mitsuba.__version__


def prepare(work):
    import drjit as dr
    import mitsuba as mi
    import numpy as np

    mi.set_variant("llvm_ad_rgb")
    mesh = mi.Mesh("body", len(work["vertices_world_mm"]), len(work["faces"]))
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = mi.Float(work["vertices_world_mm"].astype(np.float32).ravel())
    parameters["faces"] = mi.UInt32(work["faces"].astype(np.uint32).ravel())
    parameters.update()
    scene = mi.load_dict({"type": "scene", "body": mesh})
    views = []
    for view in range(2):
        source, rays = rays_world(work, view)
        views.append((mi.Point3f(*source.tolist()), mi.Vector3f(rays.reshape(-1, 3).T.astype(np.float32))))

    def trace(source, rays):
        count = dr.width(rays)

        def onward(length, travelled, active, hits):
            hit = scene.ray_intersect(mi.Ray3f(source + travelled * rays, rays), active)
            active &= hit.is_valid() & (hits < 32)
            at = travelled + hit.t
            sign = dr.select(dr.dot(hit.n, rays) > 0, 1.0, -1.0)
            length = dr.select(active, length + sign * at, length)
            return length, dr.select(active, at + 1e-3, travelled), active, hits + 1

        state = (dr.zeros(mi.Float, count), dr.zeros(mi.Float, count), dr.full(mi.Bool, True, count), mi.UInt32(0))
        return dr.while_loop(state, lambda *state: state[2], onward)[0]

    def draw():
        drawn = []
        for source, rays in views:
            length = trace(source, rays)
            dr.eval(length)
            dr.sync_thread()
            drawn.append(np.asarray(length).reshape(work["size"]))
        return np.stack(drawn)

    return draw


run(load, prepare)
