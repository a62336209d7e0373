"""Volumes of every format say the same of the same bone, and faulty ones say what is wrong."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile

from core.errors import VolumeError
from core.imaging.voxels import Voxels
from core.io.volumes import read_voxels, series_in
from tests.core.io.volumes.writing import oblique, values, write_dicom, write_nifti, write_nrrd


def at(voxels: Voxels, point_mm: np.ndarray) -> float:
    """The number of the voxel whose centre lies at a patient's point."""
    index = voxels.body_from_grid.inverse().apply(point_mm[None])[0] / voxels.spacing_mm
    i, j, k = np.round(index).astype(int)
    np.testing.assert_allclose(index, [i, j, k], atol=1e-3)
    return voxels.slope * float(voxels.stored[k, j, i]) + voxels.intercept


def assert_is(voxels: Voxels, stored: np.ndarray, affine: np.ndarray) -> None:
    for index in np.ndindex(stored.shape):
        assert at(voxels, (affine @ [*index, 1])[:3]) == pytest.approx(float(stored[index]), abs=1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd"])
def test_a_voxel_lies_where_the_file_says(tmp_path: Path, ending: str, mirrored: bool) -> None:
    affine = oblique()
    if mirrored:
        affine[:3, 1] *= -1
    path = tmp_path / f"bone{ending}"
    (write_nrrd if ending == ".nrrd" else write_nifti)(path, values(), affine)
    voxels = read_voxels(path)
    assert_is(voxels, values(), affine)
    assert np.linalg.det(voxels.body_from_grid.rotation) == pytest.approx(1.0)


def test_dicom_slices_are_ordered_and_scaled(tmp_path: Path) -> None:
    affine = oblique()
    write_dicom(tmp_path / "ct", values(), affine, slope=2.0, intercept=-1024.0)
    voxels = read_voxels(tmp_path / "ct")
    assert voxels.stored.dtype == np.int16
    assert_is(voxels, 2 * values().astype(int) - 1024, affine)


def test_dicom_slices_that_run_the_other_way_lie_in_the_same_place(tmp_path: Path) -> None:
    affine = oblique()
    affine[:3, 2] *= -1
    write_dicom(tmp_path / "ct", values(), affine)
    assert_is(read_voxels(tmp_path / "ct"), values(), affine)


def test_a_stack_of_tiff_lies_as_autoscoper_has_it(tmp_path: Path) -> None:
    stored = values()
    stack = np.moveaxis(stored, (0, 1, 2), (2, 1, 0))
    tifffile.imwrite(tmp_path / "bone.tif", stack, photometric="minisblack")
    voxels = read_voxels(tmp_path / "bone.tif", spacing_mm=(0.4, 0.5, 0.6))
    # column 2, row 1 of 6, slice 3: x = 2.5 * 0.4, y = (6 - 1.5) * 0.5, z = -3.5 * 0.6
    assert at(voxels, np.array([1.0, 2.25, -2.1])) == stored[2, 1, 3]
    folder = tmp_path / "slices"
    folder.mkdir()
    for k, page in enumerate(stack):
        tifffile.imwrite(folder / f"s_{k:02d}.tif", page)
    again = read_voxels(folder, spacing_mm=(0.4, 0.5, 0.6))
    np.testing.assert_array_equal(again.stored, voxels.stored)
    flipped = read_voxels(folder, spacing_mm=(0.4, 0.5, 0.6), flips="z")
    assert at(flipped, np.array([1.0, 2.25, -2.1])) == stored[2, 1, 1]


@pytest.mark.parametrize("removed", [1, 2, 3])
def test_a_missing_slice_is_named(tmp_path: Path, removed: int) -> None:
    paths = write_dicom(tmp_path / "ct", values(), oblique())
    paths[removed].unlink()
    with pytest.raises(
        VolumeError, match=rf"{paths[removed - 1].name} and {paths[removed + 1].name} are 3.00 mm apart"
    ):
        read_voxels(tmp_path / "ct")


def test_a_slice_twice_is_named(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path / "ct", values(), oblique())
    (tmp_path / "ct" / "copy.dcm").write_bytes(paths[2].read_bytes())
    with pytest.raises(VolumeError, match="in the same place"):
        read_voxels(tmp_path / "ct")


def test_several_series_are_listed_and_one_is_chosen(tmp_path: Path) -> None:
    write_dicom(tmp_path / "ct", values(), oblique(), series="1.2.3", prefix="a")
    write_dicom(tmp_path / "ct", values() + 1, oblique(), series="1.2.4", prefix="b")
    with pytest.raises(VolumeError, match=r"2 series.*1\.2\.3.*1\.2\.4"):
        read_voxels(tmp_path / "ct")
    assert set(series_in(tmp_path / "ct")) == {"1.2.3", "1.2.4"}
    assert_is(read_voxels(tmp_path / "ct", series="1.2.4"), values() + 1, oblique())


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path / "ct", values(), oblique())
    broken = pydicom.dcmread(paths[0])
    broken.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
    broken.PixelData = pydicom.encaps.encapsulate([b"\0" * 10])
    broken["PixelData"].is_undefined_length = True
    broken.save_as(paths[0])
    with pytest.raises(VolumeError, match=r"cannot be decoded \(codec: MPEG2"):
        read_voxels(tmp_path / "ct")


def test_a_sheared_grid_is_refused(tmp_path: Path) -> None:
    affine = oblique()
    affine[:3, 2] += 0.2 * affine[:3, 1]
    write_nrrd(tmp_path / "tilted.nrrd", values(), affine)
    with pytest.raises(VolumeError, match="tilted gantry"):
        read_voxels(tmp_path / "tilted.nrrd")


def test_a_declared_size_beyond_reason_is_refused_before_reading(tmp_path: Path) -> None:
    path = tmp_path / "huge.nrrd"
    path.write_bytes(
        b"NRRD0004\ntype: short\ndimension: 3\nsizes: 90000 90000 90000\nendian: little\nencoding: raw\n"
        b"spacings: 1 1 1\n\n\0\0"
    )
    with pytest.raises(VolumeError, match="more than this program opens"):
        read_voxels(path)


def test_a_header_may_not_point_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "bone.nhdr"
    path.write_bytes(
        b"NRRD0004\ntype: short\ndimension: 3\nsizes: 4 4 4\nendian: little\nencoding: raw\nspacings: 1 1 1\n"
        b"data file: ../../etc/passwd\n\n"
    )
    with pytest.raises(VolumeError, match="beside it"):
        read_voxels(path)


@pytest.mark.parametrize("name", ["bone.nii", "bone.nii.gz", "bone.nrrd", "bone.tif", "bone.dcm"])
@pytest.mark.parametrize("content", [b"", b"rubbish" * 40, b"NRRD0004\ntype: short\n", b"II*\0rubbish"])
def test_damaged_files_are_told_apart_from_crashes(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VolumeError, match=r"bone|DICOM"):
        read_voxels(tmp_path / name, spacing_mm=(1.0, 1.0, 1.0))


def test_what_is_not_there_or_says_too_little(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match="not there"):
        read_voxels(tmp_path / "gone.nii")
    tifffile.imwrite(tmp_path / "bone.tif", np.zeros((3, 4, 5), np.uint16), photometric="minisblack")
    with pytest.raises(VolumeError, match="state the spacing"):
        read_voxels(tmp_path / "bone.tif")
    (tmp_path / "bone.xyz").write_bytes(b"x")
    with pytest.raises(VolumeError, match="no known kind"):
        read_voxels(tmp_path / "bone.xyz")
