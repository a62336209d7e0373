"""NIfTI volumes (.nii, .nii.gz): turned from its right-anterior-superior axes to DICOM's left-posterior-superior."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import nibabel
import numpy as np

from core.errors import VolumeError
from core.imaging.voxels import Voxels, placed
from core.io.volumes.bounds import check_declared, check_numbers

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM = MappingProxyType({"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0})


def read_nifti(path: Path) -> Voxels:
    """The one volume of a NIfTI file; positions in DICOM's patient frame, mm.

    Raises:
        VolumeError: it is damaged, no NIfTI, holds several volumes or a sheared grid.
    """
    image: Any = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):
        raise VolumeError(f"volume {path} is no NIfTI file but {type(image).__name__}; export it as .nii.gz")
    shape = tuple(int(size) for size in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    check_declared(path, shape)
    notes = []
    header = image.header
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        notes.append(f"{path.name} does not say where its grid lies; its centre was taken as the origin")
    unit = header.get_xyzt_units()[0]
    if unit == "unknown":
        notes.append(f"{path.name} does not say its unit of length; mm was assumed")
    affine = _LPS_FROM_RAS @ np.asarray(image.affine, dtype=np.float64)
    affine[:3] *= _MM.get(unit, 1.0)
    proxy: Any = image.dataobj
    stored = np.asarray(proxy.get_unscaled()).reshape(shape, order="F").T
    check_numbers(path, stored)
    slope, intercept = float(proxy.slope), float(proxy.inter)
    return placed(stored, affine, slope=slope, intercept=intercept, notes=tuple(notes))
