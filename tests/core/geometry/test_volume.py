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


@pytest.mark.parametrize("shape", [(4, 6, 8), (5, 7, 9), (4, 5, 3)])
def test_halving_keeps_mass_and_place(shape: tuple[int, int, int]) -> None:
    turned = Rigid.from_euler([20.0, -35.0, 50.0], [10.0, 20.0, 30.0])
    values = np.random.default_rng(5).uniform(size=shape).astype(np.float32)
    fine = Volume(attenuation_per_mm=values, spacing_mm=np.array([0.5, 1.0, 2.0]), body_from_grid=turned)
    coarse = fine.halved()
    assert coarse.shape_ijk == tuple((size + 1) // 2 for size in fine.shape_ijk)
    for one, other in zip(_mass_and_centre(fine), _mass_and_centre(coarse), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def _mass_and_centre(volume: Volume) -> tuple[float, np.ndarray]:
    k, j, i = np.indices(volume.attenuation_per_mm.shape).reshape(3, -1)
    places = volume.body_from_grid.apply(np.stack([i, j, k], axis=1) * volume.spacing_mm)
    weights = volume.attenuation_per_mm.ravel().astype(np.float64) * volume.spacing_mm.prod()
    return float(weights.sum()), weights @ places / weights.sum()


def test_halving_ends_before_there_is_no_volume() -> None:
    with pytest.raises(VolumeError, match="at least 2 voxels"):
        _volume(np.zeros((2, 3, 5), dtype=np.float32)).halved()


def test_cannot_be_changed() -> None:
    volume = _volume(np.zeros((3, 3, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="read-only"):
        volume.attenuation_per_mm[0, 0, 0] = 1.0
