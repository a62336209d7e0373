"""The Warp kernels on the CPU against the numba raster, the plain renderer and a dense march through a volume."""

import importlib.util

import numpy as np
import pytest
import trimesh
from scipy import ndimage

from core.errors import DeviceError
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.volume import Volume
from core.registration.device_level import DeviceLevel, Drawable
from core.registration.level import Level, pictures_of
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body, Problem
from core.rendering import warp_device
from core.rendering.moment_raster import moments
from core.rendering.path_length import lens_of, ray_stretch
from core.rendering.ray_casting import path_length_reference
from core.rendering.warp_moments import mesh_moments, volume_moments
from tests.scenes import implant, lopsided, of_trimesh, rig, shot

pytestmark = pytest.mark.skipif(importlib.util.find_spec("warp") is None, reason="Warp is not installed (extra gpu)")

POSES = [
    Rigid.identity(),
    Rigid(rotation=so3_exp(np.array([0.3, -0.8, 1.1])), translation_mm=[12.0, -7.0, 25.0]),
    Rigid(rotation=so3_exp(np.array([2.0, 0.5, -0.4])), translation_mm=[-60.0, 70.0, -30.0]),
]
MESHES = {"lopsided": lopsided(3), "implant": implant(4.0), "box": of_trimesh(trimesh.creation.box((30, 40, 50)))}


@pytest.mark.parametrize("shape", list(MESHES))
@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_mesh_moments_agree_with_the_numba_raster(shape, pose, device):
    mesh = MESHES[shape]
    for view in rig(128):
        camera_from_body = view.camera_from_world @ pose
        drawn, depth_mm = mesh_moments(
            mesh.vertices_mm, mesh.faces, view, camera_from_body, mesh.centre_mm, device=device
        )
        vertices = np.ascontiguousarray(camera_from_body.apply(mesh.vertices_mm))
        expected = moments(vertices, mesh.faces, lens_of(view), depth_mm, (128, 128))
        assert expected[..., 0].max() > 10
        np.testing.assert_allclose(drawn[..., 0], expected[..., 0], atol=1e-3)
        np.testing.assert_allclose(drawn[..., 1], expected[..., 1], atol=2e-2)


def test_mesh_moments_agree_with_the_plain_renderer():
    mesh, view = MESHES["implant"], rig(128)[1]
    drawn, _ = mesh_moments(mesh.vertices_mm, mesh.faces, view, view.camera_from_world @ POSES[1], mesh.centre_mm)
    expected = path_length_reference(mesh, view, POSES[1])
    np.testing.assert_allclose(drawn[..., 0] * ray_stretch(view), expected, atol=1e-3)


