"""From the X-rays that arrive to grey values: blur, veiling glare, vignetting, field, counting noise, rounding."""

from dataclasses import dataclass, replace
from typing import Literal, final

import cv2
import numpy as np
from jaxtyping import Float, Float32

from core.errors import ImageError
from core.simulation.phantoms.rig import SimulatedPlane

_FIELD_EDGE_MM = 0.3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomChain:
    """How a phantom is exposed and read out."""

    bits: int = 16
    curve: Literal["linear", "logarithmic"] = "linear"
    """Grey values in proportion to the light, or to its logarithm over a range of 1:100."""
    photons: float = 500.0
    """Counted in a pixel of 0.225 mm in the open beam; larger pixels count more."""
    open_share: float = 0.8
    """Grey value of the open beam in the middle of the field, as a share of white; above 1 it is saturated."""
    black_level: float = 0.01
    screen_blur_mm: float = 0.22
    """Sigma of the screen's spread, on the detector."""
    focal_spot_mm: float = 0.25
    """Sigma of the focal spot; it blurs what is away from the detector."""
    glare: float = 0.01
    """Share of the light that the intensifier spreads over the picture."""
    glare_reach_mm: float = 50.0
    vignetting: float = 0.25
    """Share of light that is lost at the edge of the field."""
    slope: float = 0.08
    """Change of the light across the field: the heel effect."""

    def __post_init__(self) -> None:
        """Refuse a chain that gives no picture.

        Raises:
            ImageError: bits other than 8 and 16, or no photons.
        """
        if self.bits not in {8, 16}:
            raise ImageError(f"simulated pictures have 8 or 16 bits, not {self.bits}")
        if not (self.photons > 0 and self.open_share > 0):
            raise ImageError(f"a simulated picture needs photons and light, got {self.photons} and {self.open_share}")


def expose(
    passed: Float32[np.ndarray, "h w"],
    plane: SimulatedPlane,
    chain: PhantomChain,
    draw: np.random.Generator,
    magnification: float = 1.0,
) -> np.ndarray:
    """The raw picture (uint8 or uint16) of X-rays of which a share ``passed`` arrives at each pixel.

    ``magnification`` is that of the phantom, which decides how far the focal spot blurs it.
    """
    pixel_mm = plane.pixel_mm
    blur_mm = np.hypot(chain.screen_blur_mm, chain.focal_spot_mm * (magnification - 1.0))
    blurred = cv2.GaussianBlur(passed, (0, 0), blur_mm / pixel_mm, borderType=cv2.BORDER_REPLICATE)
    light = np.asarray(blurred, dtype=np.float32) * open_beam(plane, chain)
    light = light + np.float32(chain.glare) * (_spread(light, chain.glare_reach_mm / pixel_mm) - light)
    photons = chain.photons * (pixel_mm / 0.225) ** 2
    counted = draw.poisson(light.clip(0.0) * photons).astype(np.float32) / np.float32(photons)
    return grey_values(counted, chain)


def white_picture(plane: SimulatedPlane, chain: PhantomChain, seed: int) -> np.ndarray:
    """The open beam, averaged over 16 exposures as is done for a white field."""
    nothing = np.ones((plane.height_px, plane.width_px), dtype=np.float32)
    return expose(nothing, plane, replace(chain, photons=16.0 * chain.photons), np.random.default_rng([seed, 20]))


def dark_picture(plane: SimulatedPlane, chain: PhantomChain) -> np.ndarray:
    """What the camera reads without X-rays."""
    return grey_values(np.zeros((plane.height_px, plane.width_px), dtype=np.float32), chain)


def grey_values(light: Float32[np.ndarray, "h w"], chain: PhantomChain) -> np.ndarray:
    """Read-out: curve, black level, saturation and rounding."""
    share = light * np.float32(chain.open_share)
    if chain.curve == "logarithmic":
        share = (1.0 + 0.5 * np.log10(share.clip(0.01))).astype(np.float32)
    white = 2**chain.bits - 1
    seen = np.float32(chain.black_level) + np.float32(1.0 - chain.black_level) * share
    return np.round(seen.clip(0.0, 1.0) * white).astype(np.uint8 if chain.bits == 8 else np.uint16)


def open_beam(plane: SimulatedPlane, chain: PhantomChain) -> Float32[np.ndarray, "h w"]:
    """Light with nothing in the beam: 1 in the middle of the field, less toward its edge, 0 outside."""
    away = (plane.mm_of_pixels - plane.field_centre_mm).astype(np.float32)
    distance = np.hypot(away[..., 0], away[..., 1])
    edge = 1.0 / (1.0 + np.exp(((distance - plane.field_mm) / _FIELD_EDGE_MM).clip(-50.0, 50.0)))
    share = distance / np.float32(plane.field_mm)
    shading = 1.0 - chain.vignetting * share.clip(0.0, 1.2) ** 3 + 0.5 * chain.slope * away[..., 0] / plane.field_mm
    return (edge * shading).astype(np.float32)


def _spread(picture: Float[np.ndarray, "h w"], sigma_px: float) -> Float32[np.ndarray, "h w"]:
    """A wide Gaussian blur, done on a picture of one eighth the size."""
    height, width = picture.shape
    small = cv2.resize(picture, (max(width // 8, 8), max(height // 8, 8)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma_px * small.shape[1] / width)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR))
