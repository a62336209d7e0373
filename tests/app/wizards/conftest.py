"""Small files on the disk for the wizards: pictures, calibrations, surfaces."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import trimesh
from PySide6.QtCore import QSettings

from app.state.preferences import Preferences
from app.views.panels import apply_theme
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.io.mayacam import write_mayacam2

SIZE = 96


@dataclass(frozen=True)
class Disk:
    """Where everything is."""

    root: Path
    pictures_a: Path
    pictures_b: Path
    calibration_a: Path
    calibration_b: Path
    block: Path
    """A closed surface in mm, 60 mm long."""
    open_block: Path
    """The same without two of its triangles."""
    small_block: Path
    """The same in metres."""

    def calibration_of_size(self, size: int) -> Path:
        path = self.root / f"calibration_{size}.txt"
        write_mayacam2(view("A", 0.0, size), path)
        return path


def view(name, turned_deg, size=SIZE, scale=1.0):
    turned = Rigid.from_euler([0.0, 0.0, turned_deg], [0.0, 0.0, 0.0])
    away = Rigid(rotation=np.eye(3), translation_mm=np.array([0.0, 0.0, 800.0 * scale]))
    return View(
        name=name,
        camera_from_world=away @ turned,
        focal_px=(6.0 * size, 6.0 * size),
        principal_px=(0.5 * size - 0.5, 0.5 * size - 0.5),
        width_px=size,
        height_px=size,
    )


def write_pictures(folder, numbers, size=SIZE):
    folder.mkdir()
    for number in numbers:
        shade = np.add.outer(np.arange(size), np.arange(size)) % 200
        tifffile.imwrite(folder / f"frame_{number:03d}.tif", (shade + number % 20).astype(np.uint8))
    return folder


@pytest.fixture(scope="session")
def disk(tmp_path_factory):
    root = tmp_path_factory.mktemp("knee")
    write_mayacam2(view("A", 0.0), root / "a.txt")
    write_mayacam2(view("B", 70.0), root / "b.txt")
    block = trimesh.creation.box(extents=(60.0, 30.0, 20.0)).subdivide().subdivide().subdivide()
    block.export(root / "femur0.stl")
    gap = trimesh.Trimesh(block.vertices, block.faces[2:], process=False)
    gap.export(root / "open.stl")
    small = block.copy()
    small.apply_scale(0.001)
    small.export(root / "small.stl")
    return Disk(
        root=root,
        pictures_a=write_pictures(root / "cam1", range(0, 10, 2)),
        pictures_b=write_pictures(root / "cam2", range(0, 10, 2)),
        calibration_a=root / "a.txt",
        calibration_b=root / "b.txt",
        block=root / "femur0.stl",
        open_block=root / "open.stl",
        small_block=root / "small.stl",
    )


@pytest.fixture
def preferences(tmp_path):
    return Preferences(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def opened(qtbot, qapp):
    """Show a wizard; it ends with the test."""
    apply_theme(qapp, dark=True)
    wizards = []

    def show(wizard):
        qtbot.addWidget(wizard)
        wizards.append(wizard)
        with qtbot.waitExposed(wizard):
            wizard.show()
        return wizard

    yield show
    for wizard in wizards:
        wizard.done(0)
