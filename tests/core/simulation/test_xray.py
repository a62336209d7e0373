"""The simulated pictures: physics in known cases, and the look of fluoroscopy in numbers."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from core.errors import ImageError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.imaging.field_of_view import find_field_of_view
from core.registration.values import finish
from core.simulation.detector import ImageChain, expose, make_aperture
from core.simulation.knee import make_knee, simulate
from core.simulation.motion import gait_phases
from core.simulation.rig import dual_plane_rig
from core.simulation.xray import ENERGY_SHARES, TITANIUM_PER_MM, MetalPart, metal_transmission, primary

SIZE = 256


@pytest.fixture(scope="module")
def knee():
    return make_knee(gait_phases(40), 11, size_px=512)


@pytest.fixture(scope="module")
def pictures(knee):
    return [[knee.picture(index, plane) for index in (0, 18, 29)] for plane in (0, 1)]


def slab(thickness_mm: float) -> MetalPart:
    view = dual_plane_rig(SIZE)[0]
    box = trimesh.creation.box([60.0, 60.0, thickness_mm])
    mesh = TriangleMesh(vertices_mm=box.vertices @ view.camera_from_world.rotation, faces=box.faces)
    return MetalPart(mesh=mesh, per_mm=np.array([0.3, 0.1]))


def test_metal_follows_beer_and_lambert():
    view = dual_plane_rig(SIZE)[0]
    passed = metal_transmission(view, [(slab(8.0), Rigid.identity())], 2)
    u, v = np.round(view.project(np.zeros((1, 3)))[0]).astype(int)
    np.testing.assert_allclose(passed[:, v, u], np.exp([-2.4, -0.8]), rtol=1e-4)
    assert passed.max() == 1.0


def test_energies_are_added_after_attenuation():
    metal = np.array([[[0.1]], [[0.5]]], dtype=np.float32)
    expected = ENERGY_SHARES @ (np.exp([-1.0, -0.5]) * [0.1, 0.5])
    tissue = np.array([[[1.0]], [[0.5]]], dtype=np.float32)
    assert primary(tissue, metal)[0, 0] == pytest.approx(expected, rel=1e-6)


def test_partly_covered_pixels_average_transmissions_not_lengths():
    view = dual_plane_rig(SIZE)[0]
    part = MetalPart(mesh=slab(400.0).mesh, per_mm=np.array([1.0, 1.0]))
    passed = metal_transmission(view, [(part, Rigid.identity())], 4)[0]
    shares = np.unique(np.round(passed[(passed > 0.01) & (passed < 0.99)] * 16) / 16)
    assert len(shares) >= 3
    assert np.isin(np.round(passed * 16, 3), np.arange(17)).mean() > 0.995


def test_nothing_in_the_beam_is_white_inside_and_black_outside():
    chain, draw = ImageChain(), np.random.default_rng(0)
    aperture = make_aperture(SIZE, chain, draw)
    picture = expose(np.ones((SIZE, SIZE), dtype=np.float32), aperture, chain, 1.6, draw)
    assert picture.dtype == np.uint8
    assert picture[SIZE // 2, SIZE // 2] == 255
    assert picture[4, 4] < 30
    assert 0.72 < (picture > 200).mean() < 0.80, "a circle that nearly fills the picture"


def test_noise_is_the_counting_noise_of_its_photons():
    chain = ImageChain(
        bits=16, air_over_white=0.25, scatter=0.0, glare=0.0, noise_grain_px=0.0, gamma=1.0, black_level=0.0
    )
    draw = np.random.default_rng(1)
    aperture = make_aperture(SIZE, chain, draw)
    seen = expose(np.ones((SIZE, SIZE), dtype=np.float32), aperture, chain, 1.6, draw) / 65535.0
    middle = seen[112:144, 112:144]
    expected = np.sqrt(0.25 / chain.photons_at_white)
    assert (middle - middle.mean(axis=0)).std() == pytest.approx(expected, rel=0.15)


def test_residual_distortion_is_tenths_of_a_pixel():
    aperture = make_aperture(1024, ImageChain(), np.random.default_rng(2))
    v, u = np.mgrid[:1024, :1024]
    shift = np.hypot(aperture.map_u - u, aperture.map_v - v)
    assert shift.max() == pytest.approx(0.35, abs=0.01)
    assert shift.mean() > 0.05


def test_grey_values_are_ordered_as_in_fluoroscopy(knee, pictures):
    """Air is white, then flesh, bone, metal; the circle is dark outside."""
    picture = pictures[0][0]
    world_from_femur, _ = knee.truth(0)
    view = knee.views[0]

    def grey(pose: Rigid, point: tuple[float, float, float]) -> float:
        u, v = np.round(view.project(pose.apply(np.array([point])))[0]).astype(int)
        return float(np.median(picture[v - 2 : v + 3, u - 2 : u + 3]))

    metal = grey(world_from_femur, (0.0, -10.0, 27.0))
    bone = grey(world_from_femur, (0.0, 48.0, 2.0))
    flesh = grey(world_from_femur, (0.0, 60.0, -38.0))
    assert 40 < metal < 80
    assert metal + 12 < bone < flesh - 8
    assert flesh < 200
    assert np.median(picture[picture > 215]) == 255, "air is saturated"
    assert np.median(picture[:20, :20]) < 12


def test_the_image_circle_is_found(pictures):
    for plane in pictures:
        usable = find_field_of_view(plane)
        assert 0.70 < usable.mean() < 0.80


def test_the_same_seed_gives_the_same_bytes_in_any_order(knee, pictures):
    again = make_knee(gait_phases(40), 11, size_px=512)
    assert again.picture(29, 1).tobytes() == pictures[1][2].tobytes()
    assert again.picture(0, 0).tobytes() == pictures[0][0].tobytes()
    other = make_knee(gait_phases(40), 12, size_px=512)
    assert other.picture(0, 0).tobytes() != pictures[0][0].tobytes()


def test_noise_differs_between_frames_of_a_knee_at_rest(knee):
    at_rest = replace(knee, poses=(knee.poses[0], knee.poses[0]))
    first, second = (at_rest.picture(index, 0).astype(int) for index in (0, 1))
    assert 0 < np.abs(first - second).mean() < 6


def test_sixteen_bits_hold_the_same_picture(knee, pictures):
    deep = replace(knee, chain=replace(knee.chain, bits=16)).picture(0, 0)
    assert deep.dtype == np.uint16
    assert deep.max() == 65535
    np.testing.assert_allclose(deep / 257.0, pictures[0][0], atol=0.51)
    with pytest.raises(ImageError, match="8 or 16 bits"):
        ImageChain(bits=12)


def test_titanium_lets_more_through_than_cobalt_chromium(knee, pictures):
    lighter = make_knee(gait_phases(40), 11, size_px=512, tray_per_mm=TITANIUM_PER_MM).picture(0, 0)
    stem = knee.views[0].project(knee.truth(0)[1].apply(np.array([[-1.0, -36.0, 4.0]])))[0]
    u, v = np.round(stem).astype(int)
    patch = np.s_[v - 2 : v + 3, u - 2 : u + 3]
    assert lighter[patch].mean() > pictures[0][0][patch].mean() + 1


def test_simulate_reports_each_pair():
    steps = simulate(3, 4, size_px=128)
    reports = [next(steps) for _ in range(3)]
    assert [(report.index, report.count) for report in reports] == [(0, 3), (1, 3), (2, 3)]
    assert reports[0].pictures[0].shape == (128, 128)
    result = finish(simulate(1, 4, size_px=128))
    assert result.truth(0)[0].close_to(result.poses[0].world_from_femur)
