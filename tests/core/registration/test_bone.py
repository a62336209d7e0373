"""Bones made of voxels: the right part, the right strength, a closed surface in the right place."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import MeshError, VolumeError
from core.geometry.isosurface import isosurface
from core.geometry.rigid import Rigid
from core.geometry.volume import Volume
from core.imaging.attenuation import BONE_PER_MM, WATER_PER_MM, from_hounsfield
from core.imaging.voxels import Voxels
from core.io.mesh_files import read_mesh
from core.io.volumes import read_voxels
from core.registration.bone import prepare_bone, pyramid
from core.study.values import FileLink, VolumeLink, VoxelValues
from tests.real_data import REAL, needs_real_data

SPACING = np.array([0.8, 1.0, 1.25])
PLACE = Rigid.from_euler([20.0, -10.0, 35.0], [100.0, -40.0, 600.0])
SHAPE = (40, 44, 48)
FILE = FileLink(path=Path("ct.nii"))


def ball_voxels(radius_mm: float = 14.0, marrow_mm: float = 9.0) -> Voxels:
    """A hollow ball of dense bone with marrow, in soft tissue, beside a smaller piece; stored HU + 1024."""
    k, j, i = np.indices(SHAPE)
    places = np.stack([i, j, k], axis=-1) * SPACING
    centre = 0.5 * (np.array(SHAPE[::-1]) - 1) * SPACING
    distance = np.linalg.norm(places - centre, axis=-1)
    edge = np.clip((radius_mm - distance) / 0.9 + 0.5, 0, 1)
    hollow = np.clip((distance - marrow_mm) / 0.9 + 0.5, 0, 1)
    hu = 40 + 1160 * edge * hollow - 60 * (1 - hollow)
    hu[2:5, 2:5, 2:5] = 1200
    stored = np.round(hu + 1024).astype(np.uint16)
    return Voxels(stored=stored, spacing_mm=SPACING, body_from_grid=PLACE, intercept=-1024.0)


def said(values: VoxelValues = VoxelValues.HOUNSFIELD, **more: object) -> VolumeLink:
    return VolumeLink(file=FILE, values=values, **more)


def test_hounsfield_units_become_attenuation() -> None:
    stored = np.array([[[0, 1024, 2024]]], dtype=np.uint16)
    np.testing.assert_allclose(
        from_hounsfield(stored, 1.0, -1024.0), [[[0.0, WATER_PER_MM, 2 * WATER_PER_MM]]], rtol=1e-6
    )


def test_a_hollow_bone_is_taken_whole_and_alone() -> None:
    voxels = ball_voxels()
    body = prepare_bone("ball", voxels, said(threshold=620.0))
    centre = PLACE.apply(0.5 * (np.array(SHAPE[::-1]) - 1)[None] * SPACING)[0]
    assert body.mesh.is_closed
    np.testing.assert_allclose(body.pivot_mm, centre, atol=0.15)
    np.testing.assert_allclose(body.mesh.extent_mm, 28.0, atol=0.5)
    assert body.mesh.volume_mm3 == pytest.approx(4 / 3 * np.pi * 14.0**3, rel=0.02)
    finest = body.volumes[0]
    assert max(finest.shape_ijk) < 48  # cut to the ball
    np.testing.assert_allclose(finest.centre_mm, centre, atol=1.3)
    middle = finest.body_from_grid.inverse().apply(centre[None])[0] / finest.spacing_mm
    i, j, k = np.round(middle).astype(int)
    # marrow of -20 HU
    assert finest.attenuation_per_mm[k, j, i] == pytest.approx(WATER_PER_MM * 0.98, rel=0.01)
    assert finest.attenuation_per_mm[0, 0, 0] == 0.0  # soft tissue outside is no part of the bone


def test_labels_choose_the_bone_and_masks_must_fit() -> None:
    voxels = ball_voxels()
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[10:20, 12:22, 14:24] = 3
    labels[30:36, 30:36, 30:36] = 7
    mask = Voxels(stored=labels, spacing_mm=SPACING, body_from_grid=PLACE)
    body = prepare_bone("box", voxels, said(mask=FILE, labels=(3,)), mask)
    np.testing.assert_allclose(body.mesh.extent_mm.max(), 17.0, atol=5.0)
    alone = prepare_bone("box", mask, said(VoxelValues.LABELS, labels=(3,)))
    assert alone.volumes[0].attenuation_per_mm.max() == pytest.approx(BONE_PER_MM)
    assert alone.mesh.volume_mm3 == pytest.approx(1000 * SPACING.prod(), rel=0.08)  # corners are rounded
    with pytest.raises(VolumeError, match="no voxel has the label 5; there is: 3, 7"):
        prepare_bone("box", voxels, said(mask=FILE, labels=(5,)), mask)
    with pytest.raises(VolumeError, match="another grid"):
        prepare_bone(
            "box", voxels, said(mask=FILE), Voxels(stored=labels[1:], spacing_mm=SPACING, body_from_grid=PLACE)
        )


def test_the_pyramid_ends_before_too_little_is_left() -> None:
    volume = Volume(
        attenuation_per_mm=np.ones((20, 100, 60), np.float32), spacing_mm=SPACING, body_from_grid=Rigid.identity()
    )
    assert [level.shape_ijk for level in pyramid(volume)] == [(60, 100, 20), (30, 50, 10), (15, 25, 5)]


def test_nothing_above_the_threshold_is_said() -> None:
    with pytest.raises(VolumeError, match="no voxel is above"):
        prepare_bone("ball", ball_voxels(), said(threshold=3000.0))


def test_a_surface_lies_where_the_field_crosses_the_level() -> None:
    k, j, i = np.indices((20, 20, 20))
    distance = np.linalg.norm(np.stack([i, j, k], axis=-1) - 9.5, axis=-1)
    surface = isosurface((10.0 - distance).astype(np.float32), 4.0, np.ones(3), Rigid.identity())
    off = np.linalg.norm(surface.mesh.vertices_mm - 9.5, axis=1) - 6.0
    assert np.abs(off).max() < 0.05
    assert surface.mesh.volume_mm3 > 0
    with pytest.raises(MeshError, match="nothing in the volume"):
        isosurface(np.zeros((4, 4, 4), np.float32), 1.0, np.ones(3), Rigid.identity())


def test_a_bone_cut_off_by_the_grid_is_closed_there() -> None:
    field = np.ones((8, 10, 12), dtype=np.float32)
    surface = isosurface(field, 0.5, np.array([1.0, 2.0, 3.0]), Rigid.identity())
    assert surface.mesh.is_closed
    np.testing.assert_allclose(surface.mesh.extent_mm, [12.0, 20.0, 24.0], atol=3.1)


@needs_real_data
def test_real_labels_give_the_surface_that_lies_beside_them() -> None:
    folder = REAL / "models" / "pymskt_femurs"
    voxels = read_voxels(next(folder.glob("*.nrrd")))
    tibia = prepare_bone("tibia", voxels, said(VoxelValues.LABELS, labels=(6,)))
    known = read_mesh(folder / "tibia_mesh.vtk", "mm")
    np.testing.assert_allclose(tibia.mesh.corners_mm, known.corners_mm, atol=0.8)
    assert tibia.mesh.volume_mm3 == pytest.approx(known.volume_mm3, rel=0.02)


@needs_real_data
@pytest.mark.parametrize("name", ["rad", "uln", "mc3"])
def test_real_stacks_give_closed_bones_of_a_wrist(name: str) -> None:
    path = REAL / "biplane_wrist" / "Models" / f"{name}_dcm_cropped.tif"
    voxels = read_voxels(path, spacing_mm=(0.39625, 0.39625, 0.625))
    bone = prepare_bone(name, voxels, said(VoxelValues.LINEAR, slope_per_mm=1.5e-5))
    assert bone.mesh.is_closed
    assert 60.0 < bone.mesh.extent_mm.max() < 85.0
    assert 4e3 < bone.mesh.volume_mm3 < 2e4
