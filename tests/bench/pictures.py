"""Drive the window on the demo study with real events and take pictures of it for the guide.

``python -m tests.bench.pictures OUT_DIR [--size 1280x800] [--theme dark] [--study S.study --frame K]``

With a study of one's own the same is done on it, to be looked at; such pictures stay out of the guide.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget, QWizard

from app.bootstrap import build_window
from app.state.preferences import Preferences
from app.views.panels import apply_theme
from app.wizards.new_study import NewStudyWizard
from core.io.demo_study import ensure_demo_study

_PATIENCE_S = 120.0
_KEY = Qt.Key


class Camera:
    """Waits until the window rests and takes its picture."""

    def __init__(self, out: Path, tag: str) -> None:
        self._out, self._tag = out, tag

    def wait(self, until: Callable[[], bool], seconds: float = 0.5) -> None:
        began = time.monotonic()
        while time.monotonic() - began < seconds or not until():
            QApplication.processEvents()
            time.sleep(0.01)
            if time.monotonic() - began > _PATIENCE_S:
                raise TimeoutError("the window did not come to rest")

    def take(self, widget: QWidget, name: str) -> None:
        path = self._out / f"{name}_{self._tag}.png"
        widget.grab().save(str(path))
        print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--study", type=Path)
    parser.add_argument("--frame", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    with tempfile.TemporaryDirectory() as scratch:
        preferences = Preferences(QSettings(str(Path(scratch) / "settings.ini"), QSettings.Format.IniFormat))
        preferences.put("dark", options.theme == "dark")
        camera = Camera(options.out, f"{options.theme}_{options.size}")
        demo = Path(scratch) / "demo"
        photograph_window(application, preferences, camera, demo, options)
        if options.study is None:
            photograph_wizard(application, camera, demo / "demo.study", dark=preferences.dark)


def photograph_window(
    application: QApplication, preferences: Preferences, camera: Camera, demo: Path, options: argparse.Namespace
) -> None:
    built = build_window(application, preferences=preferences)
    window, bench = built.window, built.workbench
    bench.files.make_demo = lambda: ensure_demo_study(demo)
    window.resize(QSize(*map(int, options.size.split("x"))))
    window.show()
    camera.wait(lambda: True, 1.0)
    camera.take(window, "first_start")
    if options.study is None:
        bench.files.open_demo()
    else:
        bench.files.open_path(options.study)
    camera.wait(lambda: bench.session.trial is not None and bench.settled, 2.0)
    if options.frame is not None:
        bench.session.selector.select_frame(options.frame)
    camera.wait(lambda: bench.settled, 2.0)
    camera.take(window, "opened")
    QTest.keyClick(window, _KEY.Key_R)
    camera.wait(lambda: bool(bench.session.store.document.proposals) and bench.settled, 1.5)
    camera.take(window, "proposal")
    QTest.keyClick(window, _KEY.Key_Return)
    camera.wait(lambda: not bench.session.store.document.proposals and bench.settled, 1.5)
    if options.study is None:
        QTest.keyClick(window, _KEY.Key_T)
        frames = len(bench.session.trial.frames) - 1
        camera.wait(lambda: len(bench.session.store.document.proposals) >= frames and bench.settled, 1.5)
        camera.take(window, "tracked")
    QTest.keyClick(window, _KEY.Key_1)
    camera.wait(lambda: bench.settled, 1.5)
    camera.take(window, "one_view")
    QTest.keyClick(window, _KEY.Key_0)
    QTest.keyClick(window, _KEY.Key_F1)
    camera.wait(lambda: bench.settled, 1.0)
    camera.take(window, "keys")
    bench.shut()
    window.close()


def photograph_wizard(application: QApplication, camera: Camera, study: Path, *, dark: bool) -> None:
    apply_theme(application, dark=dark)
    with tempfile.TemporaryDirectory() as place:
        wizard = NewStudyWizard(Path(place))
        wizard.show()
        QTest.keyClicks(wizard.place_page._name, "Knee 7")
        camera.wait(lambda: True)
        camera.take(wizard, "wizard_1_place")
        step_on(wizard, camera)
        for box, plane in zip(wizard.trial_page.boxes, "ab", strict=True):
            box.images.set_text(str(study / "images" / plane))
            box.calibration.set_text(str(study / "calibration" / f"{plane}.txt"))
        camera.wait(wizard.trial_page.isComplete, 1.0)
        camera.take(wizard, "wizard_2_trial")
        step_on(wizard, camera)
        for name in ("femur", "tibia"):
            card = wizard.bodies_page.add_file(study / "models" / f"{name}.stl")
            camera.wait(card.units.button(0).isEnabled)
            card.units.button(0).click()
        camera.wait(wizard.bodies_page.isComplete, 1.0)
        camera.take(wizard, "wizard_3_bodies")
        step_on(wizard, camera)
        camera.wait(lambda: True, 3.0)
        camera.take(wizard, "wizard_4_preview")
        wizard.done(0)


def step_on(wizard: QWizard, camera: Camera) -> None:
    QTest.mouseClick(wizard.button(QWizard.WizardButton.NextButton), Qt.MouseButton.LeftButton)
    camera.wait(lambda: True)


if __name__ == "__main__":
    main()
