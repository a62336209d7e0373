"""A window on a small study on the disk: three frames of a metal body in two views, with known truth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from app.bootstrap import Built, build_window
from app.state.preferences import Preferences
from core.errors import ImageError
from core.geometry.rigid import Rigid
from core.io.study.file import StudyFile
from core.registration.body import prepare_body
from core.registration.values import Body, Shot
from core.study.values import BodyRecord, FileLink, PoseKey, PoseRecord, PoseStatus, Study, Trial, TrialView
from tests.scenes import implant, lopsided, picture, rig

FRAMES = (10, 11, 12)
TRUTH = {
    frame: Rigid.from_euler([4.0 * at, 20.0 + 5.0 * at, -10.0], [2.0 * at, 3.0, -1.5 * at])
    for at, frame in enumerate(FRAMES)
}
START = TRUTH[10].perturbed([2.0, -1.5, 2.0, *np.radians([2.0, -1.0, 1.5])], np.zeros(3))
KEY = PoseKey("walk", "implant", 10)


def make_study(folder: Path) -> Path:
    """Pictures and a study with a rough pose of the implant in the first frame."""
    pictures = folder / "pictures"
    pictures.mkdir()
    mesh = implant()
    planes = []
    for view in rig():
        links = []
        for frame in FRAMES:
            path = pictures / f"{view.name}_{frame:03d}.tif"
            tifffile.imwrite(path, picture(view, [(mesh, TRUTH[frame], 0.2)], supersample=1))
            links.append(FileLink(path=path))
        planes.append(TrialView(view=view, images=tuple(links), calibration=FileLink(path=pictures / "none")))
    place = folder / "knee.study"
    with StudyFile.create(place, author="Ada") as file:
        file.add_trial(Trial(name="walk", frames=FRAMES, views=tuple(planes)))
        for name in ("implant", "bone"):
            file.add_body(BodyRecord(name=name, mesh=FileLink(path=pictures / f"{name}.stl"), units="mm"))
        file.record({KEY: PoseRecord(world_from_body=START, status=PoseStatus.IMPORTED)}, action="import")
    return place


MESHES = {"implant": implant(), "bone": lopsided(2)}
_BODIES: dict[str, Body] = {}


class DiskPixels:
    """Pictures from the disk and ready bodies: what the window needs of the arrays' cache."""

    def __init__(self, study: Callable[[], Study]) -> None:
        self._study = study

    def picture(self, trial: str, view_index: int, frame: int) -> np.ndarray:
        record = self._study().trial(trial)
        path = record.views[view_index].images[record.index_of(frame)].path
        try:
            return np.asarray(tifffile.imread(path))
        except (OSError, ValueError) as error:
            raise ImageError(f"{path.name} cannot be read: {error}") from error

    def shots(self, trial: str, frame: int) -> tuple[Shot, ...]:
        views = self._study().trial(trial).views
        images = [self.picture(trial, index, frame) for index in range(len(views))]
        return tuple(
            Shot(view=plane.view, image=image, usable=np.ones(image.shape, dtype=bool))
            for plane, image in zip(views, images, strict=True)
        )

    def body(self, name: str) -> Body:
        if name not in _BODIES:
            _BODIES[name] = prepare_body(name, MESHES[name])
        return _BODIES[name]

    def forget(self) -> None:
        """Nothing is kept."""


@dataclass
class Answers:
    """Dialogs that answer what a test has laid ready, and remember what was asked."""

    paths: list[Path | None] = field(default_factory=list)
    choices: list[int | None] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def existing_study(self, start: Path) -> Path | None:
        return self.paths.pop(0)

    def new_study_place(self, start: Path) -> Path | None:
        return self.paths.pop(0)

    def file_to_read(self, title: str, kinds: str, start: Path) -> Path | None:
        return self.paths.pop(0)

    def file_to_write(self, title: str, kinds: str, start: Path) -> Path | None:
        return self.paths.pop(0)

    def choose(self, title: str, text: str, answers: tuple[str, ...], default: int = 0) -> int | None:
        self.asked.append(text)
        return self.choices.pop(0)

    def text(self, title: str, label: str, start: str) -> str | None:
        return self.texts.pop(0)


def make_window(application: QApplication, folder: Path, answers: Answers) -> Built:
    """A window that keeps its settings in the folder."""
    settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    preferences = Preferences(settings)
    preferences.put("author", "Ada")
    built = build_window(application, preferences=preferences, dialogs=answers, arrays=DiskPixels)
    built.window.resize(1280, 800)
    return built
