"""An action as data: what it is called, its menu and keys, when it is possible and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import final

from app.commands.deeds import Deeds


class Menu(Enum):
    """The menus, in their order; the value is the title."""

    FILE = "&File"
    EDIT = "&Edit"
    VIEW = "&View"
    POSE = "&Pose"
    REGISTER = "&Register"
    REVIEW = "Re&view"
    HELP = "&Help"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What decides which actions are possible now."""

    study: bool = False
    trial: bool = False
    body: bool = False
    stored: bool = False
    """The active body has a stored pose in this frame."""
    proposal: bool = False
    """A proposal waits in this frame."""
    proposals: bool = False
    """A proposal waits somewhere in the trial."""
    candidates: bool = False
    """The proposal of this frame has several poses to choose from."""
    region: bool = False
    """The active body's shadow is outlined in the active view."""
    busy: bool = False
    can_undo: bool = False
    can_redo: bool = False
    clipboard: bool = False
    several: bool = False
    """The study has more than one body."""

    @property
    def posed(self) -> bool:
        """A body is shown that can be moved."""
        return self.trial and self.body


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that can be done: what it is called, where it stands, when it is possible, what it does."""

    id: str
    label: str
    menu: Menu
    run: Callable[[Deeds], None]
    keys: tuple[str, ...] = ()
    tip: str = ""
    icon: str = ""
    when: Callable[[Situation], bool] = lambda _now: True
    group: int = 0
    """A line separates groups in a menu."""
    submenu: str = ""
    checkable: bool = False
    repeats: bool = False
    """Whether holding the key repeats it."""


def with_study(now: Situation) -> bool:
    """The study is open."""
    return now.study


def with_trial(now: Situation) -> bool:
    """A trial is shown."""
    return now.trial


def with_body(now: Situation) -> bool:
    """A body is shown that can be moved."""
    return now.posed


def with_stored(now: Situation) -> bool:
    """The active body has a stored pose here."""
    return now.stored


def when_idle(now: Situation) -> bool:
    """A body is shown and nothing runs."""
    return now.posed and not now.busy


def with_proposal(now: Situation) -> bool:
    """A proposal waits in this frame."""
    return now.proposal


def with_proposals(now: Situation) -> bool:
    """A proposal waits in this trial."""
    return now.proposals


def with_candidates(now: Situation) -> bool:
    """The proposal of this frame has several poses to choose from."""
    return now.candidates


def with_region(now: Situation) -> bool:
    """The active body's shadow is outlined in the active view."""
    return now.region
