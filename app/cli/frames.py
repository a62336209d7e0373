"""Frame numbers as people write them: 0:10 (both ends included), 4,8,12, or both."""

from collections.abc import Sequence

from core.errors import StudyError
from core.study.values import Trial


def chosen_frames(trial: Trial, text: str | None) -> tuple[int, ...]:
    """The trial's frames that are asked for, in its order; all of them without a text.

    Raises:
        StudyError: the text is no range or list of numbers, or the trial has none of these frames.
    """
    if text is None or not text.strip():
        return trial.frames
    wanted: set[int] = set()
    for part in text.split(","):
        wanted |= _part(trial, part.strip(), text)
    return tuple(frame for frame in trial.frames if frame in wanted)


def _part(trial: Trial, part: str, text: str) -> set[int]:
    first, colon, last = part.partition(":")
    try:
        if not colon:
            trial.index_of(int(first))
            return {int(first)}
        low = int(first) if first else min(trial.frames)
        high = int(last) if last else max(trial.frames)
    except ValueError:
        raise StudyError(f"{text!r} are no frames; write 0:10 (both ends included) or 4,8,12") from None
    inside = {frame for frame in trial.frames if low <= frame <= high}
    if not inside:
        raise StudyError(
            f"trial {trial.name!r} has no frames in {part}; its frames run from {trial.frames[0]} to {trial.frames[-1]}"
        )
    return inside


def in_tracking_order(frames: Sequence[int], from_frame: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Frames from the given one on, and those before it in descending order."""
    ordered = sorted(frames)
    onward = tuple(frame for frame in ordered if frame >= from_frame)
    return onward, tuple(frame for frame in reversed(ordered) if frame < from_frame)
