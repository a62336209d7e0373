"""The sources of the wizards on the real disk."""

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np

from app.wizards.sources import (
    BodyFile,
    BoneFile,
    Lengths,
    Meaning,
    Measured,
    PairBy,
    Pairs,
    Pictures,
    TrialFiles,
    VolumeFacts,
)
from core.geometry.mesh import TriangleMesh
from core.geometry.view import View
from core.io.calibration import inspect_calibration
from core.io.images import check_sizes, contrast_fault, find_sequence, pair_sequences, read_image
from core.io.mesh_files import guess_units, read_mesh, read_surface
from core.io.study import StudyFile
from core.io.study.add import body_from_file, trial_from_files
from core.io.study.add_bone import bone_from_files, link_to, with_typical_slope
from core.io.volumes import is_volume, read_link, read_voxels, series_in
from core.registration.body import prepare_body
from core.registration.bone import prepare_bone
from core.registration.values import Body
from core.study.values import BodyRecord, Trial, VolumeLink, VoxelValues

_TIFF = (".tif", ".tiff")
_MOST_LABELS = 64
_SAMPLED = 2_000_000
_VALUES = {
    Meaning.HOUNSFIELD: VoxelValues.HOUNSFIELD,
    Meaning.BRIGHTNESS: VoxelValues.HOUNSFIELD,  # until a slope is known
    Meaning.ATTENUATION: VoxelValues.ATTENUATION,
    Meaning.LABELS: VoxelValues.LABELS,
}


