"""Register frames from stored or previous poses, and track bodies through a trial."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.frames import chosen_frames, in_tracking_order
from app.cli.output import progress, warn
from app.cli.pose_commands import TrialName
from app.cli.register_job import Job, OpenJob, Row, as_they_come, report
from app.cli.study_commands import JsonFlag, StudyPath
from app.workers.priority import usable_cores
from core.errors import DuoscopeError, RegistrationError
from core.registration.published import Parameters

if TYPE_CHECKING:
    from core.geometry.rigid import Rigid


class Start(StrEnum):
    """Where each frame starts."""

    STORED = "stored"
    PREVIOUS = "previous"
    SEARCH = "search"


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
MethodName = Annotated[str, typer.Option("--method", help="gauss-newton, veriserum or xvr (docs/methods.md).")]
ParametersChoice = Annotated[Parameters, typer.Option(help="With --method xvr: the numbers that move a pose.")]
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


def register(
    study: StudyPath,
    trial: TrialName,
    body: BodyNames,
    frames: FramesText = None,
    start: Annotated[
        Start,
        typer.Option(help="Each frame's stored pose, the previous frame's result, or none: search from the shadows."),
    ] = Start.STORED,
    prior_deg: Annotated[
        float | None,
        typer.Option(min=1.0, max=180.0, help="With --start search: rotations within so many deg of the stored pose."),
    ] = None,
    method: MethodName = "gauss-newton",
    parameters: ParametersChoice = Parameters.TANGENT,
    device: DeviceChoice = Device.AUTO,
    jobs: Annotated[
        int, typer.Option(min=0, help="Frames worked at the same time; 0: as many as there are cores.")
    ] = 0,
    replace_accepted: ReplaceFlag = False,
    as_json: JsonFlag = False,
) -> int:
    """Register frames; several bodies are fitted jointly. Results are stored with the status auto."""
    chosen = check_device(device)
    if prior_deg is not None and start is not Start.SEARCH:
        raise RegistrationError("--prior-deg belongs to --start search: other starts keep to their pose by themselves")
    if start is Start.SEARCH and method != "gauss-newton":
        raise RegistrationError("--start search ends with gauss-newton; register again with another --method")
    with _opened(study, trial, tuple(body), replace_accepted, method, parameters) as job:
        wanted = chosen_frames(job.file.study.trial(trial), frames)
        if start is Start.SEARCH:
            _register_search(job, wanted, jobs or usable_cores(), prior_deg)
        elif start is Start.STORED:
            _register_stored(job, wanted, jobs or usable_cores(), chosen)
        else:
            _register_previous(job, wanted)
        return report(job, as_json)


def track(
    study: StudyPath,
    trial: TrialName,
    body: BodyNames,
    from_frame: Annotated[int, typer.Option(help="Frame whose stored poses are the start.")],
    frames: FramesText = None,
    method: MethodName = "gauss-newton",
    parameters: ParametersChoice = Parameters.TANGENT,
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
    with _opened(study, trial, tuple(body), replace_accepted, method, parameters) as job:
        known = job.file.study.trial(trial)
        known.index_of(from_frame)
        wanted = chosen_frames(known, frames)
        _track_both_ways(job, wanted, from_frame, stop_when_lost, usable_cores())
        return report(job, as_json)


def check_device(device: Device) -> Device:
    """What is to compute: CUDA where it is asked for, or with auto where Warp sees it.

    Raises:
        DeviceError: CUDA is asked for and is not there.
    """
    from core.rendering import warp_device

    return Device(warp_device.check_device(device.value))


def _opened(
    study: os.PathLike[str],
    trial: str,
    names: tuple[str, ...],
    replace_accepted: bool,
    method: str,
    parameters: Parameters,
) -> "OpenJob":
    from core.registration.methods import method_named
    from core.registration.published import XvrSchedule
    from core.registration.recipe import Recipe

    recipe = Recipe(xvr=XvrSchedule(parameters=parameters))
    return OpenJob(study, trial, names, replace_accepted, method_named(method).id, recipe)


def _one(job: Job, frame: int, starts: "Sequence[Rigid]") -> Row:
    """Register one frame; what is wrong with its pictures becomes its result."""
    from core.registration.methods import register_by
    from core.registration.values import Problem, finish

    try:
        problem = Problem(bodies=job.bodies, shots=job.arrays.shots(job.trial, frame))
        return Row(frame=frame, solution=finish(register_by(job.method, problem, starts, job.recipe)))
    except DuoscopeError as error:
        return Row(frame=frame, solution=None, error=str(error))


def _register_stored(job: Job, frames: Sequence[int], workers: int, device: Device) -> None:
    starts: dict[int, tuple[Rigid, ...]] = {}
    for frame in frames:
        stored = job.stored(frame)
        if stored is None:
            missing = " and ".join(job.names)
            job.rows.append(Row(frame=frame, solution=None, error=f"no stored pose of {missing} to start from"))
        else:
            starts[frame] = stored
    if not starts:
        raise RegistrationError(
            f"none of the frames has a stored pose of {' and '.join(job.names)} to start from; place the bodies in the "
            "window, or import poses (main.py poses import)"
        )
    if device is Device.CUDA and job.method == "gauss-newton":
        _register_on_card(job, starts, workers)
        return
    with progress("registering", len(starts)) as advance, ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(_one, job, frame, start): frame for frame, start in starts.items()}
        for done, row in enumerate(as_they_come(running), start=1):
            job.take(row, f"register frame {row.frame}")
            advance(done, f"frame {row.frame}")


def _register_on_card(job: Job, starts: "Mapping[int, tuple[Rigid, ...]]", workers: int) -> None:
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
                    job.take(Row(frame=frame, solution=None, error=str(error)), f"register frame {frame}")
            loaded = list(problems)
            work = register_batch(
                list(problems.values()), [starts[frame] for frame in loaded], device=Device.CUDA.value, workers=workers
            )
            for step in work:
                if step.index is not None:
                    frame = loaded[step.index]
                    job.take(Row(frame=frame, solution=step.solution), f"register frame {frame}")
                advance(first + step.fraction * len(loaded), step.stage)


def _register_search(job: Job, frames: Sequence[int], workers: int, prior_deg: float | None) -> None:
    """Find the bodies in each frame from drawn regions, or from what is dark."""
    with progress("searching", len(frames)) as advance, ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(_found, job, frame, prior_deg): frame for frame in frames}
        for done, row in enumerate(as_they_come(running), start=1):
            job.take(row, f"find the bodies in frame {row.frame}")
            advance(done, f"frame {row.frame}")


def _found(job: Job, frame: int, prior_deg: float | None) -> Row:
    from core.imaging.metal import mask_of_polygon
    from core.initialisation.search import BodyMasks, find_poses
    from core.registration.values import Problem, finish

    study = job.file.study
    try:
        shots = job.arrays.shots(job.trial, frame)
        masks: list[BodyMasks | None] = []
        for name in job.names:
            drawn = [study.region(job.trial, plane, frame, name) for plane in range(len(shots))]
            of_body = tuple(
                None if region is None else mask_of_polygon(region.corners_px, shot.usable.shape)
                for region, shot in zip(drawn, shots, strict=True)
            )
            masks.append(of_body if any(mask is not None for mask in of_body) else None)
        prior = None
        if prior_deg is not None:
            prior = _nearest_stored(job, frame)
        problem = Problem(bodies=job.bodies, shots=shots)
        work = find_poses(problem, masks, prior=prior, prior_deg=prior_deg, registration=job.recipe)
        return Row(frame=frame, solution=finish(work))
    except DuoscopeError as error:
        return Row(frame=frame, solution=None, error=str(error))


def _nearest_stored(job: Job, frame: int) -> "tuple[Rigid, ...]":
    """Stored poses of the frame, or of the nearest frame that has them.

    Raises:
        RegistrationError: no frame has them.
    """
    for other in sorted(job.file.study.trial(job.trial).frames, key=lambda number: abs(number - frame)):
        stored = job.stored(other)
        if stored is not None:
            return stored
    raise RegistrationError(f"no frame has a stored pose of {' and '.join(job.names)} to be the prior of --prior-deg")


def _register_previous(job: Job, frames: Sequence[int]) -> None:
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


def _track_both_ways(job: Job, wanted: Sequence[int], from_frame: int, stop_when_lost: bool, workers: int) -> None:
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
        job.recipe,
        stop_when_lost=stop_when_lost,
        workers=workers,
        method=job.method,
    )
    left = {*onward, *backward}  # the frame that both ways begin with may not be wanted
    with progress("tracking", len(left)) as advance, closing(work):
        for report in work:
            result = report.result
            if result is None or result.frame not in left:
                continue
            left.remove(result.frame)
            action = f"track to frame {result.frame}"
            job.take(Row(frame=result.frame, solution=result.solution, error=result.error), action)
            advance(len(onward) + len(backward) - len(left), f"frame {result.frame}")
