"""The moments of a CT volume in the box of a picture that its shadow can reach, as of a surface."""

import numpy as np
from jaxtyping import Float, Float32, Int64

from core.geometry.rigid import Rigid
from core.geometry.volume import Volume
from core.rendering.boxed_moments import box_around
from core.rendering.volume_moments import accumulate_volume_moments, shadow_bounds


def draw_volume(
    volume: Volume,
    camera_from_body: Rigid,
    depth_mm: float,
    lens: Float[np.ndarray, "4"],
    size: tuple[int, int],
    supersample: int,
    margin: int,
) -> tuple[Int64[np.ndarray, "4"], Float32[np.ndarray, "high wide 2"]]:
    """Box (left, top, width, height) and moments of a volume within a cut of ``size`` = (width, height).

    ``lens`` is that of the supersampled grid; the density is the attenuation itself, so the first moment
    has no unit. The box is empty where nothing is seen or the volume reaches behind the source.
    """
    bounds = shadow_bounds(volume, camera_from_body, lens)
    if bounds is None:
        bounds = np.zeros(4, dtype=np.int64)
    box = box_around(bounds, supersample, margin, size[0], size[1])
    moments = np.zeros((int(box[3]) * supersample, int(box[2]) * supersample, 2), dtype=np.float32)
    if moments.size:
        inner = lens.copy()
        inner[2:] -= box[:2] * supersample
        accumulate_volume_moments(volume, camera_from_body, inner, depth_mm, moments)
    return box, moments
