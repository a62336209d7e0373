"""Commands that open the window: on the demo, on a study."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.window import OpenWindow
from core.errors import StorageError


def add_to(application: typer.Typer) -> None:
    """Register the commands."""
    application.command("demo", epilog=_DEMO_EXAMPLES)(demo)
    application.command("open", epilog="Example: main.py open knee7.study")(open_study)


_DEMO_EXAMPLES = "Examples: main.py demo   |   main.py demo --screenshot window.png"


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
