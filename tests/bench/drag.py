"""Measure one frame of dragging a body in both fluoroscopy views: ``python -m tests.bench.drag``.

A frame is what a movement of the mouse costs before the user sees it: the pose, the silhouettes of two bodies of
20 000 faces in both views, and repainting both widgets over pictures of 1664 x 1600 pixels of 16 bit. The drag is
sent as real mouse events. Without a screen set ``QT_QPA_PLATFORM=offscreen``.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import trimesh
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from app.views.fluoroscopy import BodyOverlay, FluoroscopyView, OverlayStyle, ViewDrag
from core.geometry.manipulation import drag_in_plane
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.rendering.path_length import path_length
from core.rendering.silhouette import silhouette

WIDTH_PX, HEIGHT_PX = 1664, 1600


def views() -> tuple[View, View]:
    """Two planes at 70 degrees."""
    return tuple(
        View(
            name=name,
            camera_from_world=Rigid.from_euler([0.0, angle, 0.0], [0.0, 0.0, 900.0], "ZXY"),
            focal_px=(4800.0, 4800.0),
            principal_px=(850.0, 780.0),
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
        )
        for name, angle in (("A", 0.0), ("B", 70.0))
    )


def implant(seed: int) -> TriangleMesh:
    """A closed, dented body of 20 480 faces and about 70 mm."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=1.0)
    waves = np.random.default_rng(seed).normal(0.0, 3.0, (6, 3))
    radius = 32.0 + sum(2.5 * np.sin(ball.vertices @ wave) for wave in waves)
    return TriangleMesh(vertices_mm=ball.vertices * radius[:, None], faces=ball.faces)


def picture(seed: int) -> np.ndarray:
    """A noisy 16 bit picture."""
    noise = np.random.default_rng(seed).normal(0, 600, (HEIGHT_PX, WIDTH_PX))
    return np.clip(30000 + 12 * np.arange(WIDTH_PX) + noise, 0, 65535).astype(np.uint16)


class Bench:
    """Both views side by side, and two bodies of which one is dragged."""

    def __init__(self, style: OverlayStyle, width: int, height: int) -> None:
        self.style, self.views = style, views()
        self.meshes = {"femur": implant(1), "tibia": implant(2)}
        self.poses = {
            "femur": Rigid.from_euler([20.0, 30.0, 40.0], [0.0, -35.0, 0.0]),
            "tibia": Rigid.from_euler([0.0, 10.0, 70.0], [0.0, 38.0, 0.0]),
        }
        self.window, self.widgets = QWidget(), (FluoroscopyView(), FluoroscopyView())
        row = QHBoxLayout(self.window)
        row.setContentsMargins(0, 0, 0, 0)
        for index, widget in enumerate(self.widgets):
            widget.set_title("AB"[index], "#4c9be8")
            widget.set_picture(picture(index))
            widget.set_window(20000, 60000)
            row.addWidget(widget)
        self.window.resize(width, height)
        self.window.show()
        self.start = self.poses["femur"]
        self.widgets[0].dragged.connect(self.on_drag)
        self.show()

    def show(self) -> None:
        """What a presenter does: overlays of the poses as they are."""
        for view, widget in zip(self.views, self.widgets, strict=True):
            widget.set_overlays([self.overlay(view, name) for name in self.meshes])

    def overlay(self, view: View, name: str) -> BodyOverlay:
        """One body in one view; a simulated X-ray at half resolution, as while dragging."""
        outline = silhouette(self.meshes[name], view, self.poses[name])
        xray = None
        if self.style is OverlayStyle.XRAY:
            xray = path_length(self.meshes[name], view, self.poses[name], (HEIGHT_PX // 2, WIDTH_PX // 2))
        return BodyOverlay(
            name=name,
            colour="#56b4e9",
            segments_px=outline.segments_px,
            outline_path_px=outline.loops_px,
            style=self.style,
            xray=xray,
            selected=name == "femur",
        )

    def on_drag(self, drag: ViewDrag) -> None:
        """Move the body under the cursor."""
        du, dv = np.subtract(drag.now_px, drag.start_px)
        self.poses["femur"] = drag_in_plane(self.views[0], self.start, self.start.translation_mm, du, dv)
        self.show()

    def frames(self, count: int) -> list[float]:
        """Seconds of each frame of one long drag."""
        widget = self.widgets[0]
        centre = widget.widget_from_picture(self.views[0].project(self.start.translation_mm[None])[0])
        send(widget, QEvent.Type.MouseButtonPress, centre, Qt.MouseButton.LeftButton)
        seconds = []
        for index in range(count + 5):
            at = centre + QPointF(40 * np.sin(0.3 * index) + 3, 25 * np.cos(0.2 * index))
            start = time.perf_counter()
            send(widget, QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton)
            QApplication.processEvents()
            seconds.append(time.perf_counter() - start)
        send(widget, QEvent.Type.MouseButtonRelease, centre, Qt.MouseButton.LeftButton)
        return seconds[5:]


def send(widget: QWidget, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton) -> None:
    """A mouse event with the left button held, as a window system sends it."""
    held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
    where = QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QMouseEvent(kind, at, where, button, held, Qt.KeyboardModifier.NoModifier))


def milliseconds(run: Callable[[], object], count: int) -> tuple[float, float]:
    """Median and 95th percentile of a call."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times)), float(np.percentile(times, 95))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--size", type=int, nargs=2, default=(1800, 900), help="both views together, in pixels")
    asked = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication([])
    print(f"two views, {asked.size[0]} x {asked.size[1]} together, pictures {WIDTH_PX} x {HEIGHT_PX} of 16 bit")
    for style in (OverlayStyle.OUTLINE, OverlayStyle.FILL, OverlayStyle.XRAY):
        bench = Bench(style, *asked.size)
        application.processEvents()
        times = 1e3 * np.array(bench.frames(asked.frames))
        print(f"  {style.value:16s} median {np.median(times):5.1f} ms   p95 {np.percentile(times, 95):5.1f} ms")
        bench.window.close()
    view, mesh, pose = views()[0], implant(1), Rigid.from_euler([20.0, 30.0, 40.0], [0.0, -35.0, 0.0])
    median, high = milliseconds(lambda: silhouette(mesh, view, pose), asked.frames)
    print(f"  one silhouette of {len(mesh.faces)} faces: median {median:.2f} ms   p95 {high:.2f} ms")


if __name__ == "__main__":
    main()
