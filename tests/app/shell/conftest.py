"""A small study that lives in memory, for what the window is made of."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from app.state.document import Document
from app.state.preferences import Preferences
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.study.values import BodyRecord, FileLink, PoseKey, PoseRecord, PoseStatus, Study, Trial, TrialView


def small_view(name: str, yaw_deg: float) -> View:
    turned = Rigid.from_euler([0.0, 0.0, yaw_deg], [0.0, 0.0, 0.0])
    away = Rigid(rotation=np.eye(3), translation_mm=np.array([0.0, 0.0, 800.0]))
    return View(
        name=name,
        camera_from_world=away @ turned,
        focal_px=(1200.0, 1200.0),
        principal_px=(127.5, 127.5),
        width_px=256,
        height_px=256,
    )


def record(x: float, status: PoseStatus = PoseStatus.IMPORTED) -> PoseRecord:
    return PoseRecord(world_from_body=Rigid(rotation=np.eye(3), translation_mm=np.array([x, 0.0, 0.0])), status=status)


@pytest.fixture
def study() -> Study:
    link = FileLink(path=Path("nowhere.tif"))
    frames = (3, 4, 5, 6)
    views = tuple(
        TrialView(view=small_view(name, yaw), images=(link,) * len(frames), calibration=link)
        for name, yaw in (("A", 0.0), ("B", 70.0))
    )
    bodies = tuple(BodyRecord(name=name, mesh=link, units="mm") for name in ("femur", "tibia"))
    empty = Study(name="knee", trials=(Trial(name="walk", frames=frames, views=views),), bodies=bodies)
    return empty.with_poses({PoseKey("walk", "femur", 3): record(1.0), PoseKey("walk", "femur", 6): record(6.0)})


@pytest.fixture
def document(study) -> Document:
    return Document(study=study)


@pytest.fixture
def preferences(tmp_path) -> Preferences:
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    kept = Preferences(settings)
    kept.put("author", "Ada")
    return kept
