"""Register frames from stored or previous poses, and track bodies through a trial."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, final

import typer

from app.cli.frames import chosen_frames, in_tracking_order
from app.cli.output import progress, say, say_json, say_table, warn
from app.cli.pose_commands import TrialName
from app.cli.study_commands import JsonFlag, StudyPath
from app.workers.priority import usable_cores
from core.errors import DuoscopeError, RegistrationError
from core.study.values import PoseKey, PoseRecord, PoseStatus

if TYPE_CHECKING:
    from app.state.arrays import Arrays
    from core.geometry.rigid import Rigid
    from core.io.study import StudyFile
    from core.registration.values import Body, Solution


_LOG = logging.getLogger(__name__)


class Start(StrEnum):
    """Where each frame starts."""

    STORED = "stored"
    PREVIOUS = "previous"


class Device(StrEnum):
    """What computes."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


FramesText = Annotated[
    str | None,
    typer.Option("--frames", help="Frame numbers, e.g. 0:10 (both ends included) or 4,8,12; all by default."),
]
BodyNames = Annotated[list[str], typer.Option("--body", help="Name of a body; several are fitted jointly.")]
DeviceChoice = Annotated[Device, typer.Option(help="auto: a CUDA graphics card if there is one, else the CPU.")]
ReplaceFlag = Annotated[bool, typer.Option("--replace-accepted", help="Also replace poses that a person accepted.")]


def add_to(application: typer.Typer) -> None:
    """Register the commands."""
    application.command(
        "register",
        epilog="Example: main.py register knee7.study --trial stairs --body femur --body tibia --frames 0:10",
    )(register)
    application.command(
        "track", epilog="Example: main.py track knee7.study --trial stairs --body femur --body tibia --from-frame 0"
    )(track)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Row:
    """One frame's result."""

    frame: int
    solution: "Solution | None"
    error: str = ""

    @property
    def succeeded(self) -> bool:
        return self.solution is not None and self.solution.outcome.succeeded


@final
@dataclass(slots=True)
class _Job:
    """What a run works on, and what it has done."""

    file: "StudyFile"
    arrays: "Arrays"
    trial: str
    names: tuple[str, ...]
    bodies: "tuple[Body, ...]"
    replace_accepted: bool
    rows: list[_Row] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def stored(self, frame: int) -> "tuple[Rigid, ...] | None":
        """The stored poses of all bodies at a frame, or None if one is missing."""
        records = [self.file.study.poses.get(PoseKey(self.trial, name, frame)) for name in self.names]
        found = [record.world_from_body for record in records if record is not None]
        return tuple(found) if len(found) == len(self.names) else None

    def take(self, row: _Row, action: str) -> None:
        """Keep a result and store its poses at once."""
        self.rows.append(row)
        if row.solution is None or row.solution.evaluations == 0:
            return
        from core.io.software import SOFTWARE
        from core.registration.recipe import Recipe
        from core.registration.record import records_of

        changes: dict[PoseKey, PoseRecord | None] = {}
        for name, record in zip(self.names, records_of(row.solution, self.names, Recipe(), SOFTWARE), strict=True):
            key = PoseKey(self.trial, name, row.frame)
            old = self.file.study.poses.get(key)
            if old is not None and old.status is PoseStatus.ACCEPTED and not self.replace_accepted:
                self.kept.append(row.frame)
                continue
            changes[key] = record
        self.file.record(changes, action=action)


def register(
    study: StudyPath,
    trial: TrialName,
    body: BodyNames,
    frames: FramesText = None,
    start: Annotated[
        Start, typer.Option(help="Each frame's stored pose, or the previous frame's result.")
    ] = Start.STORED,
    device: DeviceChoice = Device.AUTO,
    jobs: Annotated[
        int, typer.Option(min=0, help="Frames worked at the same time; 0: as many as there are cores.")
    ] = 0,
    replace_accepted: ReplaceFlag = False,
    as_json: JsonFlag = False,
) -> int:
    """Register frames; several bodies are fitted jointly. Results are stored with the status auto."""
    chosen = check_device(device)
    with _opened(study, trial, tuple(body), replace_accepted) as job:
        wanted = chosen_frames(job.file.study.trial(trial), frames)
        if start is Start.STORED:
            _register_stored(job, wanted, jobs or usable_cores(), chosen)
        else:
            _register_previous(job, wanted)
        return _report(job, as_json)


