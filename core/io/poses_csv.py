"""Poses of one body as CSV: frame, world_from_body as r00..r22 and mm, then status and where each pose came from.

The first 13 columns alone are enough, and columns of other names are left aside. Lines that begin with ``#`` say
frame of reference, units, order, software and what else was given. Numbers are written so that they come back to the
bit.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, final

import numpy as np

from core.errors import GeometryError, PoseError
from core.geometry.rigid import Rigid
from core.io.replacing import replace_file
from core.io.rounding import departure, rigid_from_file
from core.io.software import SOFTWARE
from core.io.text_files import read_text
from core.study.values import PoseRecord, PoseStatus

POSE_COLUMNS = ("frame", *(f"r{row}{column}" for row in range(3) for column in range(3)), "tx_mm", "ty_mm", "tz_mm")
MORE_COLUMNS = ("status", "author", "method", "score", "outcome")

_SAID = MappingProxyType(
    {
        "software": SOFTWARE,
        "frame": "world_from_body",
        "units": "mm",
        "order": "r00..r22 row by row, x_world = R x_body + t",
    }
)
_HEADER = re.compile(r"#\s*([\w .-]+?)\s*:\s*(.*)")
_LARGEST_FRAME = 2**31 - 1


class _Line(NamedTuple):
    number: int
    cells: dict[str, str]


@final
@dataclass(frozen=True, kw_only=True)
class PoseFile:
    """What a pose file holds."""

    records: Mapping[int, PoseRecord]
    """By frame, in order of frame."""
    header: Mapping[str, str]
    """What its ``#`` lines say, names in lower case."""
    notes: tuple[str, ...]
    """What a person should know about how it was understood."""


def read_poses(path: Path) -> dict[int, PoseRecord]:
    """Frame number to record, in order of frame; poses without a status count as imported.

    Raises:
        PoseError: missing columns, rows that are no rigid motion, repeated frames; names the line.
    """
    return dict(read_pose_file(path).records)


def read_pose_file(path: Path) -> PoseFile:
    """As ``read_poses``, with the header and notes about what was assumed.

    Raises:
        PoseError: as there, or the header says that the poses are in another frame or unit.
    """
    path = Path(path)
    text = read_text(path, "pose file", PoseError)
    header = _header(text, path)
    records: dict[int, PoseRecord] = {}
    worst = 0.0
    for line in _lines(text, path):
        where = f"pose file {path}, line {line.number}"
        frame = _frame(line.cells["frame"], where)
        if frame in records:
            raise PoseError(f"{where}: frame {frame} stands twice; keep one pose a frame")
        pose, moved = _pose(line.cells, f"{where} (frame {frame})")
        worst = max(worst, moved)
        records[frame] = _record(pose, line.cells, path, where)
    if not records:
        raise PoseError(f"pose file {path} holds no poses, only column names")
    notes = [] if "frame" in header else [f"{path.name} does not say its frame and units; taken as world_from_body, mm"]
    if worst > 0:
        notes.append(f"rotations were rounded and have been made exact (they departed by up to {worst:.1g})")
    return PoseFile(records=MappingProxyType(dict(sorted(records.items()))), header=header, notes=tuple(notes))


