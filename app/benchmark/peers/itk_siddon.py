"""ITK TwoProjectionRegistration: its Siddon-Jacobs ray caster inside ITK's resampling filter.

Its camera looks along -z from the origin, and its transform is followed by a shift along y and a quarter turn about
x; ``_TURN`` undoes that.
"""

from harness import run

_FOCAL_MM = 1000.0
_TURN = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))


def load():
    from importlib.metadata import version

    import itk

    if not hasattr(itk, "SiddonJacobsRayCastInterpolateImageFunction"):
        raise ModuleNotFoundError("itk-twoprojectionregistration")
    return version("itk-twoprojectionregistration")


def prepare(work):
    import itk
    import numpy as np

    image_type = itk.Image[itk.F, 3]
    volume = itk.image_from_array(np.ascontiguousarray(work["attenuation_per_mm"]))
    volume.SetSpacing(work["spacing_mm"].tolist())
    height, width = (int(side) for side in work["size"])
    kept = []
    for view in range(2):
        camera_from_grid = work["camera_from_world"][view] @ work["world_from_grid"]
        turn = np.array(_TURN)
        # Its voxels begin, rather than have their centres, at the volume's corner.
        corner = camera_from_grid[:3, 3] - camera_from_grid[:3, :3] @ (0.5 * work["spacing_mm"])
        shift = turn @ corner - [0.0, _FOCAL_MM, 0.0]
        transform = itk.Euler3DTransform[itk.D].New()
        transform.SetMatrix(itk.matrix_from_array(turn @ camera_from_grid[:3, :3]))
        transform.SetTranslation(shift.tolist())
        caster = itk.SiddonJacobsRayCastInterpolateImageFunction[image_type, itk.D].New()
        caster.SetProjectionAngle(0.0)
        caster.SetFocalPointToIsocenterDistance(_FOCAL_MM)
        caster.SetThreshold(0.0)
        caster.SetTransform(transform)
        caster.Initialize()
        fx, _, cx, cy = work["lens"][view]
        spacing = float(work["spacing_px_mm"][view])
        resample = itk.ResampleImageFilter[image_type, image_type].New()
        resample.SetInput(volume)
        resample.SetDefaultPixelValue(0.0)
        resample.SetInterpolator(caster)
        resample.SetTransform(itk.IdentityTransform[itk.D, 3].New())
        resample.SetSize([width, height, 1])
        resample.SetOutputSpacing([spacing, spacing, 1.0])
        resample.SetOutputOrigin([-cx * spacing, cy * spacing, -fx * spacing])
        resample.SetOutputDirection(itk.matrix_from_array(np.diag([1.0, -1.0, -1.0])))
        rows, columns = np.mgrid[:height, :width]
        length = spacing * np.sqrt((columns - cx) ** 2 + (rows - cy) ** 2 + fx**2)  # what it divides by
        kept.append((resample, length, caster, transform))

    def draw():
        drawn = []
        for resample, length, *_ in kept:
            resample.Modified()
            resample.Update()
            drawn.append(length * itk.array_from_image(resample.GetOutput())[0])
        return np.stack(drawn)

    return draw


run(load, prepare)
