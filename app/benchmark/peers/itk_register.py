"""ITK TwoProjectionRegistration: Powell on the correlation of Siddon-Jacobs drawings, settings of its example."""

from harness import run_registrations

_FOCAL_MM = 1350.0
_ANGLES_DEG = (0.0, 70.0)
_DEGREES = 57.29578


def load():
    from importlib.metadata import version

    import itk

    if not hasattr(itk, "TwoProjectionImageRegistrationMethod"):
        raise ModuleNotFoundError("itk-twoprojectionregistration")
    return version("itk-twoprojectionregistration")


def prepare(work):
    import itk
    import numpy as np

    image_type = itk.Image[itk.F, 3]
    volume = itk.image_from_array(np.ascontiguousarray(work["attenuation_per_mm"]))
    spacing = work["spacing_mm"]
    volume.SetSpacing(spacing.tolist())
    # Voxels begin at the volume's corner; the body's origin is its middle, and the transform turns about that.
    middle = 0.5 * np.array(work["attenuation_per_mm"].shape[::-1]) * spacing

    def fixed(view, picture):
        image = itk.image_from_array(np.ascontiguousarray(picture[None], dtype=np.float32))
        fx, _, cx, cy = work["lens"][view]
        side = float(work["spacing_px_mm"][view])
        image.SetSpacing([side, side, 1.0])
        image.SetOrigin([-cx * side, cy * side, -fx * side])
        image.SetDirection(itk.matrix_from_array(np.diag([1.0, -1.0, -1.0])))
        return image

    def register(start, darkness):
        transform = itk.Euler3DTransform[itk.D].New()
        transform.SetComputeZYX(True)
        transform.SetCenter(middle.tolist())
        transform.SetMatrix(itk.matrix_from_array(np.ascontiguousarray(start[:3, :3])))
        transform.SetTranslation(start[:3, 3].tolist())
        method = itk.TwoProjectionImageRegistrationMethod[image_type, image_type].New()
        metric = itk.NormalizedCorrelationTwoImageToOneImageMetric[image_type, image_type].New()
        metric.ComputeGradientOff()
        metric.SetSubtractMean(True)
        optimizer = itk.PowellOptimizer.New()
        optimizer.SetMaximize(False)
        optimizer.SetMaximumIteration(10)
        optimizer.SetMaximumLineIteration(4)
        optimizer.SetStepLength(4.0)
        optimizer.SetStepTolerance(0.02)
        optimizer.SetValueTolerance(0.001)
        scales = itk.OptimizerParameters[itk.D](6)
        for index in range(6):
            scales[index] = _DEGREES if index < 3 else 1.0
        optimizer.SetScales(scales)
        images = [fixed(view, darkness[view]) for view in range(2)]
        casters = []
        for angle in _ANGLES_DEG:
            caster = itk.SiddonJacobsRayCastInterpolateImageFunction[image_type, itk.D].New()
            caster.SetProjectionAngle(angle / _DEGREES)
            caster.SetFocalPointToIsocenterDistance(_FOCAL_MM)
            caster.SetThreshold(0.0)
            caster.SetTransform(transform)
            caster.Initialize()
            casters.append(caster)
        method.SetMetric(metric)
        method.SetOptimizer(optimizer)
        method.SetTransform(transform)
        method.SetInterpolator1(casters[0])
        method.SetInterpolator2(casters[1])
        method.SetFixedImage1(images[0])
        method.SetFixedImage2(images[1])
        method.SetMovingImage(volume)
        method.SetFixedImageRegion1(images[0].GetBufferedRegion())
        method.SetFixedImageRegion2(images[1].GetBufferedRegion())
        method.SetInitialTransformParameters(transform.GetParameters())
        method.StartRegistration()
        transform.SetParameters(method.GetLastTransformParameters())
        found = np.eye(4)
        found[:3, :3] = itk.array_from_matrix(transform.GetMatrix())
        found[:3, 3] = np.array([transform.GetTranslation()[axis] for axis in range(3)])
        return found

    return register


run_registrations(load, prepare)
