"""From what a scanner stores to linear attenuation in 1/mm."""

import numpy as np
from jaxtyping import Float32

WATER_PER_MM = 0.0205
"""Of water at 62 keV, about the mean energy of a fluoroscope at 80 to 90 kV behind a leg (NIST XCOM: 0.206 /cm at
60 keV, 0.184 at 80). Registration chooses a factor on it, so that its exact value moves no pose."""
BONE_PER_MM = 0.045
"""Of a structure known by its label only: between cancellous bone (0.03) and cortex (0.08)."""


def from_hounsfield(stored: np.ndarray, slope: float, intercept: float) -> Float32[np.ndarray, "k j i"]:
    """``mu = mu_water (1 + HU / 1000)`` with ``HU = slope stored + intercept``; air and less is 0."""
    return from_line(stored, WATER_PER_MM * slope / 1000.0, WATER_PER_MM * (1.0 + intercept / 1000.0))


def from_line(stored: np.ndarray, slope_per_mm: float, offset_per_mm: float) -> Float32[np.ndarray, "k j i"]:
    """``slope stored + offset``, never below 0; one copy, whatever the type."""
    values = stored.astype(np.float32)
    values *= np.float32(slope_per_mm)
    values += np.float32(offset_per_mm)
    np.maximum(values, 0.0, out=values)
    return values