def write_poses(path: Path, records: Mapping[int, PoseRecord], header: Mapping[str, str] | None = None) -> None:
    """Write poses in order of frame; the file is replaced only by one that has been read back.

    Args:
        path: the file to make or replace.
        records: frame number to record.
        header: more to say in ``#`` lines (study, trial, body, calibration hash).

    Raises:
        PoseError: there are no poses, or a frame that is negative.
        StorageError: the disk is full, read-only or gone; an older file is untouched.
    """
    if not records:
        raise PoseError(f"there are no poses to write into {path}")
    if min(records) < 0:
        raise PoseError(f"frame {min(records)} cannot be written into {path}: frames are not negative")
    text = io.StringIO()
    for name, value in {**_SAID, **(header or {})}.items():
        text.write(f"# {_on_one_line(name).replace(':', ' ')}: {_on_one_line(value)}\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*POSE_COLUMNS, *MORE_COLUMNS])
    table.writerows(_cells(frame, record) for frame, record in sorted(records.items()))
    replace_file(Path(path), text.getvalue().encode("utf-8"), lambda draft: _check_same(draft, records))


def _cells(frame: int, record: PoseRecord) -> list[str]:
    pose = record.world_from_body
    numbers = [*pose.rotation.reshape(-1).tolist(), *pose.translation_mm.tolist()]
    score = "" if record.score is None or not math.isfinite(record.score) else repr(float(record.score))
    said = [_on_one_line(text) for text in (record.author, record.method)]
    return [str(frame), *map(repr, numbers), record.status.value, *said, score, _on_one_line(record.outcome)]


def _check_same(draft: Path, records: Mapping[int, PoseRecord]) -> None:
    back = read_poses(draft)
    same = back.keys() == records.keys() and all(
        back[frame].world_from_body.close_to(records[frame].world_from_body, mm=1e-9, deg=1e-4) for frame in records
    )
    if not same:
        raise PoseError("the poses do not read back as they were written; nothing was replaced")


def _header(text: str, path: Path) -> Mapping[str, str]:
    header: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        match = _HEADER.match(line)
        if match:
            header[match[1].lower()] = match[2].strip()
    for name, meant in (("frame", "world_from_body"), ("units", "mm")):
        if header.get(name, meant).split(",")[0].strip() != meant:
            raise PoseError(
                f"pose file {path}: its header says {name}: {header[name]!r}, only {meant} is read; convert it first"
            )
    return MappingProxyType(header)


def _lines(text: str, path: Path) -> Iterator[_Line]:
    """Rows of the table by column name, with the line of the file that each ends on."""
    lines = list(io.StringIO(text, newline=""))
    skipped = next((k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    reader = csv.reader(lines[skipped:], strict=True, skipinitialspace=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_names(names, path, skipped + 1)
        for row in reader:
            number = skipped + reader.line_num
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
            if len(row) < len(names):
                raise PoseError(
                    f"pose file {path}, line {number}: it has {len(row)} columns, the table has {len(names)}; "
                    "the file is cut short or damaged there"
                )
            yield _Line(number, {name: cell.strip() for name, cell in zip(names, row, strict=False)})
    except csv.Error as error:
        raise PoseError(f"pose file {path}, line {skipped + reader.line_num}: {error}; export it again") from error


def _check_names(names: list[str], path: Path, number: int) -> None:
    missing = [name for name in POSE_COLUMNS if name not in names]
    if not missing:
        doubled = next((name for name in POSE_COLUMNS if names.count(name) > 1), None)
        if doubled is None:
            return
        raise PoseError(f"pose file {path}, line {number}: column {doubled} stands twice")
    if not names:
        raise PoseError(f"pose file {path} holds no table; it needs the columns {', '.join(POSE_COLUMNS)}")
    hint = ""
    if any(";" in name or "\t" in name for name in names):
        hint = "; columns are separated by commas, and numbers have decimal points"
    raise PoseError(
        f"pose file {path}, line {number}: column {missing[0]} is missing"
        f"{f' (and {len(missing) - 1} more)' if len(missing) > 1 else ''}; the columns are "
        f"{', '.join(POSE_COLUMNS)}{hint}"
    )


def _frame(text: str, where: str) -> int:
    value = _number(text)
    if not value.is_integer():
        raise PoseError(f"{where}: the frame must be a whole number, found {text!r}")
    if not 0 <= value <= _LARGEST_FRAME:
        raise PoseError(f"{where}: the frame must be between 0 and {_LARGEST_FRAME}, found {text!r}")
    return int(value)


def _pose(cells: Mapping[str, str], where: str) -> tuple[Rigid, float]:
    """The pose, and how far its rotation was from one before it was made exact."""
    numbers = []
    for name in POSE_COLUMNS[1:]:
        value = _number(cells[name])
        if not math.isfinite(value):
            raise PoseError(
                f"{where}: {name} is no finite number ({cells[name]!r}); leave out frames that have no pose"
            )
        numbers.append(value)
    rotation = np.array(numbers[:9]).reshape(3, 3)
    try:
        pose = rigid_from_file(rotation, np.array(numbers[9:]))
    except GeometryError as error:
        raise PoseError(f"{where}: {error}") from error
    return pose, 0.0 if np.array_equal(pose.rotation, rotation) else departure(rotation)


def _record(pose: Rigid, cells: Mapping[str, str], path: Path, where: str) -> PoseRecord:
    status = cells.get("status", "").lower()
    known = {choice.value: choice for choice in PoseStatus}
    if status and status not in known:
        raise PoseError(f"{where}: status {status!r} is unknown; it is one of {', '.join(known)}, or empty")
    score = cells.get("score", "")
    if score and math.isnan(_number(score)) and score.lower() != "nan":
        raise PoseError(f"{where}: the score must be a number or empty, found {score!r}")
    value = _number(score)
    return PoseRecord(
        world_from_body=pose,
        status=known.get(status, PoseStatus.IMPORTED),
        author=cells.get("author", ""),
        method=cells.get("method", "") or f"import {path.name}",
        score=value if math.isfinite(value) else None,
        outcome=cells.get("outcome", ""),
    )


def _number(text: str) -> float:
    """The number, NaN where there is none."""
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def _on_one_line(text: str) -> str:
    return " ".join(str(text).split())
