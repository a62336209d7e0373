"""The frames: timeline, playing, the next one that wants a look, the next body."""

from typing import final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.commands.edits import is_risky
from app.presenters.pictures import Pictures
from app.presenters.session import Session
from app.state.appearance import Appearance
from app.views.panels.colours import FrameState
from app.views.panels.timeline import Lane, Timeline
from core.registration.values import Outcome
from core.study.values import PoseKey, PoseRecord, Trial

FRAMES_PER_SECOND = 15
DEFAULT_RISK = 0.10
"""Above this chance of an error over 1 mm or 1 deg a frame wants a look."""
_LOW_SCORE = 0.5
"""A stored automatic or imported pose that scores less wants a look."""


@final
class Frames(QObject):
    """Binds the timeline and fulfils the deeds about frames.

    Signals:
        risk_limit_changed(): another risk above which a frame is in doubt.
    """

    risk_limit_changed = Signal()

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        pictures: Pictures,
        timeline: Timeline,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._pictures = pictures
        self._timeline = timeline
        self._shown: Trial | None = None
        self._player = QTimer(self)
        self._player.setInterval(round(1000 / FRAMES_PER_SECOND))
        self._player.timeout.connect(self._play_on)
        timeline.frame_requested.connect(session.selector.select_frame)
        timeline.risk_limit_changed.connect(self._on_risk_limit)
        timeline.set_risk_limit(self.risk_limit)

    @property
    def risk_limit(self) -> float:
        """The risk (0..1) above which a frame is in doubt."""
        return self._session.preferences.number("risk_limit", DEFAULT_RISK)

    @property
    def playing(self) -> bool:
        """Whether the sequence plays."""
        return self._player.isActive()

    def refresh(self) -> None:
        """Show frames, lanes and the place."""
        trial = self._session.trial
        if trial is not self._shown:
            self._shown = trial
            self._timeline.set_frames(() if trial is None else trial.frames)
        if trial is not None:
            self._timeline.set_lanes([self._lane(trial, name) for name in self._ordered_bodies()])
        self.refresh_place()

    def refresh_place(self) -> None:
        """Show the selected frame only; cheap."""
        self._timeline.set_current(self._session.selection.frame)

    def step(self, by: int) -> None:
        """Some frames on or back, not beyond the ends."""
        trial, frame = self._session.trial, self._session.selection.frame
        if trial is not None and frame is not None:
            at = min(max(trial.index_of(frame) + by, 0), len(trial.frames) - 1)
            self._session.selector.select_frame(trial.frames[at])

    def first(self) -> None:
        """The first frame."""
        trial = self._session.trial
        if trial is not None:
            self._session.selector.select_frame(trial.frames[0])

    def last(self) -> None:
        """The last frame."""
        trial = self._session.trial
        if trial is not None:
            self._session.selector.select_frame(trial.frames[-1])

    def play(self) -> None:
        """Start playing, from the beginning at the end; or stop."""
        trial = self._session.trial
        if self._player.isActive() or trial is None:
            self._stop()
            return
        if self._session.selection.frame == trial.frames[-1]:
            self.first()
        self._player.start()
        self._timeline.set_playing(True)

    def next_doubtful(self) -> None:
        """The next frame, around the end, where the active body wants a look."""
        trial, body, frame = self._session.trial, self._session.selection.body, self._session.selection.frame
        if trial is None or body is None or frame is None:
            return
        at = trial.index_of(frame)
        for number in (*trial.frames[at + 1 :], *trial.frames[:at]):
            if self._is_doubtful(PoseKey(trial.name, body, number)):
                self._session.selector.select_frame(number)
                return
        self._session.messages.info(f"No other frame of {body} wants a look.")

    def next_risky(self) -> None:
        """The next frame, around the end, whose pose of the active body has more risk than the limit."""
        trial, body, frame = self._session.trial, self._session.selection.body, self._session.selection.frame
        if trial is None or body is None or frame is None:
            return
        at = trial.index_of(frame)
        for number in (*trial.frames[at + 1 :], *trial.frames[:at]):
            record = self._record(PoseKey(trial.name, body, number))
            if record is not None and is_risky(record, self.risk_limit):
                self._session.selector.select_frame(number)
                return
        self._session.messages.info(f"No other frame of {body} has a risk above {100 * self.risk_limit:.0f} %.")

    def next_body(self, by: int) -> None:
        """Make the next body in the study's order the active one."""
        names, active = self._session.body_names, self._session.selection.body
        if names:
            at = names.index(active) if active in names else -by
            self._session.selector.select_body(names[(at + by) % len(names)])

    def _play_on(self) -> None:
        trial, frame = self._session.trial, self._session.selection.frame
        if trial is None or frame is None or frame == trial.frames[-1]:
            self._stop()
        elif not self._pictures.loading:
            self.step(1)

    def _stop(self) -> None:
        self._player.stop()
        self._timeline.set_playing(False)

    def _ordered_bodies(self) -> tuple[str, ...]:
        active = self._session.selection.body
        names = self._session.body_names
        return tuple(sorted(names, key=lambda name: name != active))

    def _lane(self, trial: Trial, body: str) -> Lane:
        keys = [PoseKey(trial.name, body, frame) for frame in trial.frames]
        records = [self._record(key) for key in keys]
        return Lane(
            name=body,
            colour=self._appearance.body(body).colour,
            states=tuple(self._state(key) for key in keys),
            scores=np.array([np.nan if one is None or one.score is None else one.score for one in records]),
            risks=np.array([np.nan if one is None or one.risk is None else one.risk for one in records]),
        )

    def _record(self, key: PoseKey) -> PoseRecord | None:
        """What is proposed, else what is stored."""
        document = self._session.document
        if document is None:
            return None
        proposal = document.proposals.get(key)
        return document.study.poses.get(key) if proposal is None else proposal.record

    def _state(self, key: PoseKey) -> FrameState:
        document, record = self._session.document, self._record(key)
        if document is None or record is None:
            return FrameState.UNTOUCHED
        proposal, risky = document.proposals.get(key), is_risky(record, self.risk_limit)
        if proposal is not None:
            failed = record.outcome in {Outcome.OUT_OF_VIEW.value, Outcome.NO_CONTRAST.value}
            doubt = FrameState.FAILED if failed else FrameState.DOUBTFUL
            return FrameState.PROPOSED if proposal.trusted and not risky else doubt
        state = FrameState(record.status.value)
        return FrameState.UNSURE if state is FrameState.AUTO and risky else state

    def _is_doubtful(self, key: PoseKey) -> bool:
        document = self._session.document
        if document is None:
            return False
        proposal = document.proposals.get(key)
        if proposal is not None:
            return not proposal.trusted or is_risky(proposal.record, self.risk_limit)
        return _wants_a_look(document.study.poses.get(key), self.risk_limit)

    def _on_risk_limit(self, limit: float) -> None:
        self._session.preferences.put("risk_limit", limit)
        self.refresh()
        self.risk_limit_changed.emit()


def _wants_a_look(record: PoseRecord | None, risk_limit: float) -> bool:
    if record is None:
        return True
    state = FrameState(record.status.value)
    if state in {FrameState.ACCEPTED, FrameState.MANUAL}:
        return False
    if state is FrameState.REJECTED:
        return True
    doubted = record.outcome not in {"", Outcome.CONVERGED.value}
    return doubted or is_risky(record, risk_limit) or (record.score is not None and record.score < _LOW_SCORE)
