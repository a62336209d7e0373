"""RTK: Joseph forward projection of a volume, each view as a stack of one."""

from harness import run


def load():
    from importlib.metadata import version

    from itk import RTK  # noqa: F401

    return version("itk-rtk")


def prepare(work):
    import itk
    import numpy as np
    from itk import RTK

    image_type = itk.Image[itk.F, 3]
    volume = itk.image_from_array(np.ascontiguousarray(work["attenuation_per_mm"]))
    volume.SetSpacing(work["spacing_mm"].tolist())
    world_from_grid = work["world_from_grid"]
    grid_from_world = np.linalg.inv(world_from_grid)
    height, width = (int(side) for side in work["size"])
    # RTK turns about the volume's world; working in the grid's own frame needs no oblique direction.
    filters = []
    for view in range(2):
        camera_from_grid = work["camera_from_world"][view] @ np.linalg.inv(grid_from_world)
        turn, shift = camera_from_grid[:3, :3], camera_from_grid[:3, 3]
        fx, _, cx, cy = work["lens"][view]
        spacing = float(work["spacing_px_mm"][view])
        source = -turn.T @ shift
        corner = source + turn.T @ np.array([-cx * spacing, -cy * spacing, fx * spacing])
        geometry = RTK.ThreeDCircularProjectionGeometry.New()
        added = geometry.AddProjection(source.tolist(), corner.tolist(), turn[0].tolist(), turn[1].tolist())
        if added is False:
            raise RuntimeError("RTK refused the geometry")
        empty = itk.image_from_array(np.zeros((1, height, width), dtype=np.float32))
        empty.SetSpacing([spacing, spacing, 1.0])
        projector = RTK.JosephForwardProjectionImageFilter[image_type, image_type].New()
        projector.SetInput(0, empty)
        projector.SetInput(1, volume)
        projector.SetGeometry(geometry)
        projector.InPlaceOff()
        filters.append((projector, empty, geometry))

    def draw():
        drawn = []
        for projector, *_ in filters:
            projector.Modified()
            projector.Update()
            drawn.append(itk.array_from_image(projector.GetOutput())[0])
        return np.stack(drawn)

    return draw


run(load, prepare)
