"""Make a study and put trials and bodies into it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.output import say, say_json, say_table, warn
from core.study.values import Study, TrialView


class PairBy(StrEnum):
    """How the pictures of two planes are paired."""

    NUMBER = "number"
    ORDER = "order"


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
    mesh: Annotated[Path, typer.Argument(help="Surface: STL, OBJ, PLY, VTK or VTP.")],
    units: Annotated[str | None, typer.Option(help="Units of the file: mm, cm or m.")] = None,
) -> int:
    """Add an implant component or bone."""
    from core.io.study import StudyFile
    from core.io.study.add import body_from_file

    with StudyFile.open(study) as file:
        record = body_from_file(name, mesh, units)
        file.add_body(record)
    say(f"{name}: {mesh.name} in {record.units}")
    for note in record.notes:
        say(f"  note: {note}")
    return 0


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
