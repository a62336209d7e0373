"""Poses on the move: of a drag or a running registration, not stored yet; and what is shown where."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.state.document import Document
from core.geometry.rigid import Rigid
from core.geometry.view import View, triangulate
from core.study.values import PoseKey, Study


class Origin(Enum):
    """Where a shown pose comes from."""

    STORED = "stored"
    PROPOSED = "proposed"
    BY_HAND = "moved by hand"
    RUNNING = "registration running"
    BORROWED = "no pose here yet: taken from the nearest frame"
    PLACED = "no pose yet: placed in the middle of the views"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """A pose as it is drawn, and the old one beside it where there is one."""

    pose: Rigid
    origin: Origin
    ghost: Rigid | None = None
    others: tuple[Rigid, ...] = ()
    """Poses that fit equally well."""


@final
class LivePoses(QObject):
    """Poses that move now; they win over what the document holds.

    Signals:
        changed(): poses appeared, moved or went.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._poses: dict[PoseKey, tuple[Rigid, Origin]] = {}

    def get(self, key: PoseKey) -> tuple[Rigid, Origin] | None:
        """The moving pose of a body in a frame and who moves it."""
        return self._poses.get(key)

    def moving(self, origin: Origin) -> bool:
        """Whether anything is moved that way."""
        return any(by is origin for _, by in self._poses.values())

    def put(self, poses: Mapping[PoseKey, Rigid], origin: Origin) -> None:
        """Move bodies."""
        self._poses |= {key: (pose, origin) for key, pose in poses.items()}
        self.changed.emit()

    def clear(self, origin: Origin) -> None:
        """Forget what was moved that way."""
        kept = {key: value for key, value in self._poses.items() if value[1] is not origin}
        if len(kept) != len(self._poses):
            self._poses = kept
            self.changed.emit()


def shown_pose(document: Document, live: LivePoses, key: PoseKey, *, centre_mm: np.ndarray) -> Shown:
    """Where a body is drawn in a frame: moving, proposed, stored, or the nearest frame's pose.

    Args:
        document: what is stored and proposed.
        live: what moves.
        key: the body in its frame.
        centre_mm: body-frame point that is put in the middle of the views where no pose exists.
    """
    stored = document.study.poses.get(key)
    proposal = document.proposals.get(key)
    moving = live.get(key)
    if moving is not None:
        pose, origin = moving
        return Shown(pose=pose, origin=origin, ghost=_ghost_of(document, key) if origin is Origin.RUNNING else None)
    if proposal is not None:
        old = None if proposal.others else proposal.old_pose  # beside rivals the old pose would only confuse
        return Shown(pose=proposal.record.world_from_body, origin=Origin.PROPOSED, ghost=old, others=proposal.others)
    if stored is not None:
        return Shown(pose=stored.world_from_body, origin=Origin.STORED)
    nearest = nearest_pose(document.study, key)
    if nearest is not None:
        return Shown(pose=nearest, origin=Origin.BORROWED)
    views = [plane.view for plane in document.study.trial(key.trial).views]
    return Shown(pose=placed_in_the_middle(views, centre_mm), origin=Origin.PLACED)


def _ghost_of(document: Document, key: PoseKey) -> Rigid | None:
    stored = document.study.poses.get(key)
    return None if stored is None else stored.world_from_body


def nearest_pose(study: Study, key: PoseKey) -> Rigid | None:
    """The stored pose of the nearest frame of the same body and trial; None where there is none."""
    found = study.poses.of(key.trial, key.body)
    if not found:
        return None
    frame = min(found, key=lambda number: (abs(number - key.frame), number > key.frame))
    return found[frame].world_from_body


def placed_in_the_middle(views: list[View], centre_mm: np.ndarray) -> Rigid:
    """A pose that shows a body in the middle of every picture, upright as its file has it."""
    middles = np.array([[0.5 * (view.width_px - 1), 0.5 * (view.height_px - 1)] for view in views])
    if len(views) > 1:
        target, _ = triangulate(views, middles)
    else:
        depth = views[0].detector_distance_mm
        target = views[0].point_at_depth(middles[0], 0.75 * depth if depth else 800.0)
    return Rigid(rotation=np.eye(3), translation_mm=target - np.asarray(centre_mm))
