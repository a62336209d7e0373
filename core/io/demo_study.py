"""The demo study: a simulated walk made once on this computer, copied afresh each time it is asked for.

Its first frame has poses that are visibly off, by hand as it were, to be dragged or registered; the frames
after it have none, so that tracking has something to do.
"""

import logging
import shutil
from collections.abc import Generator
from pathlib import Path

import numpy as np
import platformdirs

from core.errors import StudyError, StudyLockedError
from core.io.poses_csv import read_poses
from core.io.simulated_study import FEMUR, TIBIA, TRIAL, Progress, write_simulated_study
from core.io.study import StudyFile
from core.io.study.database import DATABASE
from core.io.study.refusals import told
from core.study.values import PoseKey, PoseRecord, PoseStatus

_LOG = logging.getLogger(__name__)
VERSION = 1
"""Counts up whenever the demo changes, so that an older one on the disk is not mistaken for it."""
FRAMES, SIZE_PX, SEED = 12, 768, 4
_FRAMES_PER_CYCLE, _START_PHASE = 70, 0.56
_OFF = {
    FEMUR: np.array([7.0, -5.0, 6.0, *np.radians([5.0, -6.0, 4.0])]),
    TIBIA: np.array([-6.0, 5.0, -5.0, *np.radians([-4.0, 6.0, 3.0])]),
}
"""By how much the first poses are off: millimetres and radians along the world's axes."""
_AUTHOR = "demo"


def demo_home() -> Path:
    """Where the program keeps the demo study of this user."""
    return platformdirs.user_data_path("duoscope", appauthor=False) / "demo"


def ensure_demo_study(folder: Path | None = None, *, reset: bool = True) -> Generator[Progress, None, Path]:
    """The path of a demo study ready to be opened; made first if this user has none yet.

    With ``reset`` each call gives a fresh copy (``demo.study`` is replaced); without, work done on the
    last copy is kept. The copy that the program never touches lies beside it under a versioned name.

    Raises:
        StudyLockedError: the copy is open in another window.
        StorageError: the disk refuses.
    """
    home = demo_home() if folder is None else Path(folder)
    pristine = home / f"pristine-{VERSION}.study"
    with told(home):
        home.mkdir(parents=True, exist_ok=True)
    if not pristine.exists():
        yield from _make(pristine)
    working = home / "demo.study"
    if working.exists():
        if not reset:
            return working
        _remove(working)
    with StudyFile.open(pristine, read_only=True) as study:
        return study.copy_to(working)


def _make(pristine: Path) -> Generator[Progress, None, None]:
    draft = pristine.with_name("being-made.study")
    with told(draft):
        shutil.rmtree(draft, ignore_errors=True)
    yield from write_simulated_study(
        draft,
        frames=FRAMES,
        seed=SEED,
        size_px=SIZE_PX,
        start_phase=_START_PHASE,
        frames_per_cycle=_FRAMES_PER_CYCLE,
    )
    _add_start_poses(draft)
    with StudyFile.open(draft, read_only=True) as study:
        study.copy_to(pristine)
    with told(draft):
        shutil.rmtree(draft)


def _add_start_poses(folder: Path) -> None:
    """Poses of the first frame that are off by what a hurried person leaves."""
    with StudyFile.open(folder, author=_AUTHOR) as study:
        trial = study.study.trial(TRIAL)
        first = trial.frames[0]
        changes = {}
        for body, twist in _OFF.items():
            truth = read_poses(folder / "truth" / f"{body}.csv")[first].world_from_body
            start = truth.perturbed(twist, np.zeros(3))
            changes[PoseKey(TRIAL, body, first)] = PoseRecord(
                world_from_body=start, status=PoseStatus.MANUAL, author=_AUTHOR, method="rough start"
            )
        study.record(changes, author=_AUTHOR, action="place the components roughly")


def _remove(working: Path) -> None:
    """Remove the last copy, whatever state it is in, unless another window works on it."""
    if (working / DATABASE).exists():
        try:
            StudyFile.open(working).close()
        except StudyLockedError as error:
            raise StudyLockedError(f"the demo study is open elsewhere: {error}") from error
        except StudyError as error:
            _LOG.warning("the last copy of the demo study is replaced although it cannot be read: %s", error)
    with told(working):
        shutil.rmtree(working)
