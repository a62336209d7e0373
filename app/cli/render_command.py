"""Draw a frame as one picture: both views with overlays, and the 3D scene."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import say
from app.cli.pose_commands import TrialName
from app.cli.study_commands import StudyPath


def add_to(application: typer.Typer) -> None:
    """Register the command."""
    application.command("render", epilog="Example: main.py render knee7.study --trial stairs --frame 12 frame12.png")(
        render
    )


def render(
    study: StudyPath,
    trial: TrialName,
    frame: Annotated[int, typer.Option(help="Frame number.")],
    out: Annotated[Path, typer.Argument(help="PNG to be written.")],
    height: Annotated[int, typer.Option(min=200, max=4000, help="Height of the views in pixels.")] = 800,
) -> int:
    """Draw both views with the bodies' outlines and the 3D scene into one picture."""
    from app.presenters.picture import draw_frame, save_png
    from app.state.arrays import Arrays
    from core.io.study import StudyFile

    with StudyFile.open(study, read_only=True) as file:
        held = file.study
    save_png(draw_frame(held, Arrays(lambda: held), trial, frame, height_px=height), out)
    say(f"{out}: frame {frame} of {trial}")
    return 0
