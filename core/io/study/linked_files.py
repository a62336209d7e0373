"""The files that a study links to: whether they are still what they were, and where they went."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import final

from core.errors import StorageError, StudyError
from core.io.checksums import has_changed
from core.study.values import BodyRecord, FileLink, Study, TrialView


class FaultKind(Enum):
    """What is wrong with a linked file."""

    MISSING = "missing or unreadable"
    CHANGED = "not the file that was added"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A linked file that is not there any more, or another one."""

    path: Path
    kind: FaultKind


def links_of(study: Study) -> tuple[FileLink, ...]:
    """All files that a study links to, each once: pictures, calibrations, surfaces, volumes and their masks."""
    planes = [plane for trial in study.trials for plane in trial.views]
    found = [link for plane in planes for link in (plane.calibration, *plane.images)]
    return tuple(dict.fromkeys([*found, *(link for body in study.bodies for link in body.links)]))


def fault_of(link: FileLink) -> Fault | None:
    """What is wrong with a linked file, if anything; its checksum is computed."""
    try:
        return Fault(path=link.path, kind=FaultKind.CHANGED) if has_changed(link) else _missing(link)
    except StorageError:
        return Fault(path=link.path, kind=FaultKind.MISSING)


def faults_of(study: Study) -> tuple[Fault, ...]:
    """All linked files that are missing or changed."""
    return tuple(fault for link in links_of(study) if (fault := fault_of(link)) is not None)


def with_paths(study: Study, moved: Callable[[Path], Path]) -> Study:
    """The study with every linked file where ``moved`` says."""

    def at(link: FileLink) -> FileLink:
        return replace(link, path=moved(link.path))

    def plane_at(plane: TrialView) -> TrialView:
        return replace(plane, images=tuple(map(at, plane.images)), calibration=at(plane.calibration))

    def body_at(body: BodyRecord) -> BodyRecord:
        mesh, volume = body.mesh, body.volume
        if volume is not None:
            mask = volume.mask
            volume = replace(volume, file=at(volume.file), mask=None if mask is None else at(mask))
        return replace(body, mesh=None if mesh is None else at(mesh), volume=volume)

    return replace(
        study,
        trials=tuple(replace(trial, views=tuple(map(plane_at, trial.views))) for trial in study.trials),
        bodies=tuple(map(body_at, study.bodies)),
    )


def moved_files(study: Study, old: Path, new: Path) -> dict[Path, Path]:
    """Where the linked files under ``old`` (a folder, or one file) are found under ``new``.

    Raises:
        StudyError: nothing linked lies under ``old``, or a file under ``new`` is missing or another one.
    """
    found = {link: new / link.path.relative_to(old) for link in links_of(study) if link.path.is_relative_to(old)}
    if not found:
        raise StudyError(f"study {study.name!r} links to nothing in {old}; look which files it misses")
    for link, path in found.items():
        fault = fault_of(replace(link, path=path))
        if fault is not None:
            raise StudyError(f"{path} cannot stand for {link.path}: it is {fault.kind.value}; nothing was changed")
    return {link.path: path for link, path in found.items()}


def _missing(link: FileLink) -> Fault | None:
    return None if link.path.exists() else Fault(path=link.path, kind=FaultKind.MISSING)
