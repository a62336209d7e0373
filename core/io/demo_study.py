"""The demo study: a simulated walk made once on this computer, copied afresh each time it is asked for.

Its first frame has poses that are visibly off, by hand as it were, to be dragged or registered; the frames
after it have none, so that tracking has something to do.
"""

import logging
import shutil
from collections.abc import Generator
from datetime import UTC, datetime
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
VERSION = 2
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

    With ``reset`` each call gives a fresh copy; a last copy on which somebody worked is kept beside it as
    ``demo before <time>.study``. Without, the last copy itself is given. The copy that the program never
    touches lies beside them under a versioned name.

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
        _put_away(working, pristine)
    with StudyFile.open(pristine, read_only=True) as study:
        return study.copy_to(working)


def _make(pristine: Path) -> Generator[Progress, None, None]:
    draft = pristine.with_name("being-made.study")
    with told(draft):
        shutil.rmtree(draft, ignore_errors=True)
    yield from write_simulated_study(
        draft,
        name="Demo knee",
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


def _put_away(working: Path, pristine: Path) -> None:
    """Make room for a fresh copy: keep a last copy that was worked on, remove an untouched one."""
    if (working / DATABASE).exists():
        try:
            if _steps(working) != _steps(pristine):
                moment = datetime.now(UTC).strftime("%Y-%m-%d %H.%M.%S")
                with told(working):
                    working.rename(working.with_name(f"demo before {moment}.study"))
                return
        except StudyLockedError as error:
            raise StudyLockedError(f"the demo study is open elsewhere: {error}") from error
        except StudyError as error:
            _LOG.warning("the last copy of the demo study is replaced although it cannot be read: %s", error)
    with told(working):
        shutil.rmtree(working)


def _steps(folder: Path) -> int:
    """How many changes a study's journal holds; nobody else may have it open for writing."""
    with StudyFile.open(folder, read_only=folder.name != "demo.study") as study:
        return len(study.journal())
