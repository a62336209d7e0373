"""NRRD volumes (.nrrd, .nhdr), in whichever patient axes the file names."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import nrrd
import numpy as np

from core.errors import VolumeError
from core.imaging.voxels import Voxels, placed
from core.io.volumes.bounds import check_declared, check_numbers

_TO_LPS = MappingProxyType(
    {
        "left-posterior-superior": (1.0, 1.0, 1.0),
        "lps": (1.0, 1.0, 1.0),
        "right-anterior-superior": (-1.0, -1.0, 1.0),
        "ras": (-1.0, -1.0, 1.0),
        "left-anterior-superior": (1.0, -1.0, 1.0),
        "las": (1.0, -1.0, 1.0),
    }
)


def read_nrrd(path: Path) -> Voxels:
    """The one volume of a NRRD file; positions in DICOM's patient frame where the file names its own.

    Raises:
        VolumeError: it is damaged, no NRRD, not three-dimensional, in unknown axes, or its data lie elsewhere.
    """
    with path.open("rb") as file:
        header = nrrd.read_header(file)
        check_declared(path, [int(size) for size in header.get("sizes", [])])
        detached = header.get("data file", header.get("datafile"))
        if detached is not None:
            _check_detached(path, str(detached))
            stored = nrrd.read(str(path), index_order="C")[0]
        else:
            stored = nrrd.read_data(header, file, str(path), index_order="C")
    check_numbers(path, stored)
    notes: list[str] = []
    return placed(stored, _affine(path, header, notes), notes=tuple(notes))


def _check_detached(path: Path, named: str) -> None:
    """Data are looked for beside the header only: a file must not make the program open others.

    Raises:
        VolumeError: they are elsewhere, or in several files.
    """
    if Path(named).name != named or " " in named.strip():
        raise VolumeError(
            f"volume {path} keeps its voxels in {named!r}; put them into one file beside it, or save it as .nrrd"
        )


def _affine(path: Path, header: dict[str, Any], notes: list[str]) -> np.ndarray:
    affine = np.eye(4)
    directions = header.get("space directions")
    if directions is not None and np.isfinite(np.asarray(directions, dtype=np.float64)).all():
        affine[:3, :3] = np.asarray(directions, dtype=np.float64).T
    elif header.get("spacings") is not None:
        affine[:3, :3] = np.diag(np.asarray(header["spacings"], dtype=np.float64))
    else:
        raise VolumeError(f"volume {path} does not say how far apart its voxels are; export it with its spacing")
    origin = header.get("space origin")
    if origin is not None:
        affine[:3, 3] = np.asarray(origin, dtype=np.float64)
    space = str(header.get("space", "")).lower()
    if not space:
        notes.append(f"{path.name} does not name its patient axes; left-posterior-superior was assumed")
        return affine
    if space not in _TO_LPS:
        raise VolumeError(f"volume {path} is in the axes {space!r}; known are {', '.join(sorted(_TO_LPS))}")
    return np.diag([*_TO_LPS[space], 1.0]) @ affine
