"""Make a study and put trials and bodies into it."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.output import say, say_json, say_table, warn
from core.errors import StudyError
from core.study.values import BodyRecord, Study, TrialView, VolumeLink, VoxelValues


class PairBy(StrEnum):
    """How the pictures of two planes are paired."""

    NUMBER = "number"
    ORDER = "order"


class VolumeValues(StrEnum):
    """What the numbers of a volume mean."""

    AUTO = "auto"
    HOUNSFIELD = "hounsfield"
    ATTENUATION = "attenuation"
    LABELS = "labels"
    BRIGHTNESS = "brightness"


StudyPath = Annotated[Path, typer.Argument(help="NAME.study")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Say it as JSON.")]


def add_to(application: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Make a study; add trials and bodies.", no_args_is_help=True)
    group.command("create", epilog="Example: main.py study create knee7.study")(create)
    group.command(
        "add-trial",
        epilog="Example: main.py study add-trial knee7.study stairs --images-a 'cam1/*.tif' --images-b 'cam2/*.tif' "
        "--calibration-a cam1.txt --calibration-b cam2.txt",
    )(add_trial)
    group.command("add-body", epilog="Example: main.py study add-body knee7.study femur femur.stl --units mm")(add_body)
    group.command("show", epilog="Example: main.py study show knee7.study --json")(show)
    group.command("check", epilog="Example: main.py study check knee7.study")(check)
    group.command("relink", epilog="Example: main.py study relink knee7.study /old/disk/knee7 /new/disk/knee7")(relink)
    application.add_typer(group, name="study")


def create(
    study: StudyPath,
    name: Annotated[str | None, typer.Option(help="What people call it; the folder's name by default.")] = None,
) -> int:
    """Make an empty study."""
    from core.io.study import StudyFile

    StudyFile.create(study, name).close()
    say(f"made {study}; next: main.py study add-trial {study} NAME --images-a ...")
    return 0


def add_trial(
    study: StudyPath,
    name: Annotated[str, typer.Argument(help="Name of the trial.")],
    images_a: Annotated[str, typer.Option(help="Folder or pattern of plane A's pictures (TIFF, PNG).")],
    calibration_a: Annotated[Path, typer.Option(help="Plane A's calibration (MayaCam 1.0, 2.0, JT_INTCALIB).")],
    images_b: Annotated[
        str | None, typer.Option(help="The same of plane B; without it the trial has one view.")
    ] = None,
    calibration_b: Annotated[Path | None, typer.Option(help="Plane B's calibration.")] = None,
    pair_by: Annotated[PairBy, typer.Option(help="Pair pictures by equal numbers or by their order.")] = PairBy.NUMBER,
    lengths: Annotated[str, typer.Option(help="Unit of the calibration's positions: mm, cm or m.")] = "mm",
) -> int:
    """Add a trial: one or two calibrated views with a picture a frame."""
    from core.io.study import StudyFile
    from core.io.study.add import trial_from_files

    how: Literal["number", "order"] = "order" if pair_by is PairBy.ORDER else "number"
    with StudyFile.open(study) as file:
        trial = trial_from_files(name, images_a, images_b, calibration_a, calibration_b, how, lengths=lengths)
        file.add_trial(trial)
    ends = f"{trial.frames[0]} to {trial.frames[-1]}"
    say(f"{name}: {len(trial.frames)} frames ({ends}), {len(trial.views)} view{'s' if len(trial.views) > 1 else ''}")
    if how == "order" and len(trial.views) == 2:
        say("paired by order; frames carry plane A's numbers")
    for plane in trial.views:
        view = plane.view
        at = ", ".join(f"{value:.0f}" for value in view.source_world_mm)
        say(
            f"  view {view.name}: {view.width_px} x {view.height_px} px, source at ({at}) mm in the calibration's world"
        )
        _say_notes(plane, lengths)
    return 0


def _say_notes(plane: TrialView, lengths: str) -> None:
    """What was assumed of a view: its calibration's units, and pictures that show nothing."""
    from core.io.calibration import inspect_calibration
    from core.io.images import contrast_fault, read_image

    view = plane.view
    size = (view.width_px, view.height_px)
    for note in inspect_calibration(plane.calibration.path, view.name, size, lengths=lengths).notes:
        warn(f"view {view.name}: {note}")
    first = plane.images[0].path
    fault = contrast_fault(read_image(first))
    if fault is not None:
        warn(f"view {view.name}: the first picture, {first.name}, is {fault}; was the X-ray off?")


