"""The document that is edited: a study and the proposals waiting for a person's decision, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self, final

from core.geometry.rigid import Rigid
from core.study.values import PoseKey, PoseRecord, PoseStatus, Region, RegionKey, Study

JUDGED = frozenset({PoseStatus.ACCEPTED, PoseStatus.MANUAL})
"""Poses of these statuses carry a person's judgement; nothing automatic replaces them silently."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One of several poses that explain the pictures about equally well."""

    record: PoseRecord
    view_scores: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """An automatic result that waits to be accepted or rejected."""

    record: PoseRecord
    """What will be stored when it is accepted (then with the status accepted)."""
    view_scores: tuple[float, ...]
    old_pose: Rigid
    """Where the body was when the work began: shown as a ghost."""
    old_scores: tuple[float, ...]
    """Of the old pose in each view; empty where it was not scored."""
    trusted: bool
    """Whether the registration itself raises no doubt."""
    candidates: tuple[Candidate, ...] = ()
    """Where the pictures allow several poses: all of them, the best first; empty where there is one only."""
    chosen: int = 0
    """Which candidate is shown, and stored when the proposal is accepted."""

    @property
    def score(self) -> float:
        """Mean of the view scores; 0 without any."""
        return 0.0 if self.record.score is None else self.record.score

    @property
    def others(self) -> tuple[Rigid, ...]:
        """Poses of the candidates that are not shown."""
        return tuple(one.record.world_from_body for at, one in enumerate(self.candidates) if at != self.chosen)

    def choosing(self, index: int) -> Self:
        """The same proposal with another candidate shown."""
        candidate = self.candidates[index]
        return replace(self, record=candidate.record, view_scores=candidate.view_scores, chosen=index)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """Everything that undo and redo restore, and the study it belongs to."""

    study: Study
    proposals: Mapping[PoseKey, Proposal] = field(default_factory=lambda: MappingProxyType({}))

    def with_poses(self, changes: Mapping[PoseKey, PoseRecord | None]) -> Self:
        """The document with stored poses replaced (a record) or removed (None).

        A proposal for a changed pose is settled by the change and goes.
        """
        left = {key: value for key, value in self.proposals.items() if key not in changes}
        return replace(self, study=self.study.with_poses(changes), proposals=MappingProxyType(left))

    def with_proposals(self, changes: Mapping[PoseKey, Proposal | None]) -> Self:
        """The document with proposals added or replaced (a proposal) or dropped (None)."""
        after = dict(self.proposals)
        for key, proposal in changes.items():
            if proposal is None:
                after.pop(key, None)
            else:
                after[key] = proposal
        return replace(self, proposals=MappingProxyType(after))

    def with_regions(self, changes: Mapping[RegionKey, Region | None]) -> Self:
        """The document with regions drawn (a region) or removed (None)."""
        return replace(self, study=self.study.with_regions(changes))

    def restored(self, earlier: "Document") -> "Document":
        """This study with the poses, proposals and regions of another moment."""
        study = replace(self.study, poses=earlier.study.poses, regions=earlier.study.regions)
        return replace(self, study=study, proposals=earlier.proposals)

    def proposals_of(self, trial: str, body: str) -> dict[int, Proposal]:
        """Frame number to proposal for one body of one trial, in order of frame."""
        found = {k.frame: p for k, p in self.proposals.items() if k.trial == trial and k.body == body}
        return dict(sorted(found.items()))


def pose_changes(before: Document, after: Document) -> dict[PoseKey, PoseRecord | None]:
    """What was stored (a record) or removed (None) between two documents of one study."""
    old, new = before.study.poses.by_key, after.study.poses.by_key
    if old is new:
        return {}
    changed: dict[PoseKey, PoseRecord | None] = {key: None for key in old if key not in new}
    changed |= {key: record for key, record in new.items() if old.get(key) is not record}
    return changed


def region_changes(before: Document, after: Document) -> dict[RegionKey, Region | None]:
    """What regions were drawn (a region) or removed (None) between two documents of one study."""
    if before.study.regions is after.study.regions:
        return {}
    old = {region.key: region for region in before.study.regions}
    new = {region.key: region for region in after.study.regions}
    changed: dict[RegionKey, Region | None] = {key: None for key in old if key not in new}
    changed |= {key: region for key, region in new.items() if old.get(key) != region}
    return changed
