"""A volume says where its grid lies and refuses what cannot be X-rayed."""

import numpy as np
import pytest

from core.errors import VolumeError
from core.geometry.rigid import Rigid
from core.geometry.volume import Volume


def _volume(values: np.ndarray, spacing: tuple[float, float, float] = (0.5, 1.0, 2.0)) -> Volume:
    shift = Rigid(rotation=np.eye(3), translation_mm=np.array([10.0, 20.0, 30.0]))
    return Volume(attenuation_per_mm=values, spacing_mm=np.array(spacing), body_from_grid=shift)


def test_axes_are_ijk_with_i_fastest() -> None:
    volume = _volume(np.zeros((4, 3, 5), dtype=np.float32))
    assert volume.shape_ijk == (5, 3, 4)
    np.testing.assert_allclose(volume.extent_mm, [2.0, 2.0, 6.0])
    np.testing.assert_allclose(volume.centre_mm, [11.0, 21.0, 33.0])


@pytest.mark.parametrize(
    ("values", "spacing", "told"),
    [
        (np.zeros((1, 3, 3)), (1.0, 1.0, 1.0), "at least 2 voxels"),
        (np.zeros((3, 3, 3)), (1.0, 0.0, 1.0), "positive"),
        (np.full((3, 3, 3), np.nan), (1.0, 1.0, 1.0), "not finite"),
    ],
)
def test_refuses_what_cannot_be_xrayed(values: np.ndarray, spacing: tuple[float, float, float], told: str) -> None:
    with pytest.raises(VolumeError, match=told):
        _volume(values.astype(np.float32), spacing)


def test_cannot_be_changed() -> None:
    volume = _volume(np.zeros((3, 3, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="read-only"):
        volume.attenuation_per_mm[0, 0, 0] = 1.0
