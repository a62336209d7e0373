"""Line integrals through volumes: the fast renderer against the exact references."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from core.errors import GeometryError
from core.geometry.rigid import Rigid
from core.geometry.volume import Volume
from core.rendering.path_length import lens_of, line_integral, ray_stretch
from core.rendering.shadow import FEATURES, pose_derivatives, shadow_features
from core.rendering.siddon import siddon_reference, trilinear_reference
from core.rendering.volume_moments import shadow_bounds, volume_moments
from tests.core.rendering.volume_samples import bone, view_of

DEPTH_MM = 1000.0
POSES = (
    Rigid.identity(),
    Rigid.from_euler([20.0, -35.0, 50.0], [3.0, -2.0, 15.0]),
    Rigid.from_euler([90.0, 0.0, 0.0], [0.5, 0.25, 0.0]),
    Rigid.from_euler([44.0, 46.0, 3.0], [25.0, 30.0, -20.0]),
)
"""Straight, oblique, along another axis, and partly outside the picture."""


def _drawn(volume: Volume, pose: Rigid, size_px: int = 72) -> np.ndarray:
    view = view_of(size_px)
    return volume_moments(volume, view.camera_from_world @ pose, lens_of(view), DEPTH_MM, (size_px, size_px))


def _off(found: np.ndarray, known: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found - known) ** 2) / np.mean(known**2)))


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("turned", [(0.0, 0.0, 0.0), (25.0, 10.0, -40.0)])
def test_fast_moments_agree_with_the_exact_integral(pose: Rigid, turned: tuple[float, float, float]) -> None:
    volume = bone(smooth_voxels=1.3, turned_deg=turned)
    exact = trilinear_reference(volume, view_of(), pose, DEPTH_MM)
    found = _drawn(volume, pose)
    assert _off(found[..., 0], exact[..., 0]) < 1e-3
    assert _off(found[..., 1], exact[..., 1]) < 4e-3


def test_exact_integral_is_the_limit_of_fine_sampling() -> None:
    volume, view, pose = bone((12, 10, 9), smooth_voxels=0.7), view_of(9, 20.0), POSES[1]
    exact = trilinear_reference(volume, view, pose, DEPTH_MM)
    body_from_camera = (view.camera_from_world @ pose @ volume.body_from_grid).inverse()
    depths = np.arange(960.0, 1060.0, 0.005)
    rows, columns = np.mgrid[:9, :9]
    for row, column in zip(rows.ravel(), columns.ravel(), strict=True):
        ray = view.back_project_camera(np.array([[float(column), float(row)]]))[0]
        index = body_from_camera.apply(ray * depths[:, None]) / volume.spacing_mm
        values = ndimage.map_coordinates(volume.attenuation_per_mm.astype(np.float64), index.T[::-1], order=1, cval=0.0)
        inside = ((index >= 0) & (index <= np.array(volume.shape_ijk) - 1)).all(axis=1)
        np.testing.assert_allclose((values * inside).sum() * 0.005, exact[row, column, 0], atol=3e-4)


def test_siddon_measures_boxes_exactly() -> None:
    values = np.zeros((3, 4, 5), dtype=np.float32)
    values[1, 2, 3] = 0.5
    volume = Volume(
        attenuation_per_mm=values,
        spacing_mm=np.array([2.0, 3.0, 4.0]),
        body_from_grid=Rigid(rotation=np.eye(3), translation_mm=np.array([-6.0, -6.0, -4.0])),
    )
    view = view_of(41, 41.0)
    drawn = siddon_reference(volume, view, Rigid.identity())
    hit = drawn > 0.25 * drawn.max()
    assert drawn.max() == pytest.approx(0.5 * 4.0, rel=1e-3)  # the box is 4 mm deep along the ray
    assert hit.sum() == pytest.approx(2.0 * 3.0, abs=1.0)  # and 2 x 3 mm across, at a pixel a mm


def test_siddon_and_trilinear_agree_on_what_is_smooth() -> None:
    volume = bone((40, 40, 40), (1.0, 1.0, 1.0), smooth_voxels=2.5)
    exact = trilinear_reference(volume, view_of(24), POSES[1], DEPTH_MM)[..., 0] * ray_stretch(view_of(24))
    assert _off(siddon_reference(volume, view_of(24), POSES[1]), exact) < 0.01


@pytest.mark.parametrize("axis", range(6))
@pytest.mark.parametrize("pose", [POSES[1], POSES[3], Rigid.from_euler([80.0, 15.0, -10.0], [0.5, 0.25, 0.0])])
def test_derivatives_agree_with_differences_of_the_reference(axis: int, pose: Rigid) -> None:
    volume, size = bone(), 150
    view = view_of(size, 110.0)
    pivot = view.camera_from_world.apply(pose.apply(volume.centre_mm[None]))[0]
    moments = volume_moments(volume, view.camera_from_world @ pose, lens_of(view), pivot[2], (size, size))[None]
    features = np.empty((size, size, 1 + FEATURES), dtype=np.float32)
    shadow_features(moments, np.array([0.5]), pivot[2:].copy(), lens_of(view), 1, features)
    picture = np.empty((size, size, 7), dtype=np.float32)
    pose_derivatives(features, lens_of(view), pivot[None], picture)
    step = 0.05 if axis < 3 else 0.002

    def shadow(by: float) -> np.ndarray:
        twist = np.zeros(6)
        twist[axis] = by
        exact = trilinear_reference(volume, view, pose.perturbed(twist, volume.centre_mm), pivot[2])
        return np.expm1(-0.5 * exact[..., 0] * ray_stretch(view))

    # registration smooths both pictures, which neighbouring pixels' differences do by themselves
    differences = ndimage.gaussian_filter((shadow(step) - shadow(-step)) / (2 * step), 2.0)
    found = ndimage.gaussian_filter(picture[..., 1 + axis], 2.0)
    cosine = (found * differences).sum() / np.sqrt((found**2).sum() * (differences**2).sum())
    assert cosine > (0.97 if axis == 2 else 0.985)
    assert np.sqrt((found**2).sum() / (differences**2).sum()) == pytest.approx(1.0, abs=0.06)


def test_bone_cut_by_the_edge_of_the_volume_ends_there() -> None:
    values = np.full((8, 8, 8), 0.02, dtype=np.float32)
    volume = Volume(
        attenuation_per_mm=values,
        spacing_mm=np.ones(3),
        body_from_grid=Rigid(rotation=np.eye(3), translation_mm=-3.5 * np.ones(3)),
    )
    for pose in (Rigid.identity(), POSES[1]):
        exact = trilinear_reference(volume, view_of(80, 16.0), pose, DEPTH_MM)
        found = _drawn_small(volume, pose)
        np.testing.assert_allclose(found[..., 0], exact[..., 0], atol=2e-4)


def _drawn_small(volume: Volume, pose: Rigid) -> np.ndarray:
    view = view_of(80, 16.0)
    return volume_moments(volume, view.camera_from_world @ pose, lens_of(view), DEPTH_MM, (80, 80))


def test_one_bright_voxel_casts_its_own_mass() -> None:
    values = np.zeros((9, 9, 9), dtype=np.float32)
    values[4, 4, 4] = 1.0
    volume = Volume(
        attenuation_per_mm=values,
        spacing_mm=np.array([1.0, 1.5, 0.8]),
        body_from_grid=Rigid(rotation=np.eye(3), translation_mm=-4 * np.array([1.0, 1.5, 0.8])),
    )
    drawn = _drawn_small(volume, POSES[2])
    # a pixel spans 0.2 mm at the origin: the sum over the picture is the voxel's volume
    assert drawn[..., 0].sum() * 0.2**2 == pytest.approx(1.0 * 1.5 * 0.8, rel=0.01)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 5.0), st.integers(0, 3))
def test_drawing_is_linear_in_the_attenuation(factor: float, which: int) -> None:
    volume, pose = bone((16, 14, 12)), POSES[which]
    scaled = Volume(
        attenuation_per_mm=volume.attenuation_per_mm * np.float32(factor),
        spacing_mm=volume.spacing_mm,
        body_from_grid=volume.body_from_grid,
    )
    np.testing.assert_allclose(_drawn(scaled, pose), factor * _drawn(volume, pose), rtol=2e-5, atol=2e-4)


@settings(max_examples=15, deadline=None)
@given(st.floats(-180, 180), st.floats(-80, 80), st.floats(-180, 180))
def test_mass_is_kept_whatever_the_turn(first: float, second: float, third: float) -> None:
    volume = bone((20, 18, 16), (0.9, 1.0, 1.1), smooth_voxels=1.5)
    mass = volume.attenuation_per_mm.sum(dtype=np.float64) * volume.spacing_mm.prod()
    drawn = _drawn(volume, Rigid.from_euler([first, second, third], [0.0, 0.0, 0.0]), 144)
    pixel_mm2 = (80.0 / 144) ** 2
    # parallel at the origin's depth; the cone's spread over 20 mm of 1000 averages out
    assert drawn[..., 0].sum() * pixel_mm2 == pytest.approx(mass, rel=5e-3)


def test_empty_and_unseen_volumes_draw_nothing() -> None:
    volume = bone((10, 10, 10))
    empty = Volume(
        attenuation_per_mm=np.zeros((4, 4, 4), dtype=np.float32),
        spacing_mm=np.ones(3),
        body_from_grid=Rigid.identity(),
    )
    assert not _drawn(empty, Rigid.identity()).any()
    assert not _drawn(volume, Rigid.identity().shifted([500.0, 0.0, 0.0])).any()
    behind = Rigid.identity().shifted([0.0, 0.0, -1000.0])
    assert not _drawn(volume, behind).any()
    assert shadow_bounds(volume, view_of().camera_from_world @ behind, lens_of(view_of())) is None
    with pytest.raises(GeometryError, match="behind the X-ray source"):
        line_integral(volume, view_of(), behind)


def test_bounds_hold_the_whole_shadow() -> None:
    volume, view = bone(), view_of(72)
    for pose in POSES[:3]:
        drawn = _drawn(volume, pose)[..., 0]
        rows, columns = np.nonzero(drawn > 0)
        bounds = shadow_bounds(volume, view.camera_from_world @ pose, lens_of(view))
        assert bounds is not None
        assert bounds[0] <= columns.min()
        assert bounds[1] <= rows.min()
        assert columns.max() < bounds[2]
        assert rows.max() < bounds[3]
