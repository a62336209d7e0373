"""Edits as functions from one document to the next; none of them touches what it was given."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from app.state.document import JUDGED, Document, Proposal
from core.geometry.rigid import Rigid
from core.study.values import PoseKey, PoseRecord, PoseStatus


def moved_by_hand(document: Document, poses: Mapping[PoseKey, Rigid], *, author: str, method: str) -> Document:
    """Store poses that a person set; proposals for them are settled."""
    return document.with_poses(
        {
            key: PoseRecord(
                world_from_body=pose, status=PoseStatus.MANUAL, author=author, method=method, created_at=now()
            )
            for key, pose in poses.items()
        }
    )


def without_poses(document: Document, keys: Iterable[PoseKey]) -> Document:
    """Remove stored poses: the frames are untouched again."""
    return document.with_poses({key: None for key in keys if document.study.poses.get(key) is not None})


def proposed(document: Document, proposals: Mapping[PoseKey, Proposal]) -> Document:
    """Let proposals wait for a decision; nothing stored is changed."""
    return document.with_proposals(dict(proposals))


def accepted(document: Document, keys: Iterable[PoseKey], *, author: str) -> Document:
    """Store the proposals of the keys as accepted by a person."""
    changes: dict[PoseKey, PoseRecord | None] = {
        key: replace(document.proposals[key].record, status=PoseStatus.ACCEPTED, author=author, created_at=now())
        for key in keys
        if key in document.proposals
    }
    return document.with_poses(changes)


def rejected(document: Document, keys: Iterable[PoseKey]) -> Document:
    """Drop proposals; what is stored stays."""
    return document.with_proposals(dict.fromkeys(keys))


def good_proposals(document: Document, trial: str, least_score: float, most_risk: float = 1.0) -> tuple[PoseKey, ...]:
    """Proposals of a trial that score so much, raised no doubt and have no more risk, in order of frame."""
    good = [
        key
        for key, proposal in document.proposals.items()
        if key.trial == trial
        and proposal.trusted
        and proposal.score >= least_score
        and not is_risky(proposal.record, most_risk)
    ]
    return tuple(sorted(good, key=lambda key: (key.frame, key.body)))


def is_risky(record: PoseRecord, limit: float) -> bool:
    """Whether the chance of an error above 1 mm or 1 deg is known and exceeds the limit (0..1)."""
    risk = record.risk
    return risk is not None and risk > limit


def judged(document: Document, keys: Iterable[PoseKey]) -> tuple[PoseKey, ...]:
    """Those keys whose stored pose a person set or accepted."""
    found = []
    for key in keys:
        record = document.study.poses.get(key)
        if record is not None and record.status in JUDGED:
            found.append(key)
    return tuple(found)


def difference(one: Rigid, other: Rigid, pivot_mm: np.ndarray) -> tuple[float, float]:
    """How far a body-frame point moves (mm) and the body turns (deg) between two poses."""
    shift = one.apply(pivot_mm[None])[0] - other.apply(pivot_mm[None])[0]
    return float(np.linalg.norm(shift)), float(one.angle_deg_to(other))


def now() -> str:
    """The moment as ISO 8601 in UTC."""
    return datetime.now(tz=UTC).isoformat(timespec="milliseconds")
