"""What a registering command works on, and how it tells what came out."""

import logging
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from app.cli.output import say, say_json, say_table, warn
from core.errors import DuoscopeError, RegistrationError
from core.study.values import PoseKey, PoseRecord, PoseStatus

if TYPE_CHECKING:
    from app.state.arrays import Arrays
    from core.geometry.rigid import Rigid
    from core.io.study import StudyFile
    from core.registration.recipe import Recipe
    from core.registration.values import Body, Solution

_LOG = logging.getLogger(__name__)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One frame's result."""

    frame: int
    solution: "Solution | None"
    error: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether its poses can be trusted without a second look."""
        return self.solution is not None and self.solution.outcome.succeeded


@final
@dataclass(slots=True)
class Job:
    """What a run works on, and what it has done."""

    file: "StudyFile"
    arrays: "Arrays"
    trial: str
    names: tuple[str, ...]
    bodies: "tuple[Body, ...]"
    replace_accepted: bool
    method: str
    recipe: "Recipe"
    rows: list[Row] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def stored(self, frame: int) -> "tuple[Rigid, ...] | None":
        """The stored poses of all bodies at a frame, or None if one is missing."""
        records = [self.file.study.poses.get(PoseKey(self.trial, name, frame)) for name in self.names]
        found = [record.world_from_body for record in records if record is not None]
        return tuple(found) if len(found) == len(self.names) else None

    def take(self, row: Row, action: str) -> None:
        """Keep a result and store its poses at once."""
        self.rows.append(row)
        if row.solution is None or row.solution.evaluations == 0:
            return
        from core.io.software import SOFTWARE
        from core.registration.record import records_of

        changes: dict[PoseKey, PoseRecord | None] = {}
        records = records_of(row.solution, self.names, self.recipe, SOFTWARE, self.method)
        for name, record in zip(self.names, records, strict=True):
            key = PoseKey(self.trial, name, row.frame)
            old = self.file.study.poses.get(key)
            if old is not None and old.status is PoseStatus.ACCEPTED and not self.replace_accepted:
                self.kept.append(row.frame)
                continue
            changes[key] = record
        self.file.record(changes, action=action)


@final
class OpenJob:
    """The study open for writing with its bodies prepared, for the length of a command."""

    def __init__(
        self,
        study: os.PathLike[str],
        trial: str,
        names: tuple[str, ...],
        replace_accepted: bool,
        method: str,
        recipe: "Recipe",
    ) -> None:
        if len(set(names)) != len(names):
            raise RegistrationError(f"a body is named twice: {', '.join(names)}")
        self._asked = (study, trial, names, replace_accepted)
        self._how = (method, recipe)
        self._file: StudyFile | None = None

    def __enter__(self) -> Job:
        from app.state.arrays import Arrays
        from core.io.study import StudyFile

        study, trial, names, replace_accepted = self._asked
        file = StudyFile.open(os.fspath(study))
        self._file = file
        try:
            file.study.trial(trial)
            arrays = Arrays(lambda: file.study)
            bodies = tuple(arrays.body(name) for name in names)
        except DuoscopeError:
            file.close()
            raise
        for name in names:
            _warn_if_changed(file, name)
        for prepared in bodies:
            for note in prepared.notes:
                warn(f"{prepared.name}: {note}")
        return Job(file, arrays, trial, names, bodies, replace_accepted, *self._how)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _warn_if_changed(file: "StudyFile", name: str) -> None:
    from core.io.study.linked_files import fault_of

    for link in file.study.body(name).links:
        if fault_of(link) is not None:
            kind = "surface" if link == file.study.body(name).mesh else "volume"
            warn(f"{name}: {link.path} is not the {kind} that was added to the study: poses found before may not fit")


def as_they_come(running: "Mapping[Future[Row], int]") -> Iterator[Row]:
    """Results in the order in which they are done; a mistake of ours in one frame must not cost the others."""
    try:
        for future in as_completed(running):
            fault = future.exception()
            if fault is None:
                yield future.result()
                continue
            # A mistake of ours in one frame must not cost the others.
            _LOG.error("frame %d", running[future], exc_info=fault)
            told = f"internal error, please report it ({type(fault).__name__}: {fault})"
            yield Row(frame=running[future], solution=None, error=told)
    finally:
        for future in running:
            future.cancel()


def report(job: Job, as_json: bool) -> int:
    """Tell all results; the exit code is 1 if a frame failed."""
    rows = sorted(job.rows, key=lambda row: row.frame)
    failed = [row for row in rows if not row.succeeded]
    if as_json:
        say_json({"trial": job.trial, "bodies": list(job.names), "frames": [_as_json(job, row) for row in rows]})
    else:
        say_table(
            f"{' + '.join(job.names)} in {job.trial}",
            ["frame", "outcome", "score", "cost", "seconds"],
            [_cells(row) for row in rows],
        )
        say(f"{len(rows) - len(failed)} of {len(rows)} frames registered")
    if job.kept:
        count = len(set(job.kept))
        warn(
            f"in {count} frame{'s' if count > 1 else ''} poses that a person accepted were kept; "
            "--replace-accepted replaces them"
        )
    return 1 if failed else 0


def _cells(row: Row) -> list[str]:
    if row.solution is None:
        return [str(row.frame), row.error, "", "", ""]
    s = row.solution
    return [str(row.frame), s.outcome.value, f"{s.score:.3f}", f"{s.cost:.3f}", f"{s.seconds:.2f}"]


def _as_json(job: Job, row: Row) -> dict[str, object]:
    if row.solution is None:
        return {"frame": row.frame, "succeeded": False, "outcome": "ERROR", "error": row.error}
    s = row.solution
    return {
        "frame": row.frame,
        "succeeded": row.succeeded,
        "outcome": s.outcome.name,
        "told": s.outcome.value,
        "score": s.score,
        "view_scores": list(s.view_scores),
        "cost": s.cost,
        "seconds": s.seconds,
        "evaluations": s.evaluations,
        "world_from_body": {name: pose.as_matrix().tolist() for name, pose in zip(job.names, s.poses, strict=True)},
    }
