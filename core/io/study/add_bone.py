"""Make bodies from volumes: read, prepared once so that their notes are known, with checksums."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import StudyError, VolumeError
from core.io.checksums import sha256_of
from core.io.mesh_files import read_mesh
from core.io.volumes import read_link, read_voxels
from core.registration.bone import prepare_bone, typical_slope_per_mm
from core.registration.values import Body
from core.study.values import BodyRecord, FileLink, VolumeLink, VoxelValues

_MOST_LABELS = 64


def link_to(path: Path) -> FileLink:
    """A file or a folder of slices with its checksum.

    Raises:
        VolumeError: it is not there.
    """
    path = Path(path)
    if not path.exists():
        raise VolumeError(f"volume {path} is not there; was it moved or renamed?")
    return FileLink(path=path.absolute(), sha256=sha256_of(path))


def bone_from_files(name: str, said: VolumeLink) -> BodyRecord:
    """The record of a bone from a volume, read and prepared once so that its notes are known.

    Numbers without a meaning (LINEAR without a slope cannot be said) get a slope from their range.

    Raises:
        StudyError: the body has no name.
        VolumeError, MeshError: the volume cannot be used.
    """
    if not name.strip():
        raise StudyError("a body needs a name")
    voxels, mask = read_link(said)
    body = prepare_bone(name, voxels, said, mask)
    return BodyRecord(name=name, volume=said, notes=body.notes)


def with_typical_slope(said: VolumeLink) -> VolumeLink:
    """The same with a slope for brightness that has no meaning, taken from its range.

    Raises:
        VolumeError: the volume cannot be read.
    """
    voxels, _ = read_link(replace(said, mask=None))
    return replace(said, values=VoxelValues.LINEAR, slope_per_mm=typical_slope_per_mm(voxels))


def labels_in(path: Path, *, spacing_mm: tuple[float, float, float] | None = None, flips: str = "") -> Sequence[int]:
    """The labels that a label volume holds, 0 left out.

    Raises:
        VolumeError: it cannot be read, or holds too many different numbers to be labels.
    """
    found = np.unique(read_voxels(path, spacing_mm=spacing_mm, flips=flips).stored)
    labels = [int(value) for value in found if value != 0]
    if len(labels) > _MOST_LABELS:
        raise VolumeError(f"{path} holds {len(labels)} different numbers: it is a picture, no map of labels")
    return labels


def bone_of(record: BodyRecord) -> Body:
    """The body of a record that links to a volume.

    Raises:
        VolumeError, MeshError, UnitsError: its files cannot be used any more.
        StudyError: the record has no volume.
    """
    if record.volume is None:
        raise StudyError(f"body {record.name!r} has no volume")
    voxels, mask = read_link(record.volume)
    mesh = None if record.mesh is None else read_mesh(record.mesh.path, record.units)
    return prepare_bone(record.name, voxels, record.volume, mask, mesh)