@pytest.fixture
def blob():
    k, j, i = np.mgrid[:20, :24, :28]
    values = np.exp(-((i - 12) ** 2 + (j - 13) ** 2 + 2 * (k - 9) ** 2) / 60).astype(np.float32)
    turned = Rigid(rotation=so3_exp(np.array([0.2, -0.4, 0.7])), translation_mm=[4.0, 2.0, -30.0])
    return Volume(attenuation_per_mm=values, spacing_mm=np.array([1.5, 1.8, 2.2]), body_from_grid=turned)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_volume_moments_agree_with_a_dense_march(blob, device):
    view, pose = rig(48)[0], POSES[1]
    camera_from_body = view.camera_from_world @ pose
    drawn, depth_mm = volume_moments(blob, view, camera_from_body, 0.5, device=device)
    z = np.arange(depth_mm - 60, depth_mm + 60, 0.05)
    grid_from_camera = (camera_from_body @ blob.body_from_grid).inverse()
    for row, column in ((24, 23), (20, 24), (28, 26), (2, 3)):
        ray = view.back_project_camera(np.array([[float(column), float(row)]]))[0]
        places = (grid_from_camera.apply(z[:, None] * ray) / blob.spacing_mm).T[::-1]
        last = np.array(blob.attenuation_per_mm.shape) - 1
        inside = ((places.T >= 0) & (last >= places.T)).all(axis=1)
        rho = np.where(inside, ndimage.map_coordinates(blob.attenuation_per_mm, places, order=1), 0.0)
        expected = np.array([rho.sum(), (rho * (z - depth_mm)).sum()]) * 0.05
        np.testing.assert_allclose(drawn[row, column], expected, rtol=5e-3, atol=2e-2)
    assert drawn[..., 0].max() > 5
    assert drawn[2, 3, 0] == 0


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("supersample", [1, 2])
def test_derivatives_and_normal_equations_agree_with_a_single_level(supersample, device):
    bodies = tuple(
        Body(name=str(k), levels=(mesh,), pivot_mm=mesh.centre_mm)
        for k, mesh in enumerate((MESHES["lopsided"], MESHES["implant"]))
    )
    poses = (POSES[1], Rigid(rotation=so3_exp(np.array([0.2, 0.4, -0.3])), translation_mm=[0.0, 30.0, 0.0]))
    scene = [(bodies[k].mesh, poses[k].shifted([1.0, -1.0, 2.0]), 0.1) for k in range(2)]
    problem = Problem(bodies=bodies, shots=tuple(shot(view, scene) for view in rig(64)))
    stage = Stage(picture_px=64, supersample=supersample, margin_mm=10.0)
    level = Level(bodies, pictures_of(problem), poses, stage, Recipe(attenuation_per_mm=0.1))
    batch = DeviceLevel(
        [Drawable(pivot_mm=body.pivot_mm, mesh=body.mesh) for body in bodies],
        [level.views, level.views],
        supersample=supersample,
        smoothing_px=0.8,
        device=device,
    )
    stacked = Rigid(
        rotation=np.stack([[p.rotation for p in poses]] * 2),
        translation_mm=np.stack([[p.translation_mm for p in poses]] * 2),
    )
    found = batch.evaluate(stacked, np.full((2, 2), 0.1), np.ones(2, dtype=bool))
    for item, cut in enumerate(level.views):
        expected = level.draw(cut.view, poses)
        got = batch.drawn[item, : cut.view.height_px, : cut.view.width_px]
        assert np.abs(expected).max() > 1
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)
    expected = level.evaluate(poses)
    for frame in range(2):
        one = found.of(frame)
        assert one.cost == pytest.approx(expected.cost, abs=1e-5)
        np.testing.assert_allclose(one.hessian, expected.hessian, rtol=1e-3, atol=1e-4 * expected.hessian.max())
        np.testing.assert_allclose(one.rhs, expected.rhs, rtol=1e-3, atol=1e-3 * np.abs(expected.rhs).max())
        assert [view.pixels for view in one.per_view] == [view.pixels for view in expected.per_view]


def test_the_kernels_compile_for_a_graphics_card(tmp_path):
    wp = warp_device.warp()
    from core.similarity import warp_gram

    try:
        wp.compile_aot_module(warp_gram, arch=90, module_dir=tmp_path)
    except RuntimeError as error:
        pytest.skip(f"this build of Warp cannot compile for CUDA: {error}")
    assert list(tmp_path.glob("*sm90*"))


def test_devices_are_found_or_refused(monkeypatch):
    monkeypatch.setattr(warp_device, "has_cuda", lambda: False)
    assert warp_device.check_device("auto") == "cpu"
    assert warp_device.check_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="no CUDA device"):
        warp_device.check_device("cuda")
    with pytest.raises(DeviceError, match="auto, cpu, cuda"):
        warp_device.check_device("quantum")
    monkeypatch.setattr(warp_device, "has_cuda", lambda: True)
    assert warp_device.check_device("auto") == "cuda"


def test_without_warp_one_is_told_what_to_install(monkeypatch):
    warp_device.warp.cache_clear()
    monkeypatch.setattr(warp_device, "find_spec", lambda _: None)
    assert not warp_device.has_cuda()
    with pytest.raises(DeviceError, match="pip install"):
        warp_device.check_device("cuda")
    warp_device.warp.cache_clear()
