"""Poses in and out, as CSV."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import say, warn
from app.cli.study_commands import StudyPath
from core.errors import PoseError
from core.study.values import PoseKey, PoseStatus

TrialName = Annotated[str, typer.Option("--trial", help="Name of the trial.")]
BodyName = Annotated[str, typer.Option("--body", help="Name of the body.")]
_LISTED = 5


def add_to(application: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Import and export poses.", no_args_is_help=True)
    group.command("import", epilog="Example: main.py poses import knee7.study --trial stairs --body femur femur.csv")(
        import_poses
    )
    group.command("export", epilog="Example: main.py poses export knee7.study --trial stairs --body femur femur.csv")(
        export_poses
    )
    application.add_typer(group, name="poses")


def import_poses(
    study: StudyPath,
    trial: TrialName,
    body: BodyName,
    file: Annotated[Path, typer.Argument(help="CSV: frame, r00..r22, tx_mm, ty_mm, tz_mm of world_from_body.")],
) -> int:
    """Read poses of one body; they replace those of the same frames (the journal keeps the old)."""
    from core.io.poses_csv import read_poses
    from core.io.study import StudyFile

    records = read_poses(file)
    with StudyFile.open(study) as opened:
        known = opened.study.trial(trial)
        opened.study.body(body)
        strange = [frame for frame in records if frame not in known.frames]
        if strange:
            listed = ", ".join(map(str, strange[:_LISTED])) + (", ..." if len(strange) > _LISTED else "")
            raise PoseError(
                f"{file} has poses of frames that trial {trial!r} does not have ({listed}); its frames run from "
                f"{known.frames[0]} to {known.frames[-1]}"
            )
        old = opened.study.poses.of(trial, body)
        judged = [f for f in records if f in old and old[f].status in {PoseStatus.ACCEPTED, PoseStatus.MANUAL}]
        opened.record({PoseKey(trial, body, f): r for f, r in records.items()}, action=f"import {file.name}")
    say(f"{len(records)} poses of {body} imported as world_from_body in mm")
    if judged:
        warn(f"{len(judged)} poses that a person had made or accepted were replaced; the journal keeps them")
    return 0


def export_poses(
    study: StudyPath,
    trial: TrialName,
    body: BodyName,
    file: Annotated[Path, typer.Argument(help="CSV to be written.")],
) -> int:
    """Write the stored poses of one body, with every digit."""
    from core.io.poses_csv import write_poses
    from core.io.study import StudyFile
    from core.io.study.as_json import calibration_hash

    with StudyFile.open(study, read_only=True) as opened:
        known = opened.study.trial(trial)
        opened.study.body(body)
        records = opened.study.poses.of(trial, body)
        header = {
            "study": opened.study.name,
            "trial": trial,
            "body": body,
            "world": known.world_frame,
            "calibration": calibration_hash(known),
        }
    write_poses(file, records, header)
    say(f"{len(records)} poses of {body} written to {file}")
    return 0
