"""Drive what finds poses and what says how good they are, with real events on the demo study; take pictures.

``python -m tests.bench.trust_pictures OUT_DIR [--size 1280x800] [--theme dark]``
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSettings, QSize, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.bootstrap import build_window
from app.presenters.workbench import Workbench
from app.state.document import Candidate
from app.state.preferences import Preferences
from core.io.demo_study import ensure_demo_study
from core.rendering.silhouette import silhouette
from tests.bench.pictures import Camera

_KEY = Qt.Key
_SHIFT = Qt.KeyboardModifier.ShiftModifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    with tempfile.TemporaryDirectory() as scratch:
        preferences = Preferences(QSettings(str(Path(scratch) / "settings.ini"), QSettings.Format.IniFormat))
        preferences.put("dark", options.theme == "dark")
        built = build_window(application, preferences=preferences)
        window, bench = built.window, built.workbench
        bench.files.make_demo = lambda: ensure_demo_study(Path(scratch) / "demo")
        window.resize(QSize(*map(int, options.size.split("x"))))
        window.show()
        camera = Camera(options.out, f"{options.theme}_{options.size}")
        bench.files.open_demo()
        camera.wait(lambda: bench.session.trial is not None and bench.settled, 2.0)
        built.card.hide()
        photograph(bench, camera)
        bench.shut()
        window.close()


def photograph(bench: Workbench, camera: Camera) -> None:
    window, picture = bench.parts.window, bench.parts.pictures[0]
    press(bench, _KEY.Key_G)
    drag_around(bench, camera, halfway=True)
    camera.take(window, "region_drawing")
    release(bench)
    camera.wait(lambda: bool(bench.session.document.study.regions), 0.5)
    QTest.mouseClick(bench.parts.pictures[1], Qt.MouseButton.LeftButton, pos=picture.rect().center())
    press(bench, _KEY.Key_G, _SHIFT, view=1)
    camera.wait(lambda: len(bench.session.document.study.regions) == 2, 0.5)
    camera.take(window, "regions")
    press(bench, _KEY.Key_F)
    camera.wait(lambda: True, 0.7)
    camera.take(window, "finding")
    camera.wait(lambda: not bench.jobs.busy, 1.0)
    camera.take(window, "found")
    if not bench.session.document.proposals:
        press(bench, _KEY.Key_R)
        camera.wait(lambda: bool(bench.session.document.proposals) and bench.settled, 1.0)
    add_rival(bench)
    camera.wait(lambda: bench.settled, 1.5)
    press(bench, _KEY.Key_BracketRight)
    camera.wait(lambda: bench.settled, 1.5)
    camera.take(window, "candidates")
    press(bench, _KEY.Key_BracketLeft)
    press(bench, _KEY.Key_U)
    press(bench, _KEY.Key_Return)
    camera.wait(lambda: bench.settled, 1.5)
    camera.take(window, "uncertainty")
    press(bench, _KEY.Key_S)
    camera.wait(lambda: bench.settled, 1.5)
    camera.take(window, "residual")
    press(bench, _KEY.Key_S)
    press(bench, _KEY.Key_C)
    camera.wait(lambda: bench.settled, 1.5)
    camera.take(window, "edge_distances")
    press(bench, _KEY.Key_C)
    box = bench.parts.pose.register
    box._method.showPopup()
    camera.wait(lambda: True)
    camera.take(box._method.view().window(), "methods")
    box._method.hidePopup()
    bench.choice.open_options()
    camera.wait(lambda: True)
    camera.take(box._find_menu, "find_options")
    box._find_menu.hide()


def press(bench: Workbench, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, view: int = 0):
    picture = bench.parts.pictures[view]
    picture.setFocus()
    QTest.keyClick(picture, key, keys)


def drag_around(bench: Workbench, camera: Camera, *, halfway: bool) -> None:
    """Hold and draw a line around the active body's shadow in view A."""
    picture, name = bench.parts.pictures[0], bench.session.selection.body
    view, shown = bench.session.trial.views[0].view, bench.session.shown(name)
    outline = silhouette(bench.session.bodies[name].levels[-1], view, shown.pose)
    middle, radius = outline.points_px.mean(axis=0), 0.55 * np.ptp(outline.points_px, axis=0)
    angles = np.linspace(0.0, 2 * np.pi, 60, endpoint=False)
    points = [picture.widget_from_picture(middle + radius * (np.cos(a), np.sin(a))) for a in angles]
    send(picture, QEvent.Type.MouseButtonPress, points[0])
    for point in points[1:]:
        send(picture, QEvent.Type.MouseMove, point)
    camera.wait(lambda: True, 0.2)


def release(bench: Workbench) -> None:
    picture = bench.parts.pictures[0]
    send(picture, QEvent.Type.MouseButtonRelease, picture.area().center())


def send(widget, kind: QEvent.Type, at: QPointF) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    held = none if kind is QEvent.Type.MouseButtonRelease else left
    button = none if kind is QEvent.Type.MouseMove else left
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def add_rival(bench: Workbench) -> None:
    """The demo's bodies are not ambiguous: give the proposal a turned rival to choose from."""
    document = bench.session.document
    changes = {}
    for key, proposal in document.proposals.items():
        pose, pivot = proposal.record.world_from_body, bench.session.bodies[key.body].pivot_mm
        turned = pose.turned(np.radians([0.0, 0.0, 25.0]), pose.apply(pivot[None])[0])
        rival = replace(proposal.record, world_from_body=turned, score=0.71, covariance=None)
        changes[key] = replace(
            proposal,
            trusted=False,
            candidates=(
                Candidate(record=proposal.record, view_scores=proposal.view_scores),
                Candidate(record=rival, view_scores=(0.74, 0.68)),
            ),
        )
    bench.session.history.do("Add a rival", document.with_proposals(changes))


if __name__ == "__main__":
    main()
