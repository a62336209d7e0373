"""Registration and tracking: starts the jobs, shows the bodies moving, turns results into proposals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from PySide6.QtCore import QObject, Signal

from app.commands.edits import now, proposed
from app.presenters.candidates import candidates_of
from app.presenters.session import Session
from app.state.document import Proposal
from app.state.live import Origin
from app.workers.jobs import Asked, Moving, Registered, find, follow, register
from app.workers.runner import Runner
from app.workers.time_left import TimeLeft
from core.geometry.rigid import Rigid
from core.initialisation.search import BodyMasks
from core.io.software import SOFTWARE
from core.registration.methods import DEFAULT
from core.registration.recipe import Recipe
from core.registration.record import records_of
from core.study.values import PoseKey, PoseRecord

_UNKNOWN_YET = frozenset({Origin.PLACED})
"""Poses of this origin say nothing about where a body is."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is, for the status line and the bars."""

    title: str
    fraction: float
    detail: str
    left: str
    cost: float
    frame: int


@final
class Automatic(QObject):
    """Runs one job at a time for the window.

    Signals:
        progressed(Progress): at most ten times a second.
        busy_changed(bool): a job began or ended.
        frame_done(PoseKey): a proposal was added.
        ended(): a job came to its end by itself.
    """

    progressed = Signal(object)
    busy_changed = Signal(bool)
    frame_done = Signal(object)
    ended = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = Runner(self)
        self._left = TimeLeft()
        self._asked: Asked | None = None
        self._title = ""
        self._run = 0
        self._doubtful = 0
        self._done = 0
        self.costs: list[float] = []
        self._runner.reported.connect(self._on_report)
        self._runner.finished.connect(self._on_end)
        self._runner.failed.connect(self._on_failure)
        self._runner.cancelled.connect(self._on_cancel)
        self._runner.busy_changed.connect(self.busy_changed)

    @property
    def title(self) -> str:
        """What runs."""
        return self._title

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._runner.busy

    def register(self, bodies: Sequence[str], method: str = DEFAULT) -> None:
        """Register bodies jointly in the selected frame, from where they are shown."""
        trial, frame = self._session.selection.trial, self._session.selection.frame
        starts = None if frame is None else self._shown_at(bodies, frame)
        if trial is None or frame is None or starts is None:
            return
        asked = Asked(
            trial=trial,
            bodies=tuple(bodies),
            frames=(frame,),
            starts={frame: starts},
            recipe=Recipe(),
            method=method,
        )
        arrays = self._session.arrays
        self._begin(asked, f"Registering {' and '.join(bodies)} in frame {frame}")
        self._runner.start(self._title, lambda: register(arrays, asked), keep=_is_result)

    def find(self, bodies: Sequence[str], masks: Sequence[BodyMasks | None], prior_deg: float | None = None) -> None:
        """Find bodies in the selected frame from masks of their shadows; no pose is needed.

        With ``prior_deg`` the rotations stay so near to the shown poses, where these mean something.
        """
        trial, frame = self._session.selection.trial, self._session.selection.frame
        if trial is None or frame is None or not bodies:
            return
        starts = self._known_at(bodies, frame)
        if starts is None and prior_deg is not None:
            self._session.messages.info("No pose is known yet to stay near to, so all rotations are tried.")
        asked = Asked(
            trial=trial,
            bodies=tuple(bodies),
            frames=(frame,),
            starts={} if starts is None else {frame: starts},
            recipe=Recipe(),
        )
        arrays, near = self._session.arrays, None if starts is None else prior_deg
        self._begin(asked, f"Finding {' and '.join(bodies)} in frame {frame}")
        self._runner.start(self._title, lambda: find(arrays, asked, masks, near), keep=_is_result)

    def track(
        self, bodies: Sequence[str], frames: Sequence[int], method: str = DEFAULT, *, stop_when_lost: bool = False
    ) -> None:
        """Track bodies through frames, in that order, from where they are shown in the first."""
        trial = self._session.selection.trial
        if trial is None or not frames:
            return
        first = self._shown_at(bodies, frames[0])
        if first is None:
            return
        shown = {frame: poses for frame in frames if (poses := self._stored_at(trial, bodies, frame)) is not None}
        starts = {**self._before(trial, bodies, frames), frames[0]: first}
        asked = Asked(
            trial=trial, bodies=tuple(bodies), frames=tuple(frames), starts=starts, recipe=Recipe(), method=method
        )
        arrays = self._session.arrays
        shown[frames[0]] = first
        self._begin(asked, f"Tracking {' and '.join(bodies)}, frames {frames[0]} to {frames[-1]}")
        self._runner.start(
            self._title, lambda: follow(arrays, asked, shown, stop_when_lost=stop_when_lost), keep=_is_result
        )

    def cancel(self) -> None:
        """Stop at once; frames that are done stay as proposals."""
        self._runner.cancel()

    def touched(self, key: PoseKey) -> None:
        """A person takes hold of a body: a registration of the same frame gives way."""
        asked = self._asked
        if self.busy and asked is not None and len(asked.frames) == 1 and key.frame == asked.frames[0]:
            self.cancel()

    def close(self) -> None:
        """Stop and wait for the threads."""
        self._runner.close()

    def _begin(self, asked: Asked, title: str) -> None:
        self._runner.cancel()
        self._asked, self._title = asked, title
        self._run += 1
        self._done = self._doubtful = 0
        self.costs = []
        self._left.restart()
        self._session.messages.status.emit(f"{title}…")

    def _shown_at(self, bodies: Sequence[str], frame: int) -> tuple[Rigid, ...] | None:
        shown = [self._session.shown(body, frame) for body in bodies]
        found = tuple(item.pose for item in shown if item is not None)
        return found if bodies and len(found) == len(bodies) else None

    def _known_at(self, bodies: Sequence[str], frame: int) -> tuple[Rigid, ...] | None:
        """Where the bodies are shown, unless one was only put into the middle of the views."""
        shown = [self._session.shown(body, frame) for body in bodies]
        found = tuple(item.pose for item in shown if item is not None and item.origin not in _UNKNOWN_YET)
        return found if len(found) == len(bodies) else None

    def _stored_at(self, trial: str, bodies: Sequence[str], frame: int) -> tuple[Rigid, ...] | None:
        document = self._session.document
        if document is None:
            return None
        records = [document.study.poses.get(PoseKey(trial, body, frame)) for body in bodies]
        found = tuple(record.world_from_body for record in records if record is not None)
        return found if len(found) == len(bodies) else None

    def _before(self, trial: str, bodies: Sequence[str], frames: Sequence[int]) -> dict[int, tuple[Rigid, ...]]:
        """The neighbour before the first frame, for the velocity."""
        shown = self._session.trial
        if shown is None or len(frames) < 2:
            return {}
        step = 1 if frames[1] > frames[0] else -1
        at = shown.frames.index(frames[0]) - step
        if not 0 <= at < len(shown.frames):
            return {}
        earlier = shown.frames[at]
        poses = self._stored_at(trial, bodies, earlier)
        return {} if poses is None else {earlier: poses}

    def _on_report(self, report: Moving | Registered) -> None:
        asked = self._asked
        if asked is None:
            return
        if isinstance(report, Registered):
            self._take(report)
            return
        self.costs.append(report.cost)
        keys = [PoseKey(asked.trial, body, report.frame) for body in asked.bodies]
        self._session.live.clear(Origin.RUNNING)
        self._session.live.put(dict(zip(keys, report.poses, strict=True)), Origin.RUNNING)
        self.progressed.emit(
            Progress(
                title=self._title,
                fraction=report.fraction,
                detail=report.stage,
                left=self._left.words(report.fraction),
                cost=report.cost,
                frame=report.frame,
            )
        )

    def _take(self, result: Registered) -> None:
        document = self._session.document
        self._done += 1
        if result.solution is None or document is None:
            self._doubtful += 1
            self._session.messages.warn(f"Frame {result.frame}: {result.error}")
            return
        self._doubtful += not result.solution.outcome.succeeded
        proposals = proposals_of(result, document.study.poses.by_key)
        if len(result.asked.frames) > 1:
            text, merge = f"Track {' and '.join(result.asked.bodies)}", f"run {self._run}"
        else:
            text, merge = f"Register {' and '.join(result.asked.bodies)}", ""
        self._session.history.do(text, proposed(document, proposals), merge=merge)
        self._session.live.clear(Origin.RUNNING)
        for key in proposals:
            self.frame_done.emit(key)

    def _on_end(self, _nothing: object) -> None:
        self._session.live.clear(Origin.RUNNING)
        asked = self._asked
        text = f"{self._title}: done"
        if asked is not None and len(asked.frames) > 1:
            text = f"{self._done} frames tracked, {self._doubtful} in doubt"
            if self._done < len(asked.frames):
                last = asked.frames[max(self._done - 1, 0)]
                self._session.messages.warn(
                    f"Tracking stopped: the bodies were lost in frame {last}. Correct that frame and track on from it."
                )
        self._session.messages.status.emit(text)
        self.ended.emit()

    def _on_failure(self, error: object) -> None:
        self._session.live.clear(Origin.RUNNING)
        self._session.messages.status.emit("")
        self._session.messages.error(f"{self._title} did not work: {error or type(error).__name__}")

    def _on_cancel(self) -> None:
        self._session.live.clear(Origin.RUNNING)
        kept = f"; {self._done} frames done stay as proposals" if self._done else ""
        self._session.messages.status.emit(f"Cancelled{kept}")


def _is_result(report: object) -> bool:
    return isinstance(report, Registered)


def proposals_of(result: Registered, stored: Mapping[PoseKey, PoseRecord]) -> dict[PoseKey, Proposal]:
    """One proposal a body from a frame's result; none where the frame failed."""
    solution = result.solution
    if solution is None:
        return {}
    found = {}
    records = records_of(solution, result.asked.bodies, result.asked.recipe, SOFTWARE, result.asked.method)
    for index, (body, record) in enumerate(zip(result.asked.bodies, records, strict=True)):
        key = PoseKey(result.asked.trial, body, result.frame)
        old = stored.get(key)
        start = result.start[index] if result.start else solution.poses[index]
        dated = replace(record, created_at=now())
        found[key] = Proposal(
            record=dated,
            view_scores=solution.view_scores,
            old_pose=start if old is None else old.world_from_body,
            old_scores=result.start_scores,
            trusted=solution.outcome.succeeded,
            candidates=candidates_of(solution, index, dated, result.rival_scores),
        )
    return found
