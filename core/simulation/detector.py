"""What the image chain makes of the arriving X-rays: scatter, glare, blur, distortion, noise, aperture, grey values."""

from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Float32

from core.errors import ImageError


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChain:
    """Settings of one plane; lengths in mm on the detector, displacements in pixels of a 1024 px picture."""

    bits: int = 8
    air_over_white: float = 1.35
    """Signal of the open beam over the signal at which the picture is white: air is saturated."""
    scatter: float = 0.42
    """Scattered over unscattered signal behind a thick leg."""
    scatter_reach_mm: float = 28.0
    glare: float = 0.045
    """Share of all light that the intensifier spreads over the whole picture."""
    glare_reach_mm: float = 75.0
    focal_blur_mm: float = 0.30
    """Sigma of the focal spot's and the screen's blur together."""
    photons_at_white: float = 5200.0
    noise_grain_px: float = 0.75
    """Sigma of the screen's light spread, which correlates neighbouring pixels."""
    distortion_px: float = 0.35
    """Largest displacement that is left after undistortion."""
    gamma: float = 0.62
    """Exponent of the grey-value curve, which lifts the dark parts as image intensifier chains do."""
    black_level: float = 0.012

    def __post_init__(self) -> None:
        """Refuse grey depths that no picture file has.

        Raises:
            ImageError: bits other than 8 and 16.
        """
        if self.bits not in {8, 16}:
            raise ImageError(f"simulated pictures have 8 or 16 bits, not {self.bits}")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aperture:
    """What stays the same from frame to frame in one plane: image circle, shading, residual distortion."""

    open_share: Float32[np.ndarray, "h w"]
    """1 inside the circle, 0 outside, soft between; includes the shading toward the edge."""
    surround: Float32[np.ndarray, "h w"]
    """Faint light outside the circle, as a share of white."""
    map_u: Float32[np.ndarray, "h w"]
    map_v: Float32[np.ndarray, "h w"]


def make_aperture(size_px: int, chain: ImageChain, draw: np.random.Generator) -> Aperture:
    """A circle that nearly fills the picture, and a smooth displacement of some tenths of a pixel."""
    v, u = np.mgrid[:size_px, :size_px].astype(np.float32)
    centre = 0.5 * (size_px - 1) + draw.uniform(-0.006, 0.006, 2) * size_px
    radius = draw.uniform(0.492, 0.499) * size_px
    distance = np.hypot(u - centre[0], v - centre[1])
    edge = 1.0 / (1.0 + np.exp(np.clip((distance - radius) / (0.0016 * size_px), -60.0, 60.0)))
    shading = 1.0 - 0.30 * (distance / radius).clip(0.0, 1.2) ** 6
    tilt = draw.uniform(-0.06, 0.06, 2)
    shading += tilt[0] * (u / size_px - 0.5) + tilt[1] * (v / size_px - 0.5)
    angle = np.arctan2(v - centre[1], u - centre[0])
    ring = radius * (1.035 + 0.006 * np.cos(23.0 * angle) + 0.004 * np.cos(7.0 * angle + 1.0))
    surround = 0.045 / (1.0 + np.exp(np.clip((distance - ring) / (0.0015 * size_px), -60.0, 60.0)))
    shift_u, shift_v = _displacement(size_px, chain.distortion_px * size_px / 1024.0, draw)
    return Aperture(
        open_share=(edge * shading).astype(np.float32),
        surround=surround.astype(np.float32),
        map_u=(u + shift_u).astype(np.float32),
        map_v=(v + shift_v).astype(np.float32),
    )


def _displacement(
    size_px: int, largest_px: float, draw: np.random.Generator
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """A smooth random field whose largest vector has the given length."""
    coarse = draw.standard_normal((2, 7, 7)).astype(np.float32)
    wide = [cv2.resize(part, (size_px, size_px), interpolation=cv2.INTER_CUBIC) for part in coarse]
    u, v = (np.asarray(cv2.GaussianBlur(part, (0, 0), size_px / 16.0)) for part in wide)
    scale = np.float32(largest_px / float(np.hypot(u, v).max()))
    return u * scale, v * scale


def expose(
    arriving: Float32[np.ndarray, "h w"],
    aperture: Aperture,
    chain: ImageChain,
    pixel_mm: float,
    draw: np.random.Generator,
) -> np.ndarray:
    """The picture (uint8 or uint16) of unscattered X-rays given as a share of the open beam."""
    beam = arriving * np.float32(chain.air_over_white) + _scattered(arriving, chain, pixel_mm)
    blurred = cv2.GaussianBlur(beam, (0, 0), chain.focal_blur_mm / pixel_mm)
    bent = cv2.remap(blurred, aperture.map_u, aperture.map_v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    light = np.asarray(bent) * aperture.open_share
    light = light + np.float32(chain.glare) * _spread(np.minimum(light, 2.0), chain.glare_reach_mm / pixel_mm)
    counts = draw.poisson(light.clip(0.0) * chain.photons_at_white).astype(np.float32)
    seen = np.asarray(_grainy(counts, chain)) / np.float32(chain.photons_at_white)
    return _grey_values(seen, aperture, chain, draw)


def _grainy(counts: Float32[np.ndarray, "h w"], chain: ImageChain) -> Float32[np.ndarray, "h w"]:
    """Photon counts spread by the screen's grain, which correlates neighbouring pixels."""
    sigma = chain.noise_grain_px * counts.shape[0] / 1024.0
    return np.asarray(cv2.GaussianBlur(counts, (0, 0), sigma)) if sigma > 0.2 else counts


def _grey_values(
    seen: Float32[np.ndarray, "h w"], aperture: Aperture, chain: ImageChain, draw: np.random.Generator
) -> np.ndarray:
    """Grey-value curve, black level, surround, saturation and rounding."""
    curved = seen.clip(0.0) ** np.float32(chain.gamma)
    curved = curved * np.minimum(1.0, 4.0 * aperture.open_share.clip(0.0, 1.0)) + np.float32(chain.black_level)
    flicker = draw.normal(1.0, 0.04, seen.shape).astype(np.float32)
    curved = np.maximum(curved, aperture.surround * flicker)
    white = 2**chain.bits - 1
    return np.round(curved.clip(0.0, 1.0) * white).astype(np.uint8 if chain.bits == 8 else np.uint16)


def _scattered(arriving: Float32[np.ndarray, "h w"], chain: ImageChain, pixel_mm: float) -> Float32[np.ndarray, "h w"]:
    """Scatter comes from where X-rays are absorbed in tissue and spreads widely (first order)."""
    depth = -np.log(np.maximum(arriving, 0.02))
    source = arriving * depth.clip(0.0, 2.5) * np.float32(chain.air_over_white * chain.scatter)
    return _spread(source, chain.scatter_reach_mm / pixel_mm)


def _spread(picture: Float32[np.ndarray, "h w"], sigma_px: float) -> Float32[np.ndarray, "h w"]:
    """A wide Gaussian blur, done on a picture of one eighth the size."""
    height, width = picture.shape
    small = cv2.resize(picture, (max(width // 8, 8), max(height // 8, 8)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma_px * small.shape[1] / width)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC))
