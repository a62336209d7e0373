"""Fulfils the deeds about poses and about automatic work, for the action table."""

from typing import final

from app.presenters.automatic import Automatic
from app.presenters.dialogs import Dialogs
from app.presenters.hands import Hands
from app.presenters.method_choice import MaskSource, MethodChoice
from app.presenters.pose_editor import PoseEditor
from app.presenters.pose_numbers import PoseNumbers
from app.presenters.proposals import Proposals
from app.presenters.regions import Regions
from app.presenters.session import Session
from core.errors import PoseError


@final
class PoseDeedsOfWindow:
    """The active body's pose."""

    def __init__(self, session: Session, editor: PoseEditor, numbers: PoseNumbers, hands: Hands) -> None:
        self._session = session
        self._editor = editor
        self._numbers = numbers
        self._hands = hands

    def undo(self) -> None:
        """Take the last change back."""
        self._editor.abandon()
        self._session.history.undo()

    def redo(self) -> None:
        """Do it again."""
        self._editor.abandon()
        self._session.history.redo()

    def nudge(self, move: tuple[int, int, int], turn: tuple[int, int, int]) -> None:
        """One step along and about the axes right, down, away of the active view."""
        self._hands.nudge(move, turn)

    def copy(self) -> None:
        """Remember the pose."""
        if self._editor.copy():
            self._session.messages.status.emit("Pose copied")

    def paste(self) -> None:
        """Use the remembered pose."""
        self._editor.paste()

    def reset(self) -> None:
        """Back to the pose of the nearest other frame."""
        self._editor.reset()

    def remove(self) -> None:
        """Remove the stored pose."""
        self._editor.remove()

    def mirror(self) -> None:
        """The pose that one view cannot tell from this one."""
        if not self._editor.mirror():
            self._session.messages.info("This body is not nearly symmetric, so it has no mirrored pose to try.")

    def place(self) -> None:
        """Put the body in the middle of the views."""
        self._editor.place()

    def change_step(self, direction: int) -> None:
        """The next larger or smaller step."""
        self._numbers.change_step(direction)

    def pick_pivot(self) -> None:
        """Turn about the point that is clicked next."""
        self._hands.pick_pivot()

    def centre_pivot(self) -> None:
        """Turn about the body's centre."""
        body = self._session.selection.body
        if body is not None:
            self._editor.centre_pivot(body)


@final
class RegisterDeedsOfWindow:
    """Registration, tracking, proposals."""

    def __init__(
        self,
        session: Session,
        automatic: Automatic,
        choice: MethodChoice,
        regions: Regions,
        proposals: Proposals,
        editor: PoseEditor,
        dialogs: Dialogs,
    ) -> None:
        self._session = session
        self._automatic = automatic
        self._choice = choice
        self._regions = regions
        self._proposals = proposals
        self._editor = editor
        self._dialogs = dialogs

    def register(self) -> None:
        """Register the chosen bodies in this frame."""
        self._editor.abandon()
        self._automatic.register(self._session.chosen_bodies(), self._choice.method)

    def register_jointly(self) -> None:
        """Register all bodies of the study in this frame together."""
        self._editor.abandon()
        every = tuple(name for name in self._session.body_names if name in self._session.bodies)
        self._automatic.register(every, self._choice.method)

    def find(self) -> None:
        """Find the chosen bodies from the shadows in this frame, without a pose."""
        self._editor.abandon()
        bodies = self._session.chosen_bodies()
        drawn = self._choice.masks is MaskSource.DRAWN
        masks = self._regions.masks_of(bodies) if drawn else (None,) * len(bodies)
        self._automatic.find(bodies, masks, self._choice.prior_deg)

    def find_options(self) -> None:
        """Show what finding can be told."""
        self._choice.open_options()

    def draw_region(self) -> None:
        """Outline the active body's shadow in the active view by hand."""
        self._regions.draw()

    def propose_region(self) -> None:
        """Outline a dark shadow of the active view for the active body."""
        self._regions.propose()

    def remove_region(self) -> None:
        """Remove the active body's region in the active view."""
        self._regions.remove()

    def next_candidate(self, step: int) -> None:
        """Show another of the poses that fit equally well."""
        self._proposals.next_candidate(step)

    def track(self, direction: int) -> None:
        """Track the chosen bodies from this frame to the end or the beginning."""
        trial, frame = self._session.trial, self._session.selection.frame
        if trial is None or frame is None:
            return
        at = trial.index_of(frame)
        frames = trial.frames[at:] if direction > 0 else tuple(reversed(trial.frames[: at + 1]))
        self._start_track(frames)

    def track_range(self) -> None:
        """Ask for a range of frames and track the chosen bodies through it, away from the selected frame."""
        trial, frame = self._session.trial, self._session.selection.frame
        if trial is None or frame is None:
            return
        text = self._dialogs.text(
            "Track a range",
            f"Frames FROM:TO, both ends included ({trial.frames[0]} to {trial.frames[-1]}); "
            "tracking runs from the first to the second:",
            f"{frame}:{trial.frames[-1]}",
        )
        if text:
            self._start_track(frames_between(trial.frames, text))

    def cancel(self) -> None:
        """Stop what runs, at once."""
        self._automatic.cancel()

    def accept(self) -> None:
        """Store the proposals of this frame."""
        self._proposals.accept()

    def reject(self) -> None:
        """Drop the proposals of this frame."""
        self._proposals.reject()

    def accept_good(self) -> None:
        """Store all proposals above the score."""
        self._proposals.accept_good()

    def reject_all(self) -> None:
        """Drop all proposals of the trial."""
        self._proposals.reject_all()

    def _start_track(self, frames: tuple[int, ...]) -> None:
        self._editor.abandon()
        if len(frames) < 2:
            self._session.messages.info("There is no frame to track to in that direction.")
            return
        self._automatic.track(
            self._session.chosen_bodies(),
            frames,
            self._choice.method,
            stop_when_lost=self._choice.stops_when_lost,
        )


def frames_between(frames: tuple[int, ...], text: str) -> tuple[int, ...]:
    """Frame numbers of FROM:TO in that order; descending where FROM is the later one.

    Raises:
        PoseError: the text is no range, or it holds no frame of the trial.
    """
    first, _, last = text.partition(":")
    try:
        start, end = int(first), int(last)
    except ValueError:
        raise PoseError(f"{text!r} is no range of frames; write two numbers with a colon, e.g. 12:40") from None
    low, high = min(start, end), max(start, end)
    found = tuple(frame for frame in frames if low <= frame <= high)
    if not found:
        raise PoseError(f"the trial has no frames from {low} to {high}; it has {frames[0]} to {frames[-1]}")
    return found if start <= end else tuple(reversed(found))
