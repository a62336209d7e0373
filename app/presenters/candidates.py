"""The poses that a registration could not tell apart, and the way from one to the next."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.commands.edits import proposed
from app.state.document import Candidate, Document
from core.registration.values import Solution
from core.study.values import PoseKey, PoseRecord

NUMBER = "candidate"
"""Detail of a stored pose that was chosen among several: which one, of how many."""


def candidates_of(
    solution: Solution, index: int, record: PoseRecord, rival_scores: Sequence[tuple[float, ...]]
) -> tuple[Candidate, ...]:
    """The fit and its rivals for one body, the fit first; empty where there are no rivals.

    The fit's covariance and risk say nothing about a rival, so rivals have none.
    """
    if not solution.rivals:
        return ()
    count = 1 + len(solution.rivals)
    found = [Candidate(record=_numbered(record, 1, count), view_scores=solution.view_scores)]
    for at, (poses, scores) in enumerate(zip(solution.rivals, rival_scores, strict=True), start=2):
        details = {name: value for name, value in record.details.items() if name != "risk"}
        rival = replace(
            record,
            world_from_body=poses[index],
            score=float(np.mean(scores)) if scores else None,
            covariance=None,
            details=details,
        )
        found.append(Candidate(record=_numbered(rival, at, count), view_scores=scores))
    return tuple(found)


def next_candidate(document: Document, keys: Sequence[PoseKey], step: int) -> Document | None:
    """The document with the next (or previous) candidate of jointly registered bodies shown; None without any."""
    changes = {}
    for key in keys:
        proposal = document.proposals[key]
        if proposal.candidates:
            changes[key] = proposal.choosing((proposal.chosen + step) % len(proposal.candidates))
    return proposed(document, changes) if changes else None


def _numbered(record: PoseRecord, at: int, count: int) -> PoseRecord:
    return replace(record, details={**record.details, NUMBER: f"{at} of {count}"})
