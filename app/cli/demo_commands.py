"""Commands that need nothing but the program: the demo, and simulated studies."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import progress, say
from app.cli.window import OpenWindow
from core.errors import StorageError


def add_to(application: typer.Typer) -> None:
    """Register the commands."""
    application.command("demo", epilog=_DEMO_EXAMPLES)(demo)
    application.command("open", epilog="Example: main.py open knee7.study")(open_study)
    application.command("simulate", epilog=_SIMULATE_EXAMPLES)(simulate)


_DEMO_EXAMPLES = "Examples: main.py demo   |   main.py demo --screenshot window.png"
_SIMULATE_EXAMPLES = "Example: main.py simulate gait.study --frames 40 --seed 1"


def demo(
    context: typer.Context,
    screenshot: Annotated[Path | None, typer.Option(help="Draw the window, save it as a picture, and end.")] = None,
) -> int:
    """Open the window on the demo study, a simulated knee."""
    if screenshot is not None:
        _draw_without_screen(screenshot)
    open_window: OpenWindow = context.obj
    return open_window(demo=True, screenshot=screenshot)


def open_study(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(help="NAME.study")],
    screenshot: Annotated[Path | None, typer.Option(help="Draw the window, save it as a picture, and end.")] = None,
) -> int:
    """Open the window on a study."""
    if screenshot is not None:
        _draw_without_screen(screenshot)
        _check_opens(study)
    open_window: OpenWindow = context.obj
    return open_window(study, screenshot=screenshot)


def simulate(
    out: Annotated[Path, typer.Argument(help="The study to be made: NAME.study")],
    frames: Annotated[int, typer.Option(min=1, help="Picture pairs over one gait cycle.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same study.")] = 0,
    size: Annotated[int, typer.Option(min=128, max=4096, help="Side of the pictures in pixels.")] = 1024,
    bits: Annotated[int, typer.Option(help="8 or 16 bits a pixel.")] = 8,
) -> int:
    """Make a synthetic study: a knee that walks, X-rayed in two planes; truth in OUT/truth/*.csv."""
    from core.io.simulated_study import write_simulated_study

    if bits not in {8, 16}:
        raise typer.BadParameter("pictures have 8 or 16 bits", param_hint="--bits")
    with progress("X-raying", frames) as advance:
        for report in write_simulated_study(out, frames=frames, seed=seed, size_px=size, bits=bits):
            advance(report.done, report.message)
    say(f"{out}: {frames} picture pairs of {size} x {size} px, truth in {out / 'truth'}")
    return 0


def _draw_without_screen(screenshot: Path) -> None:
    """A screenshot needs no screen: without one, Qt draws into memory.

    Raises:
        StorageError: the picture could not be saved.
    """
    if screenshot.suffix.lower() != ".png":
        raise StorageError(f"{screenshot.name} is no name of a PNG picture; call it {screenshot.stem}.png")
    if not screenshot.absolute().parent.is_dir():
        raise StorageError(f"{screenshot} cannot be written: there is no folder {screenshot.parent}; make it first")
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"


def _check_opens(study: Path) -> None:
    """Where nobody sees the window, nobody can answer what it would ask about a study that does not open.

    Raises:
        StudyError: it is missing, damaged, from a newer program, or open elsewhere.
    """
    from core.io.study import StudyFile
    from core.io.study.writer_lock import take

    with StudyFile.open(study, read_only=True) as file:
        take(file.path).release()
