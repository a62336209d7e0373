"""What tests of source and relation need of a simulated rig: its true correction, and generators run to their end."""

from collections.abc import Generator
from typing import TypeVar

import numpy as np

from core.geometry.distortion import Correction, DetectorGrid, Distortion, normalising, total_degree
from core.simulation.phantoms.rig import SimulatedPlane

Result = TypeVar("Result")


def finished(generator: Generator[object, None, Result]) -> Result:
    """The result of a calculation, without its progress."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


def true_correction(plane: SimulatedPlane, order: int = 9) -> Correction:
    """The true map of a plane as a polynomial of high order (about 1e-4 mm), and the usual grid."""
    width, height = plane.width_px, plane.height_px
    u, v = np.meshgrid(np.linspace(0, width - 1, 60), np.linspace(0, height - 1, 60))
    pixels = np.column_stack([u.ravel(), v.ravel()])
    points = plane.map.mm_from_px(pixels)
    affine = np.array(normalising(width, height))
    x, y = (pixels @ affine[:, :2].T + affine[:, 2]).T
    exponents = total_degree(order)
    terms = np.column_stack([x**i * y**j for i, j in exponents])
    seen = np.linalg.norm(points, axis=1) < plane.field_mm + 15.0
    coefficients = np.linalg.lstsq(terms[seen], points[seen], rcond=None)[0]
    return Correction(
        distortion=Distortion(
            exponents=exponents,
            x_coefficients=tuple(coefficients[:, 0].tolist()),
            y_coefficients=tuple(coefficients[:, 1].tolist()),
            affine=normalising(width, height),
            width_px=width,
            height_px=height,
        ),
        grid=DetectorGrid(
            spacing_mm=0.225 * 1600 / height,
            width_px=width,
            height_px=height,
            centre_px=(0.5 * (width - 1), 0.5 * (height - 1)),
        ),
    )
