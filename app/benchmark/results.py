"""What a benchmark found: rows, ratios to ours, JSON, a table for people, and plots."""

import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import final

OURS = "Duoscope"
FORMAT = 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One library at one piece of work."""

    workload: str
    who: str
    version: str = ""
    state: str = "ok"
    """``ok``, ``not installed``, ``failed`` or ``timed out``."""
    told: str = ""
    cpu_s: float | None = None
    """Median CPU seconds of all threads, both views."""
    wall_s: float | None = None
    error: float | None = None
    """RMS against the truth: mm of path, a share of the signal (CT), or mm of the pose."""
    error_unit: str = ""
    worst: float | None = None
    error_deg: float | None = None
    cpu_ratio: float | None = None
    """CPU seconds over ours."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Medians over repeats."""

    cpu_s: float
    wall_s: float


def timed(work: Callable[[], object], repeats: int) -> Timing:
    """Once to warm up, then so many times."""
    work()
    cpu, wall = [], []
    for _ in range(repeats):
        began, clock = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - clock)
    return Timing(cpu_s=statistics.median(cpu), wall_s=statistics.median(wall))


def with_ratios(rows: Sequence[Row]) -> list[Row]:
    """The rows with their CPU seconds over ours at the same work."""
    ours = {row.workload: row.cpu_s for row in rows if row.who == OURS and row.cpu_s}
    found = []
    for row in rows:
        own = ours.get(row.workload)
        ratio = row.cpu_s / own if own and row.cpu_s is not None else None
        found.append(replace(row, cpu_ratio=ratio))
    return found


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    import os

    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cpu": name, "cores": os.cpu_count(), "system": platform.platform(terse=True), "load_before": load}


def versions() -> dict[str, str]:
    """Of this program's own libraries."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "numba", "warp-lang", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def as_json(rows: Sequence[Row], *, quick: bool, before: dict[str, object]) -> dict[str, object]:
    """Everything, for a file."""
    return {
        "format": FORMAT,
        "quick": quick,
        "machine": before,
        "versions": versions(),
        "rows": [asdict(row) for row in rows],
    }


COLUMNS = ("work", "library", "CPU s", "wall s", "times ours", "error", "worst", "remarks")


def cells(row: Row) -> list[str]:
    """A row of the table."""
    error = _number(row.error, 2) + (f" {row.error_unit}" if row.error is not None else "")
    if row.error_deg is not None:
        error += f", {row.error_deg:.2f} deg"
    return [
        row.workload,
        f"{row.who} {row.version}".strip(),
        _number(row.cpu_s, 3),
        _number(row.wall_s, 3),
        _number(row.cpu_ratio, 2),
        error,
        _number(row.worst, 2),
        row.told if row.state == "ok" else f"{row.state}: {row.told}",
    ]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}g}"


def as_markdown(rows: Sequence[Row], before: dict[str, object]) -> str:
    """The table with the machine above it."""
    lines = [
        f"Machine: {before['cpu']}, {before['cores']} cores, load before {before['load_before']}. "
        + ", ".join(f"{name} {number}" for name, number in versions().items()),
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(cells(row)) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def write(folder: Path, rows: Sequence[Row], *, quick: bool, before: dict[str, object]) -> list[Path]:
    """``benchmark.json``, ``benchmark.md`` and, where matplotlib is, ``benchmark.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "benchmark.json", folder / "benchmark.md"]
    written[0].write_text(json.dumps(as_json(rows, quick=quick, before=before), indent=2) + "\n", encoding="utf-8")
    written[1].write_text(as_markdown(rows, before), encoding="utf-8")
    if find_spec("matplotlib") is not None:
        written.append(folder / "benchmark.png")
        plot(rows, written[-1])
    return written


def plot(rows: Sequence[Row], path: Path) -> None:
    """CPU seconds of each library, one panel a piece of work, on a logarithmic scale."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = [row for row in rows if row.cpu_s]
    works = list(dict.fromkeys(row.workload for row in drawn))
    figure = Figure(figsize=(8, 1.2 + 1.3 * max(len(works), 1)), layout="constrained")
    panels = figure.subplots(max(len(works), 1), 1, squeeze=False)[:, 0]
    for panel, work in zip(panels, works, strict=False):
        bars = [row for row in drawn if row.workload == work]
        colours = ["#1f77b4" if row.who == OURS else "#9a9a9a" for row in bars]
        panel.barh([row.who for row in bars], [row.cpu_s for row in bars], color=colours)
        panel.set_xscale("log")
        panel.invert_yaxis()
        panel.set_title(work, fontsize=9, loc="left")
        panel.tick_params(labelsize=7)
    panels[-1].set_xlabel("CPU seconds, both views (logarithmic)")
    FigureCanvasAgg(figure)
    figure.savefig(path)
