"""One physical volume written in every format, for tests of the readers."""

from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def oblique(spacing: tuple[float, float, float] = (0.5, 0.7, 1.5)) -> np.ndarray:
    """A right-handed map from the index (i, j, k) to patient mm, turned about all axes."""
    from scipy.spatial.transform import Rotation

    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [10.0, -20.0, 30.0], degrees=True).as_matrix() @ np.diag(spacing)
    affine[:3, 3] = -30.0, 12.5, 700.0
    return affine


def values(shape_ijk: tuple[int, int, int] = (7, 6, 5)) -> np.ndarray:
    """Whole numbers [i, j, k], each voxel its own."""
    return (np.arange(np.prod(shape_ijk)).reshape(shape_ijk) - 50).astype(np.int16)


def write_nifti(path: Path, stored: np.ndarray, affine: np.ndarray) -> None:
    image = nibabel.Nifti1Image(stored, LPS_FROM_RAS @ affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def write_nrrd(path: Path, stored: np.ndarray, affine: np.ndarray) -> None:
    header = {
        "space": "left-posterior-superior",
        "space directions": affine[:3, :3].T,
        "space origin": affine[:3, 3],
    }
    nrrd.write(str(path), stored, header, index_order="F")


def write_dicom(
    folder: Path,
    stored: np.ndarray,
    affine: np.ndarray,
    *,
    slope: float = 1.0,
    intercept: float = 0.0,
    series: str = "",
    prefix: str = "",
) -> list[Path]:
    """One file a slice, names in another order than the slices."""
    folder.mkdir(exist_ok=True)
    uid = series or generate_uid()
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    axes = affine[:3, :3] / spacing
    paths = []
    for k in range(stored.shape[2]):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        path = folder / f"{prefix}{(7 * k) % 11:02d}_{k}.dcm"
        data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        data.SeriesInstanceUID, data.Modality = uid, "CT"
        data.Rows, data.Columns = stored.shape[1], stored.shape[0]
        data.ImageOrientationPatient = [float(f"{v:.9f}") for v in (*axes[:, 0], *axes[:, 1])]
        data.PixelSpacing = [float(spacing[1]), float(spacing[0])]
        data.ImagePositionPatient = [float(f"{v:.6f}") for v in (affine @ [0, 0, k, 1])[:3]]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 1
        data.RescaleSlope, data.RescaleIntercept = slope, intercept
        data.PixelData = np.ascontiguousarray(stored[:, :, k].T).tobytes()
        pydicom.dcmwrite(path, data)
        paths.append(path)
    return paths