def add_body(
    study: StudyPath,
    name: Annotated[str, typer.Argument(help="Name of the body: femur, tibia, ...")],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Surface (STL, OBJ, PLY, VTK, VTP), or volume: NIfTI, NRRD, TIFF, a folder of DICOM or TIFF slices.",
        ),
    ],
    units: Annotated[str | None, typer.Option(help="Units of a surface: mm, cm or m.")] = None,
    spacing_mm: Annotated[
        str | None, typer.Option(help="TIFF: distance of voxels along columns, rows, slices, e.g. 0.4,0.4,0.6.")
    ] = None,
    values: Annotated[
        VolumeValues, typer.Option(help="What a volume's numbers mean; auto: Hounsfield, for TIFF brightness.")
    ] = VolumeValues.AUTO,
    label: Annotated[list[int] | None, typer.Option(help="Labels of the body, in the mask or the volume.")] = None,
    every_label: Annotated[
        bool, typer.Option("--every-label", help="One body a label, named NAME and the label's number.")
    ] = False,
    mask: Annotated[Path | None, typer.Option(help="Volume of labels on the same grid.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Value at which the surface is drawn, e.g. HU.")] = None,
    flips: Annotated[str, typer.Option(help="TIFF: axes whose order is reversed, of xyz.")] = "",
    series: Annotated[str, typer.Option(help="DICOM: SeriesInstanceUID, where a folder holds several.")] = "",
) -> int:
    """Add an implant component from its surface, or a bone from a CT."""
    from core.io.study import StudyFile
    from core.io.study.add import body_from_file
    from core.io.volumes import is_volume

    if not is_volume(file):
        with StudyFile.open(study) as opened:
            record = body_from_file(name, file, units)
            opened.add_body(record)
        _say_body(record, f"{file.name} in {record.units}")
        return 0
    if units is not None:
        raise StudyError("--units is for surfaces; a volume states its spacing itself, a TIFF stack needs --spacing-mm")
    from core.io.study.add_bone import bone_from_files, labels_in

    spacing = _spacing(spacing_mm)
    said = _said(file, spacing, values, mask, threshold, flips, series)
    wanted = [(name, tuple(label or ()))]
    if every_label:
        source = mask if mask is not None else file
        wanted = [(f"{name} {one}", (one,)) for one in labels_in(source, spacing_mm=spacing, flips=flips)]
    with StudyFile.open(study) as opened:
        for called, labels in wanted:
            record = bone_from_files(called, replace(said, labels=labels))
            opened.add_body(record)
            _say_body(record, f"bone from {file.name}")
    return 0


def _say_body(record: BodyRecord, what: str) -> None:
    say(f"{record.name}: {what}")
    for note in record.notes:
        say(f"  note: {note}")


def _spacing(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        along_columns, along_rows, along_slices = (float(part) for part in text.split(","))
    except ValueError:
        raise StudyError(f"--spacing-mm takes three lengths in mm, e.g. 0.4,0.4,0.6, got {text!r}") from None
    return along_columns, along_rows, along_slices


def _said(
    file: Path,
    spacing: tuple[float, float, float] | None,
    values: VolumeValues,
    mask: Path | None,
    threshold: float | None,
    flips: str,
    series: str,
) -> VolumeLink:
    """What the options say of a volume; brightness without a meaning gets a slope, and a warning says so."""
    from core.io.study.add_bone import link_to, with_typical_slope

    stack = spacing is not None
    brightness = values is VolumeValues.BRIGHTNESS or (values is VolumeValues.AUTO and stack)
    known = VoxelValues.HOUNSFIELD if values is VolumeValues.AUTO or brightness else VoxelValues(values.value)
    said = VolumeLink(
        file=link_to(file),
        values=known,
        spacing_mm=spacing,
        flips=flips,
        series=series,
        mask=None if mask is None else link_to(mask),
        threshold=threshold,
    )
    if not brightness:
        return said
    said = with_typical_slope(said)
    warn(
        f"{file.name}: its numbers have no unit; {said.slope_per_mm:.3g} 1/mm a unit is assumed, so that the brightest "
        "are dense bone. Registration adapts the strength by itself"
    )
    return said


def show(study: StudyPath, as_json: JsonFlag = False) -> int:
    """Say what a study holds."""
    from core.io.study import StudyFile

    with StudyFile.open(study, read_only=True) as file:
        held = file.study
    if as_json:
        say_json(_told(held))
        return 0
    say(f"{held.name}: {len(held.trials)} trials, {len(held.bodies)} bodies, {len(held.poses)} poses")
    rows = [
        [trial.name, body.name, str(len(trial.frames)), str(len(held.poses.of(trial.name, body.name)))]
        for trial in held.trials
        for body in held.bodies
    ]
    if rows:
        say_table("poses", ["trial", "body", "frames", "with pose"], rows)
    return 0


def check(study: StudyPath, as_json: JsonFlag = False) -> int:
    """Say which linked pictures, calibrations and surfaces are missing or are not those that were added."""
    from core.io.study import StudyFile
    from core.io.study.linked_files import faults_of, links_of

    with StudyFile.open(study, read_only=True) as file:
        held = file.study
    faults = faults_of(held)
    count = len(links_of(held))
    if as_json:
        say_json({"files": count, "faults": [{"path": str(f.path), "fault": f.kind.name} for f in faults]})
    elif faults:
        say_table("linked files", ["path", "fault"], [[str(fault.path), fault.kind.value] for fault in faults])
        say(f"{len(faults)} of {count} files; main.py study relink tells the study where files went")
    else:
        say(f"all {count} linked files are there and unchanged")
    return 1 if faults else 0


def relink(
    study: StudyPath,
    old: Annotated[Path, typer.Argument(help="Folder (or one file) where the study looks now.")],
    new: Annotated[Path, typer.Argument(help="Where the same files are; their contents are compared.")],
) -> int:
    """Tell a study where its files were moved to; only files with the same contents are taken."""
    from core.io.study import StudyFile

    with StudyFile.open(study) as file:
        count = file.relink(old, new)
    say(f"{count} files are looked for in {new} from now on")
    return 0


def _told(study: Study) -> dict[str, object]:
    return {
        "name": study.name,
        "trials": [
            {"name": t.name, "frames": list(t.frames), "views": [plane.view.name for plane in t.views]}
            for t in study.trials
        ],
        "bodies": [
            {
                "name": b.name,
                "mesh": None if b.mesh is None else str(b.mesh.path),
                "volume": None if b.volume is None else str(b.volume.file.path),
                "units": b.units,
                "notes": list(b.notes),
            }
            for b in study.bodies
        ],
        "poses": len(study.poses),
    }
