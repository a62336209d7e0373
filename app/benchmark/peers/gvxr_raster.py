"""gVXR: its OpenGL path-length raster, in a window that is not shown (EGL); centimetres, rows upside down."""

from harness import run


def load():
    from importlib.metadata import version

    from gvxrPython3 import gvxr

    gvxr.createWindow(-1, False, "EGL")
    return version("gvxr")


def prepare(work):
    import numpy as np
    from gvxrPython3 import gvxr

    gvxr.makeTriangularMesh("body", work["vertices_world_mm"].ravel().tolist(), work["faces"].ravel().tolist(), "mm")
    gvxr.setElement("body", "Ti")
    gvxr.addPolygonMeshAsInnerSurface("body")
    gvxr.usePointSource()
    gvxr.setMonoChromatic(80, "keV", 1)
    height, width = (int(side) for side in work["size"])

    def aim(view):
        camera_from_world = work["camera_from_world"][view]
        fx, _, cx, cy = work["lens"][view]
        turn = camera_from_world[:3, :3]
        source = -turn.T @ camera_from_world[:3, 3]
        spacing = float(work["spacing_px_mm"][view])
        middle = np.array([((width - 1) / 2 - cx) * spacing, ((height - 1) / 2 - cy) * spacing, fx * spacing])
        detector = source + turn.T @ middle
        gvxr.setSourcePosition(*source.tolist(), "mm")
        gvxr.setDetectorPosition(*detector.tolist(), "mm")
        gvxr.setDetectorUpVector(*(-turn[1]).tolist())
        gvxr.setDetectorRightVector(*turn[0].tolist())
        gvxr.setDetectorNumberOfPixels(width, height)
        gvxr.setDetectorPixelSize(spacing, spacing, "mm")

    def draw():
        drawn = []
        for view in range(2):
            aim(view)
            drawn.append(10 * np.asarray(gvxr.computeLBuffer("body"))[::-1])
        return np.stack(drawn)

    return draw


run(load, prepare)
