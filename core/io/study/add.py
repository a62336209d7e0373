"""Make trials and bodies from files, checked and with checksums, ready to be stored."""

from pathlib import Path
from typing import Literal

from core.errors import CalibrationError, StudyError
from core.geometry.mesh import TriangleMesh
from core.geometry.view import View
from core.io.calibration import read_calibration
from core.io.checksums import sha256_of, sha256_of_all
from core.io.images import check_sizes, find_sequence, image_size, pair_sequences
from core.io.mesh_files import UNITS_MM, guess_units, read_mesh
from core.registration.body import prepare_body
from core.study.values import BodyRecord, FileLink, Trial, TrialView

_NEAREST_SOURCES_MM = 1.0


def trial_from_files(
    name: str,
    images_a: Path | str,
    images_b: Path | str | None,
    calibration_a: Path | str,
    calibration_b: Path | str | None = None,
    pair_by: Literal["number", "order"] = "number",
    *,
    lengths: str = "mm",
) -> Trial:
    """A trial of one or two views from folders or patterns of pictures and calibration files.

    ``lengths`` is the unit of the calibration files' positions (mm, cm or m).

    Raises:
        StudyError: pictures or calibration of the second view are missing, or the trial has no name.
        ImageError, PairingError: the pictures are missing, damaged, of unequal number or not paired.
        CalibrationError: a calibration is broken, of other pictures, or the same for both views.
    """
    if not name.strip():
        raise StudyError("a trial needs a name")
    if (images_b is None) != (calibration_b is None):
        raise StudyError("the second view needs both pictures and a calibration, or neither")
    first = find_sequence(images_a)
    if images_b is None or calibration_b is None:
        plane = _plane("A", first.paths, Path(calibration_a), lengths)
        return Trial(name=name, frames=first.frames, views=(plane,))
    pairs = pair_sequences(first, find_sequence(images_b), pair_by)
    planes = (
        _plane("A", pairs.paths_a, Path(calibration_a), lengths),
        _plane("B", pairs.paths_b, Path(calibration_b), lengths),
    )
    _refuse_equal(planes[0].view, planes[1].view, Path(calibration_a), Path(calibration_b))
    return Trial(name=name, frames=pairs.frames, views=planes)


def _plane(name: str, paths: tuple[Path, ...], calibration: Path, lengths: str) -> TrialView:
    view = read_calibration(calibration, name, picture_size=image_size(paths[0]), lengths=lengths)
    check_sizes(paths, view)
    links = zip(paths, sha256_of_all(paths), strict=True)
    return TrialView(
        view=view,
        images=tuple(FileLink(path=path.absolute(), sha256=sha) for path, sha in links),
        calibration=FileLink(path=calibration.absolute(), sha256=sha256_of(calibration)),
    )


def _refuse_equal(a: View, b: View, path_a: Path, path_b: Path) -> None:
    apart = float(((a.source_world_mm - b.source_world_mm) ** 2).sum() ** 0.5)
    if apart < _NEAREST_SOURCES_MM:
        raise CalibrationError(
            f"{path_a.name} and {path_b.name} put both X-ray sources in the same place; choose the calibration of "
            "each plane, or leave the second plane out"
        )


def body_from_file(name: str, path: Path | str, units: str | None) -> BodyRecord:
    """The record of a body from a surface file, read and prepared once so that its notes are known.

    Raises:
        StudyError: the body has no name.
        MeshError, UnitsError: the surface cannot be used, or its units are unknown or make no sense.
    """
    if not name.strip():
        raise StudyError("a body needs a name")
    path = Path(path)
    mesh = read_mesh(path, units)
    # Without units read_mesh has asked for them.
    units = units or "mm"
    return BodyRecord(
        name=name,
        mesh=FileLink(path=path.absolute(), sha256=sha256_of(path)),
        units=units,
        notes=(*_doubted_units(mesh, units), *prepare_body(name, mesh).notes),
    )


def _doubted_units(mesh: TriangleMesh, units: str) -> tuple[str, ...]:
    """A note where the units are possible but others would give a more usual size."""
    guess = guess_units(mesh.extent_mm / UNITS_MM[units])
    if guess.likely is None or guess.likely == units:
        return ()
    return (
        f"check the units: in {units} it is {guess.size_in(units)}, in {guess.likely} it would be "
        f"{guess.size_in(guess.likely)}, which is more usual",
    )
