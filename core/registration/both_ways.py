"""Track forward and backward from one frame at the same time."""

import threading
from collections.abc import Callable, Generator, Sequence
from typing import final

from core.registration.level import Poses
from core.registration.methods import DEFAULT
from core.registration.recipe import Recipe
from core.registration.sequence import FrameResult, TrackStep, track
from core.registration.together import together
from core.registration.values import Body, Shot

Track = Generator[TrackStep, None, tuple[FrameResult, ...]]


def track_both_ways(
    shots_of: Callable[[int], tuple[Shot, ...]],
    bodies: tuple[Body, ...],
    onward: Sequence[int],
    backward: Sequence[int],
    from_frame: int,
    start: Poses,
    recipe: Recipe | None = None,
    *,
    stop_when_lost: bool = False,
    workers: int = 1,
    method: str = DEFAULT,
) -> Track:
    """Two tracks from one frame; with more than one worker side by side, with the same results to the bit.

    Args:
        shots_of: pictures of a frame number; with more workers it must be safe to be called from any thread.
        bodies: to be tracked jointly.
        onward: frames from ``from_frame`` on, in ascending order, with or without ``from_frame`` itself.
        backward: frames before it, in descending order.
        from_frame: where both tracks begin; each registers it. If it is in ``onward`` the track backward starts from
            what forward found there and does not report it again.
        start: poses at ``from_frame``.
        recipe: as for a single frame.
        stop_when_lost: each track ends at its first doubtful frame instead of flagging it.
        workers: threads; one does everything in the caller's.
        method: id of the registration method.

    Raises:
        RegistrationError: as ``track``.
    """
    handed = _Handover(start)
    shared = bool(onward) and onward[0] == from_frame

    def way(frames: Sequence[int], begin: Poses) -> Track:
        numbers = frames if frames[0] == from_frame else (from_frame, *frames)
        return track(
            shots_of,
            bodies,
            numbers,
            {from_frame: begin},
            recipe,
            stop_when_lost=stop_when_lost,
            workers=workers,
            method=method,
        )

    def forward() -> Track:
        return _handing_over(way(onward, start), from_frame, handed)

    def back() -> Track:
        begin = handed.taken() if shared else start
        return _without(way(backward, begin), from_frame if shared else None)

    ways = [one for one, frames in ((forward, onward), (back, backward)) if frames]
    if workers > 1:
        results = yield from _reports(together(ways))
        return tuple(result for found in results if found is not None for result in found)
    found: list[FrameResult] = []
    for one in ways:
        found += yield from one()
    return tuple(found)


@final
class _Handover:
    """Poses that the track forward finds at the first frame, for the track backward to begin with."""

    def __init__(self, poses: Poses) -> None:
        self._poses = poses
        self._done = threading.Event()

    def give(self, poses: Poses | None) -> None:
        """Say what was found, None for nothing; what is said later is not heard."""
        if not self._done.is_set() and poses is not None:
            self._poses = poses
        self._done.set()

    def taken(self) -> Poses:
        """Wait for them."""
        self._done.wait()
        return self._poses


def _handing_over(work: Track, frame: int, handed: _Handover) -> Track:
    """A track that hands over what it found at a frame, after that was reported."""
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                results: tuple[FrameResult, ...] = end.value
                return results
            yield step
            if step.result is not None and step.frame == frame:
                handed.give(None if step.result.solution is None else step.result.solution.poses)
    finally:
        handed.give(None)  # or who waits would wait for ever
        work.close()


def _without(work: Track, frame: int | None) -> Track:
    """A track whose result at one frame is kept to itself: the other track has reported it."""
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                results: tuple[FrameResult, ...] = end.value
                return tuple(result for result in results if result.frame != frame)
            if step.result is None or step.frame != frame:
                yield step
    finally:
        work.close()


def _reports(
    both: Generator[tuple[int, TrackStep], None, tuple[tuple[FrameResult, ...] | None, ...]],
) -> Generator[TrackStep, None, tuple[tuple[FrameResult, ...] | None, ...]]:
    try:
        while True:
            try:
                step = next(both)[1]
            except StopIteration as end:
                results: tuple[tuple[FrameResult, ...] | None, ...] = end.value
                return results
            yield step
    finally:
        both.close()
