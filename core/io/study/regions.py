"""What is drawn around shadows, checked against the study and told to the journal."""

from collections.abc import Mapping

from core.errors import StudyError
from core.io.study.as_json import calibration_hash, region_as_json
from core.io.study.journal import Change, Kind
from core.study.values import Region, RegionKey, Study


def region_changes(study: Study, changes: Mapping[RegionKey, Region | None]) -> list[Change]:
    """The journal's rows for regions that are replaced or removed.

    Raises:
        StudyError: a region of an unknown trial, view, frame or body.
    """
    for key in changes:
        _refuse_stranger(study, key)
    hashes = {name: calibration_hash(study.trial(name)) for name in {key.trial for key in changes}}
    return [
        Change(
            kind=Kind.REGION,
            trial=key.trial,
            body=key.body,
            frame=key.frame,
            before=None if (before := study.region(*key)) is None else region_as_json(before),
            after=None if after is None else region_as_json(after),
            calibration=hashes[key.trial],
        )
        for key, after in changes.items()
    ]


def _refuse_stranger(study: Study, key: RegionKey) -> None:
    trial = study.trial(key.trial)
    trial.index_of(key.frame)
    study.body(key.body)
    if not 0 <= key.plane < len(trial.views):
        raise StudyError(f"trial {key.trial!r} has {len(trial.views)} view(s), so there is no view {key.plane}")
