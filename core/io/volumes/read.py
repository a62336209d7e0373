"""Which reader a volume needs, and errors in one voice."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nrrd
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from pydicom.errors import InvalidDicomError
from tifffile import TiffFileError

from core.errors import VolumeError
from core.imaging.voxels import Voxels
from core.io.checksums import slices_in
from core.io.volumes.dicom_series import read_dicom_series, series_of
from core.io.volumes.nifti import read_nifti
from core.io.volumes.nrrd_files import read_nrrd
from core.io.volumes.tiff_stack import read_tiff_stack
from core.study.values import VolumeLink

ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".dcm", ".tif", ".tiff")
_TIFF = (".tif", ".tiff")
_DAMAGED = (
    ImageFileError,
    HeaderDataError,
    nrrd.NRRDError,
    InvalidDicomError,
    TiffFileError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    EOFError,
    OverflowError,
    zlib.error,
    struct.error,
)
"""What the parsers raise on damaged bytes."""


def is_volume(path: Path) -> bool:
    """Whether a path looks like a volume: by its ending, or a folder of slices."""
    return path.is_dir() or path.name.lower().endswith(ENDINGS)


def read_voxels(
    path: Path, *, spacing_mm: tuple[float, float, float] | None = None, flips: str = "", series: str = ""
) -> Voxels:
    """The voxels of a file, or of a folder of DICOM or TIFF slices.

    ``spacing_mm`` and ``flips`` are for TIFF, which says neither; ``series`` chooses one of several DICOM series.

    Raises:
        VolumeError: it is missing, damaged, of no known kind, too large, or something must be said first.
    """
    path = Path(path)
    with _told(path):
        if path.is_dir():
            paths = slices_in(path)
            if not paths:
                raise VolumeError(f"{path} is an empty folder; choose the folder that holds the slices")
            if all(slice_.suffix.lower() in _TIFF for slice_ in paths):
                return read_tiff_stack(paths, spacing_mm, flips)
            return read_dicom_series(paths, series)
        if path.stat().st_size == 0:
            raise VolumeError("the file is empty")
        name = path.name.lower()
        if name.endswith((".nii", ".nii.gz")):
            return read_nifti(path)
        if name.endswith((".nrrd", ".nhdr")):
            return read_nrrd(path)
        if name.endswith(_TIFF):
            return read_tiff_stack([path], spacing_mm, flips)
        if name.endswith(".dcm"):
            return read_dicom_series(slices_in(path.parent), series or _series_of_file(path))
        raise VolumeError(f"volume {path} is of no known kind; it may be {', '.join(ENDINGS)} or a folder of slices")


def read_link(link: VolumeLink) -> tuple[Voxels, Voxels | None]:
    """The voxels that a study links to, and the mask if there is one.

    Raises:
        VolumeError: as for ``read_voxels``.
    """
    voxels = read_voxels(link.file.path, spacing_mm=link.spacing_mm, flips=link.flips, series=link.series)
    if link.mask is None:
        return voxels, None
    return voxels, read_voxels(link.mask.path, spacing_mm=link.spacing_mm, flips=link.flips)


def series_in(folder: Path) -> dict[str, str]:
    """SeriesInstanceUID to a description, of every DICOM series in a folder."""
    with _told(folder):
        return {
            uid: f"{slices[0].get('SeriesDescription', '') or 'no description'}, {len(slices)} slices"
            for uid, slices in series_of(slices_in(folder)).items()
        }


def _series_of_file(path: Path) -> str:
    return next(iter(series_of([path])), "")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the libraries raise becomes a sentence.

    Raises:
        VolumeError: whatever it was.
    """
    try:
        yield
    except VolumeError as error:
        if str(path) in str(error) or str(path.parent) in str(error):
            raise
        raise VolumeError(f"volume {path} cannot be used: {error}") from error
    except FileNotFoundError as error:
        raise VolumeError(f"volume {path} is not there; was it moved or renamed?") from error
    except OSError as error:
        raise VolumeError(f"volume {path} cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise VolumeError(f"volume {path} is larger than the memory; crop it in an imaging program") from error
    except _DAMAGED as error:
        why = str(error)[:160] or type(error).__name__
        raise VolumeError(f"volume {path} is damaged or of another kind than its name says: {why}") from error