def track(
    study: StudyPath,
    trial: TrialName,
    body: BodyNames,
    from_frame: Annotated[int, typer.Option(help="Frame whose stored poses are the start.")],
    frames: FramesText = None,
    device: DeviceChoice = Device.AUTO,
    stop_when_lost: Annotated[
        bool, typer.Option(help="End at the first doubtful frame instead of flagging it.")
    ] = False,
    replace_accepted: ReplaceFlag = False,
    as_json: JsonFlag = False,
) -> int:
    """Track bodies from one frame on, and backward to the frames before it, at constant velocity."""
    if check_device(device) is Device.CUDA and device is Device.CUDA:
        warn("tracking goes frame by frame and computes on the CPU; register --start stored uses the graphics card")
    with _opened(study, trial, tuple(body), replace_accepted) as job:
        known = job.file.study.trial(trial)
        known.index_of(from_frame)
        wanted = chosen_frames(known, frames)
        _track_both_ways(job, wanted, from_frame, stop_when_lost, usable_cores())
        return _report(job, as_json)


def check_device(device: Device) -> Device:
    """What is to compute: CUDA where it is asked for, or with auto where Warp sees it.

    Raises:
        DeviceError: CUDA is asked for and is not there.
    """
    from core.rendering import warp_device

    return Device(warp_device.check_device(device.value))


def _opened(study: os.PathLike[str], trial: str, names: tuple[str, ...], replace_accepted: bool) -> "_Open":
    return _Open(study, trial, names, replace_accepted)


@final
class _Open:
    """The study open for writing with its bodies prepared, for the length of a command."""

    def __init__(self, study: os.PathLike[str], trial: str, names: tuple[str, ...], replace_accepted: bool) -> None:
        if len(set(names)) != len(names):
            raise RegistrationError(f"a body is named twice: {', '.join(names)}")
        self._asked = (study, trial, names, replace_accepted)
        self._file: StudyFile | None = None

    def __enter__(self) -> _Job:
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
        return _Job(file, arrays, trial, names, bodies, replace_accepted)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _warn_if_changed(file: "StudyFile", name: str) -> None:
    from core.io.study.linked_files import fault_of

    for link in file.study.body(name).links:
        if fault_of(link) is not None:
            kind = "surface" if link == file.study.body(name).mesh else "volume"
            warn(f"{name}: {link.path} is not the {kind} that was added to the study: poses found before may not fit")


def _one(job: _Job, frame: int, starts: "Sequence[Rigid]") -> _Row:
    """Register one frame; what is wrong with its pictures becomes its result."""
    from core.registration.frame import register_frame
    from core.registration.values import Problem, finish

    try:
        problem = Problem(bodies=job.bodies, shots=job.arrays.shots(job.trial, frame))
        return _Row(frame=frame, solution=finish(register_frame(problem, starts)))
    except DuoscopeError as error:
        return _Row(frame=frame, solution=None, error=str(error))


def _register_stored(job: _Job, frames: Sequence[int], workers: int, device: Device) -> None:
    starts: dict[int, tuple[Rigid, ...]] = {}
    for frame in frames:
        stored = job.stored(frame)
        if stored is None:
            missing = " and ".join(job.names)
            job.rows.append(_Row(frame=frame, solution=None, error=f"no stored pose of {missing} to start from"))
        else:
            starts[frame] = stored
    if not starts:
        raise RegistrationError(
            f"none of the frames has a stored pose of {' and '.join(job.names)} to start from; place the bodies in the "
            "window, or import poses (main.py poses import)"
        )
    if device is Device.CUDA:
        _register_on_card(job, starts, workers)
        return
    with progress("registering", len(starts)) as advance, ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(_one, job, frame, start): frame for frame, start in starts.items()}
        for done, row in enumerate(_as_they_come(running), start=1):
            job.take(row, f"register frame {row.frame}")
            advance(done, f"frame {row.frame}")


