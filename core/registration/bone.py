"""Prepare a bone from CT for registration: its own voxels, attenuation, surface, and notes for people."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage
from skimage.filters import threshold_otsu

from core.errors import VolumeError
from core.geometry.isosurface import isosurface
from core.geometry.levels_of_detail import levels_of_detail
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.volume import Volume
from core.imaging.attenuation import BONE_PER_MM, from_hounsfield, from_line
from core.imaging.voxels import Voxels
from core.registration.values import Body, CutEnd
from core.study.values import VolumeLink, VoxelValues

BONE_HU = 220.0
"""Where the surface of a bone is drawn in a CT in Hounsfield units, if nobody says otherwise."""
_MARGIN = 3
"""Voxels kept around what belongs to the body."""
_SMALLEST_CUT_MM2 = 25.0
"""A bone that meets a face of the grid in a smaller area only touches it."""
_CUT_POINTS = 150
_SMALLEST = 24
"""A volume with fewer voxels along its longest side is not halved again."""
_TYPICAL_PER_MM = 0.06
"""Attenuation given to the brightest bone where the numbers mean nothing and nobody says more."""


def prepare_bone(
    name: str, voxels: Voxels, said: VolumeLink, mask: Voxels | None = None, mesh: TriangleMesh | None = None
) -> Body:
    """A body from voxels; some seconds for a whole CT, of which only the body's part is kept.

    Args:
        name: what the body is called.
        voxels: the CT or the labels.
        said: what a person said of it: meaning of the numbers, labels, threshold.
        mask: labels on the same grid.
        mesh: its surface, if it is known better than from the voxels; in the voxels' frame, mm.

    Raises:
        VolumeError: mask and volume do not fit, or a label is not in it.
        MeshError: no closed surface is found at the threshold.
    """
    notes = [*voxels.notes]
    inside = _labelled(voxels, said, mask)
    if inside is None:
        inside = _bone_by_threshold(voxels, said, notes)
    ends = _cut_ends(voxels, inside)
    if ends:
        notes.append("the CT cuts the bone off: pictures are not compared where it goes on")
    box = _box(inside)
    voxels, inside = _cut(voxels, box), inside[box]
    kept = ndimage.binary_dilation(inside, iterations=1)
    attenuation = _attenuation(voxels, said)
    attenuation[~kept] = 0.0
    volume = Volume(attenuation_per_mm=attenuation, spacing_mm=voxels.spacing_mm, body_from_grid=voxels.body_from_grid)
    if mesh is None:
        surface = isosurface(_field(voxels, said, inside, kept), 0.5, voxels.spacing_mm, voxels.body_from_grid)
        mesh = surface.mesh
        notes += surface.notes
    levels = levels_of_detail(mesh)
    return Body(
        name=name,
        levels=levels.meshes,
        tolerances_mm=levels.tolerances_mm,
        pivot_mm=mesh.centre_mm,
        notes=(*notes, *levels.notes),
        volumes=pyramid(volume),
        cut_ends=ends,
    )


def pyramid(volume: Volume) -> tuple[Volume, ...]:
    """The volume and its halves, as long as enough is left of it."""
    levels = [volume]
    while max(levels[-1].shape_ijk) >= 2 * _SMALLEST and min(levels[-1].shape_ijk) >= 8:
        levels.append(levels[-1].halved())
    return tuple(levels)


def _labelled(voxels: Voxels, said: VolumeLink, mask: Voxels | None) -> Bool[np.ndarray, "k j i"] | None:
    """What the labels say belongs to the body; None where there are none.

    Raises:
        VolumeError: the mask lies on another grid, or holds none of the labels.
    """
    source = mask if mask is not None else (voxels if said.values is VoxelValues.LABELS else None)
    if source is None:
        return None
    if not source.same_grid(voxels):
        raise VolumeError(
            f"the mask has another grid ({source.stored.shape[::-1]} voxels) than the volume "
            f"({voxels.stored.shape[::-1]}); resample it to the volume's grid"
        )
    inside = np.isin(source.stored, said.labels) if said.labels else source.stored != 0
    if not inside.any():
        there = ", ".join(f"{label:g}" for label in np.unique(source.stored)[:20] if label != 0)
        raise VolumeError(f"no voxel has the label {', '.join(map(str, said.labels))}; there is: {there or 'none'}")
    return np.asarray(inside)


def _threshold(voxels: Voxels, said: VolumeLink, notes: list[str]) -> float:
    """The threshold in stored numbers."""
    if said.threshold is not None:
        return (said.threshold - voxels.intercept) / voxels.slope
    if said.values is VoxelValues.HOUNSFIELD:
        notes.append(f"its surface was drawn at {BONE_HU:.0f} HU")
        return (BONE_HU - voxels.intercept) / voxels.slope
    sample = voxels.stored.reshape(-1)[:: max(1, voxels.stored.size // 2_000_000)]
    found = float(threshold_otsu(sample))
    notes.append(f"its surface was drawn at {found * voxels.slope + voxels.intercept:.4g}, between bright and dark")
    return found


def _bone_by_threshold(voxels: Voxels, said: VolumeLink, notes: list[str]) -> Bool[np.ndarray, "k j i"]:
    """The largest piece above the threshold, with its marrow.

    Raises:
        VolumeError: nothing is above the threshold.
    """
    above = voxels.stored > _threshold(voxels, said, notes)
    labels, count = ndimage.label(above)
    if count == 0:
        raise VolumeError("no voxel is above the threshold; choose a lower one")
    sizes = np.bincount(labels.reshape(-1))
    sizes[0] = 0
    largest = int(sizes.argmax())
    if count > 1 and sizes[largest] < 0.98 * sizes.sum():
        notes.append("only the largest of several bones above the threshold was taken; labels separate the others")
    box = ndimage.find_objects(labels, max_label=largest)[largest - 1]
    inside = np.zeros(above.shape, dtype=bool)
    part = labels[box] == largest
    inside[box] = _with_marrow(part)
    return inside


def _with_marrow(bone: Bool[np.ndarray, "k j i"]) -> Bool[np.ndarray, "k j i"]:
    """Holes filled slice by slice along each axis, so that a shaft cut off at its end is filled too."""
    closed = ndimage.binary_closing(np.pad(bone, 2), iterations=2)[2:-2, 2:-2, 2:-2] | bone
    votes = np.zeros(bone.shape, dtype=np.uint8)
    for axis in range(3):
        for at in range(bone.shape[axis]):
            where: list[slice | int] = [slice(None)] * 3
            where[axis] = at
            votes[tuple(where)] += ndimage.binary_fill_holes(closed[tuple(where)])
    return np.asarray((votes >= 1) & ndimage.binary_closing(closed, iterations=3, border_value=0) | bone | (votes >= 2))


def _box(inside: Bool[np.ndarray, "k j i"]) -> tuple[slice, slice, slice]:
    ends = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(inside.any(axis=others))
        first, last = max(int(filled[0]) - _MARGIN, 0), min(int(filled[-1]) + _MARGIN + 1, inside.shape[axis])
        ends.append(slice(min(first, inside.shape[axis] - 2), max(last, first + 2)))
    return ends[0], ends[1], ends[2]


def _cut_ends(voxels: Voxels, inside: Bool[np.ndarray, "k j i"]) -> tuple[CutEnd, ...]:
    """The faces of the grid that the bone runs through, not those that it only touches."""
    ends = []
    for axis, at in [(axis, at) for axis, size in enumerate(inside.shape) for at in (0, size - 1)]:
        face = np.argwhere(np.take(inside, at, axis=axis))
        along = 2 - axis
        area_mm2 = len(face) * float(np.prod(np.delete(voxels.spacing_mm, along)))
        if area_mm2 < _SMALLEST_CUT_MM2:
            continue
        face = face[:: max(1, len(face) // _CUT_POINTS)]
        indices = np.insert(face, axis, at, axis=1)[:, ::-1]
        outward = np.zeros(3)
        outward[along] = 1.0 if at else -1.0
        ends.append(
            CutEnd(
                points_mm=voxels.body_from_grid.apply(indices * voxels.spacing_mm),
                outward=voxels.body_from_grid.rotation @ outward,
            )
        )
    return tuple(ends)


def _cut(voxels: Voxels, box: tuple[slice, slice, slice]) -> Voxels:
    start = np.array([part.start for part in box][::-1], dtype=np.float64) * voxels.spacing_mm
    return replace(
        voxels,
        stored=voxels.stored[box],
        body_from_grid=Rigid(
            rotation=voxels.body_from_grid.rotation, translation_mm=voxels.body_from_grid.apply(start[None])[0]
        ),
    )


def _attenuation(voxels: Voxels, said: VolumeLink) -> Float32[np.ndarray, "k j i"]:
    stored, slope, intercept = voxels.stored, voxels.slope, voxels.intercept
    if said.values is VoxelValues.HOUNSFIELD:
        return from_hounsfield(stored, slope, intercept)
    if said.values is VoxelValues.ATTENUATION:
        return from_line(stored, slope, intercept)
    if said.values is VoxelValues.LABELS:
        return np.full(stored.shape, BONE_PER_MM, dtype=np.float32)
    if said.slope_per_mm > 0:
        return from_line(stored, said.slope_per_mm * slope, said.slope_per_mm * intercept + said.offset_per_mm)
    raise VolumeError("the numbers of the volume have no meaning yet: say that they are Hounsfield units, or a slope")


def typical_slope_per_mm(voxels: Voxels) -> float:
    """A slope for numbers without a meaning: their brightest per cent becomes dense bone."""
    filled = voxels.stored[voxels.stored > 0]
    top = float(np.percentile(filled[:: max(1, filled.size // 1_000_000)], 99.0)) if filled.size else 1.0
    return _TYPICAL_PER_MM / max(top * voxels.slope, 1e-12)


def _field(
    voxels: Voxels, said: VolumeLink, inside: Bool[np.ndarray, "k j i"], kept: Bool[np.ndarray, "k j i"]
) -> Float32[np.ndarray, "k j i"]:
    """A field that is 0.5 on the bone's surface.

    From labels their smoothed edge; from brightness its own course across the threshold, which is finer than
    a voxel, with the marrow filled.
    """
    labelled = said.values is VoxelValues.LABELS or said.mask is not None
    if labelled:
        return np.asarray(ndimage.gaussian_filter(inside.astype(np.float32), 0.8))
    threshold = _threshold(voxels, said, [])
    field = voxels.stored.astype(np.float32)
    scale = max(abs(threshold), 1.0)
    field = np.clip(0.5 + 0.5 * (field - np.float32(threshold)) / np.float32(scale), 0.0, 1.0)
    core = ndimage.binary_erosion(inside, iterations=1)
    field[core] = np.maximum(field[core], 0.9)
    field[~kept] = 0.0
    return np.asarray(field, dtype=np.float32)
