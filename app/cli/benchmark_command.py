"""Measure speed and accuracy here, beside other libraries if they are installed."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import progress, say, say_table


def add_to(application: typer.Typer) -> None:
    """Register the command."""
    application.command("benchmark", epilog="Example: main.py benchmark --quick --out figures")(benchmark)


def benchmark(
    peers: Annotated[bool, typer.Option("--peers", help="Also measure the libraries of the extra 'bench'.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small work: under a minute without peers.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for benchmark.json, benchmark.md and benchmark.png.")] = None,
    peer_python: Annotated[
        list[str] | None,
        typer.Option("--peer-python", help="NAME=PATH: the Python a peer is installed in; may be given again."),
    ] = None,
) -> int:
    """Draw meshes and CT and register, by this program and by others: time, error against truth, ratios."""
    from app.benchmark.peers_run import PEERS, pythons_of
    from app.benchmark.results import COLUMNS, Row, cells, machine, write
    from app.benchmark.suite import QUICK, Extent, run

    pythons = pythons_of(peer_python or [])
    before = machine()
    work = run(QUICK if quick else Extent(), PEERS if peers or pythons else (), pythons)
    rows: list[Row] = []
    with progress("measuring", 100) as advance:
        while True:
            try:
                report = next(work)
            except StopIteration as end:
                rows = end.value
                break
            advance(100 * report.fraction, f"{report.row.workload}: {report.row.who}")
    say_table("benchmark", COLUMNS, [cells(row) for row in rows])
    for path in write(out, rows, quick=quick, before=before) if out is not None else ():
        say(str(path))
    return 0