def _register_on_card(job: _Job, starts: "Mapping[int, tuple[Rigid, ...]]", workers: int) -> None:
    """Many frames at once on the graphics card, as many as fit together."""
    from core.registration.batch import FRAMES_AT_ONCE, register_batch
    from core.registration.values import Problem

    with progress("registering on the graphics card", len(starts)) as advance:
        frames = list(starts)
        for first in range(0, len(frames), FRAMES_AT_ONCE):
            problems: dict[int, Problem] = {}
            for frame in frames[first : first + FRAMES_AT_ONCE]:
                try:
                    problems[frame] = Problem(bodies=job.bodies, shots=job.arrays.shots(job.trial, frame))
                except DuoscopeError as error:
                    job.take(_Row(frame=frame, solution=None, error=str(error)), f"register frame {frame}")
            loaded = list(problems)
            work = register_batch(
                list(problems.values()), [starts[frame] for frame in loaded], device=Device.CUDA.value, workers=workers
            )
            for step in work:
                if step.index is not None:
                    frame = loaded[step.index]
                    job.take(_Row(frame=frame, solution=step.solution), f"register frame {frame}")
                advance(first + step.fraction * len(loaded), step.stage)


def _as_they_come(running: "Mapping[Future[_Row], int]") -> Iterator[_Row]:
    try:
        for future in as_completed(running):
            fault = future.exception()
            if fault is None:
                yield future.result()
                continue
            # A mistake of ours in one frame must not cost the others.
            _LOG.error("frame %d", running[future], exc_info=fault)
            told = f"internal error, please report it ({type(fault).__name__}: {fault})"
            yield _Row(frame=running[future], solution=None, error=told)
    finally:
        for future in running:
            future.cancel()


def _register_previous(job: _Job, frames: Sequence[int]) -> None:
    start = job.stored(frames[0])
    if start is None:
        raise RegistrationError(
            f"frame {frames[0]} has no stored pose of {' and '.join(job.names)} to start from; place the bodies there"
        )
    with progress("registering", len(frames)) as advance:
        for done, frame in enumerate(frames, start=1):
            row = _one(job, frame, start)
            job.take(row, f"register frame {frame} from the previous")
            if row.solution is not None and row.succeeded:
                start = row.solution.poses
            advance(done, f"frame {frame}")


def _track_both_ways(job: _Job, wanted: Sequence[int], from_frame: int, stop_when_lost: bool, workers: int) -> None:
    start = job.stored(from_frame)
    if start is None:
        raise RegistrationError(
            f"frame {from_frame} has no stored pose of {' and '.join(job.names)} to track from; place the bodies there"
        )
    onward, backward = in_tracking_order(wanted, from_frame)
    from core.registration.both_ways import track_both_ways

    work = track_both_ways(
        lambda frame: job.arrays.shots(job.trial, frame),
        job.bodies,
        onward,
        backward,
        from_frame,
        start,
        stop_when_lost=stop_when_lost,
        workers=workers,
    )
    left = {*onward, *backward}  # the frame that both ways begin with may not be wanted
    with progress("tracking", len(left)) as advance, closing(work):
        for report in work:
            result = report.result
            if result is None or result.frame not in left:
                continue
            left.remove(result.frame)
            action = f"track to frame {result.frame}"
            job.take(_Row(frame=result.frame, solution=result.solution, error=result.error), action)
            advance(len(onward) + len(backward) - len(left), f"frame {result.frame}")


def _report(job: _Job, as_json: bool) -> int:
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


def _cells(row: _Row) -> list[str]:
    if row.solution is None:
        return [str(row.frame), row.error, "", "", ""]
    s = row.solution
    return [str(row.frame), s.outcome.value, f"{s.score:.3f}", f"{s.cost:.3f}", f"{s.seconds:.2f}"]


def _as_json(job: _Job, row: _Row) -> dict[str, object]:
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