@final
class DiskSources:
    """Reads with core.io; the same calls that the command line makes."""

    def __init__(self) -> None:
        self._bones: dict[BoneFile, BodyRecord] = {}
        """Records of bones that were prepared, so that a whole CT is not read twice; their names are empty."""

    def view(self, path: Path, name: str, size: tuple[int, int], lengths: Lengths) -> tuple[View, tuple[str, ...]]:
        """A calibration with notes."""
        found = inspect_calibration(path, name, size, lengths=lengths)
        return found.view, (f"{found.kind} calibration", *found.notes)

    def check_pictures(self, pictures: Pictures, view: View) -> str:
        """Compare all sizes, and see whether the first picture shows anything."""
        check_sizes(pictures.paths, view)
        fault = contrast_fault(read_image(pictures.paths[0]))
        return "" if fault is None else f"the first picture, {pictures.paths[0].name}, is {fault}: was the X-ray off?"

    def pictures(self, where: str) -> Pictures:
        """The pictures of a folder or pattern."""
        found = find_sequence(where)
        return Pictures(paths=tuple(found.paths), frames=tuple(found.frames))

    def pair(self, a: str, b: str, by: PairBy) -> Pairs:
        """Which pictures of two views belong together."""
        found = pair_sequences(find_sequence(a), find_sequence(b), by)
        return Pairs(
            frames=tuple(found.frames), paths_a=tuple(found.paths_a), paths_b=tuple(found.paths_b), note=found.note
        )

    def picture(self, path: Path) -> np.ndarray:
        """One picture, h x w."""
        return read_image(path)

    def surface(self, path: Path, units: str) -> TriangleMesh:
        """A surface in mm."""
        return read_mesh(path, units)

    def measure(self, path: Path) -> Measured:
        """The size of a surface in its file's units."""
        guess = guess_units(read_surface(path).extent_mm)
        return Measured(longest=guess.longest, likely=guess.units)

    def prepare(self, name: str, surface: TriangleMesh) -> Body:
        """The surface made ready."""
        return prepare_body(name, surface)

    def is_volume(self, path: Path) -> bool:
        """Whether a path is a volume rather than a surface."""
        return is_volume(path)

    def volume(self, path: Path, series: str = "") -> VolumeFacts:
        """What a volume says of itself; a TIFF says no spacing."""
        several = tuple(series_in(path).items()) if path.is_dir() and not _is_tiff(path) else ()
        chosen = series or (several[0][0] if several else "")
        voxels = read_voxels(path, spacing_mm=(1.0, 1.0, 1.0) if _is_tiff(path) else None, series=chosen)
        sample = voxels.stored.reshape(-1)[:: max(1, voxels.stored.size // _SAMPLED)]
        shape, spacing = voxels.stored.shape[::-1], voxels.spacing_mm
        return VolumeFacts(
            shape=(shape[0], shape[1], shape[2]),
            spacing_mm=None if _is_tiff(path) else (float(spacing[0]), float(spacing[1]), float(spacing[2])),
            low=float(sample.min()) * voxels.slope + voxels.intercept,
            high=float(sample.max()) * voxels.slope + voxels.intercept,
            labels=_labels(voxels.stored),
            series=several if len(several) > 1 else (),
        )

    def bone(self, file: BoneFile) -> Body:
        """The bone made ready."""
        said = _said(file)
        voxels, mask = read_link(said)
        body = prepare_bone(file.name, voxels, said, mask)
        if file.meaning is Meaning.BRIGHTNESS:
            slope = f"its numbers have no unit; {said.slope_per_mm:.3g} 1/mm each is assumed; registration adapts it"
            body = replace(body, notes=(*body.notes, slope))
        self._bones[replace(file, name="")] = BodyRecord(name="", volume=said, notes=body.notes)
        return body

    def trial(self, files: TrialFiles) -> Trial:
        """The trial with links and checksums."""
        first, second = files.planes[0], files.planes[1] if len(files.planes) > 1 else None
        return trial_from_files(
            files.name,
            first.images,
            None if second is None else second.images,
            Path(first.calibration),
            None if second is None else Path(second.calibration),
            files.pair_by,
            lengths=files.lengths,
        )

    def body(self, file: BodyFile | BoneFile) -> BodyRecord:
        """The body's record."""
        if isinstance(file, BodyFile):
            return body_from_file(file.name, file.path, file.units)
        known = self._bones.get(replace(file, name=""))
        return bone_from_files(file.name, _said(file)) if known is None else replace(known, name=file.name)

    def write_study(
        self, place: Path, name: str, trial: Trial | None, bodies: tuple[BodyRecord, ...]
    ) -> Generator[str, None, Path]:
        """A new study, removed again where it cannot be completed."""
        yield "Writing the study"
        StudyFile.create(place, name).close()
        done = False
        try:
            with StudyFile.open(place) as study:
                if trial is not None:
                    study.add_trial(trial)
                for body in bodies:
                    study.add_body(body)
            yield "Written"  # a cancelled wizard ends here, and what was made goes again
            done = True
        finally:
            if not done:
                shutil.rmtree(place, ignore_errors=True)
        return place


def _said(file: BoneFile) -> VolumeLink:
    """What the study stores of a volume."""
    said = VolumeLink(
        file=link_to(file.path),
        values=_VALUES[file.meaning],
        spacing_mm=file.spacing_mm,
        flips=file.flips,
        series=file.series,
        mask=None if file.mask is None else link_to(file.mask),
        labels=file.labels,
        threshold=file.threshold,
    )
    return with_typical_slope(said) if file.meaning is Meaning.BRIGHTNESS else said


def _is_tiff(path: Path) -> bool:
    if path.is_dir():
        endings = {one.suffix.lower() for one in path.iterdir() if one.is_file()}
        return bool(endings) and endings <= set(_TIFF)
    return path.suffix.lower() in _TIFF


def _labels(stored: np.ndarray) -> tuple[int, ...]:
    """Its numbers without 0, where they are few and whole."""
    sample = stored.reshape(-1)[:: max(1, stored.size // _SAMPLED)]
    if len(np.unique(sample)) > _MOST_LABELS:
        return ()
    found = np.unique(stored)
    whole = len(found) <= _MOST_LABELS and bool((found == np.round(found)).all())
    return tuple(int(value) for value in found if value != 0) if whole else ()
