"""The command line as a whole: its commands, what errors become, and its exit codes.

0: done. 1: done, but a frame failed. 2: misuse or bad input, one sentence on standard error.
"""

import io
import os
import sys
from collections.abc import Sequence

import typer

from app.cli import (
    benchmark_command,
    demo_commands,
    pose_commands,
    register_commands,
    render_command,
    simulate_command,
    study_commands,
)
from app.cli.output import warn
from app.cli.window import OpenWindow, no_window
from core.errors import DuoscopeError

application = typer.Typer(
    name="main.py",
    help="Duoscope: registration of knee implants and bones to dual-plane fluoroscopy. "
    "Without a command the window opens.",
    epilog="Exit codes: 0 done, 1 a frame failed, 2 misuse or bad input.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    no_args_is_help=True,
)
demo_commands.add_to(application)
simulate_command.add_to(application)
study_commands.add_to(application)
pose_commands.add_to(application)
register_commands.add_to(application)
render_command.add_to(application)
benchmark_command.add_to(application)


_Misuse: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What a wrong command line raises; Typer carries it inside itself or takes it from click."""


_INTERRUPTED = 130
"""What Typer makes of Ctrl+C."""


def run(arguments: Sequence[str], open_window: OpenWindow = no_window) -> int:
    """Run a command, or open the window without one; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Better a name with odd letters than none where the terminal does not have them.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _dispatch(arguments, open_window)
    except DuoscopeError as error:
        warn(f"error: {error}")
    except (typer.Abort, KeyboardInterrupt):
        warn("cancelled; everything done so far is stored")
    except BrokenPipeError:
        # Who read our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2


def _dispatch(arguments: Sequence[str], open_window: OpenWindow) -> int:
    if not arguments:
        return open_window()
    command = typer.main.get_command(application)
    try:
        code = command.main(args=list(arguments), prog_name="main.py", standalone_mode=False, obj=open_window)
    except typer.Exit as end:
        return int(end.exit_code)
    except _Misuse as error:
        told = str(error.format_message()) if hasattr(error, "format_message") else str(error)
        if told:
            warn(f"error: {told.rstrip('.')}; --help shows how to call it")
        return int(getattr(error, "exit_code", 2))
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    return int(code) if isinstance(code, int) else 0
