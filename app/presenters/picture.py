"""A frame as one picture without a window: the views with outlines beside each other, then the 3D scene."""

import os
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QApplication

from app.views.panels.colours import body_colour, plane_colour
from app.views.scene import SceneBody, SceneCamera, SceneUnavailableError, render_scene_image
from core.errors import StorageError
from core.geometry.rigid import Rigid
from core.imaging.window_level import apply_window, auto_window, window_table
from core.registration.values import Body, Shot
from core.rendering.silhouette import silhouette
from core.study.values import PoseKey, Study

TITLE_PX = 28
_GROUND = QColor("#1b1d21")
_INK = QColor("#e8e8e8")


class Source(Protocol):
    """Where pictures and bodies come from."""

    def shots(self, trial: str, frame: int) -> tuple[Shot, ...]:
        """The pictures of a frame with their usable pixels."""

    def body(self, name: str) -> Body:
        """A prepared body."""


def draw_frame(study: Study, source: Source, trial: str, frame: int, *, height_px: int = 800) -> QImage:
    """Views of one frame with every body that has a pose there, and the 3D scene at the right.

    Raises:
        DuoscopeError: no such trial or frame, or a picture or surface cannot be read.
    """
    _ensure_fonts()
    study.trial(trial).index_of(frame)
    shots = source.shots(trial, frame)
    placed = _placed(study, source, trial, frame)
    panes = [_draw_view(shot, index, placed, height_px) for index, shot in enumerate(shots)]
    panes.append(_draw_scene(shots, placed, height_px))
    whole = QImage(sum(pane.width() for pane in panes), height_px + TITLE_PX, QImage.Format.Format_RGB32)
    whole.fill(_GROUND)
    painter = QPainter(whole)
    font = QFont(painter.font())
    font.setPixelSize(15)
    painter.setFont(font)
    left = 0
    titles = [f"{shot.view.name}   frame {frame}" for shot in shots] + [f"{study.name}   {trial}"]
    for index, (pane, title) in enumerate(zip(panes, titles, strict=True)):
        painter.drawImage(left, TITLE_PX, pane)
        painter.setPen(QColor(plane_colour(index)) if index < len(shots) else _INK)
        where = QRect(left + 8, 0, pane.width() - 16, TITLE_PX)
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        left += pane.width()
    painter.end()
    return whole


def save_png(image: QImage, path: Path) -> None:
    """Write a picture.

    Raises:
        StorageError: the disk refuses.
    """
    if path.suffix.lower() != ".png":
        raise StorageError(f"{path.name} is no name of a PNG picture; call it {path.stem}.png")
    if not image.save(str(path)):
        raise StorageError(f"{path} could not be written: check that the folder exists and the disk has space")


def _ensure_fonts() -> None:
    """Text needs a Qt application; without a screen it draws into memory."""
    if QApplication.instance() is None:
        if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _ensure_fonts.application = QApplication([])  # type: ignore[attr-defined]  # kept alive


def _placed(study: Study, source: Source, trial: str, frame: int) -> list[tuple[Body, Rigid, str]]:
    found = []
    for index, record in enumerate(study.bodies):
        pose = study.poses.get(PoseKey(trial, record.name, frame))
        if pose is not None:
            found.append((source.body(record.name), pose.world_from_body, body_colour(index)))
    return found


def _grey(shot: Shot) -> np.ndarray:
    low, high = auto_window(shot.image, shot.usable)
    return np.ascontiguousarray(apply_window(shot.image, window_table(low, high, shot.image.dtype)))


def _draw_view(shot: Shot, index: int, placed: list[tuple[Body, Rigid, str]], height_px: int) -> QImage:
    grey = _grey(shot)
    scale = height_px / grey.shape[0]
    pane = QImage(round(grey.shape[1] * scale), height_px, QImage.Format.Format_RGB32)
    raw = QImage(grey.data, grey.shape[1], grey.shape[0], grey.strides[0], QImage.Format.Format_Grayscale8)
    painter = QPainter(pane)
    painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
    painter.drawImage(pane.rect(), raw)
    painter.scale(pane.width() / grey.shape[1], scale)
    painter.translate(0.5, 0.5)
    for body, pose, colour in placed:
        pen = QPen(QColor(colour), 1.6)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawPath(_path(silhouette(body.mesh, shot.view, pose).loops_px))
    painter.end()
    frame = QPainter(pane)
    frame.setPen(QPen(QColor(plane_colour(index)), 2))
    frame.drawRect(pane.rect().adjusted(1, 1, -1, -1))
    frame.end()
    return pane


def _path(loops: tuple[np.ndarray, ...]) -> QPainterPath:
    path = QPainterPath()
    for loop in loops:
        path.addPolygon(QPolygonF([QPointF(float(u), float(v)) for u, v in loop]))
        path.closeSubpath()
    return path


def _draw_scene(shots: tuple[Shot, ...], placed: list[tuple[Body, Rigid, str]], height_px: int) -> QImage:
    cameras = [
        SceneCamera(name=shot.view.name, view=shot.view, colour=plane_colour(index)) for index, shot in enumerate(shots)
    ]
    bodies = [SceneBody(name=body.name, mesh=body.mesh, colour=colour) for body, _, colour in placed]
    poses = {body.name: pose for body, pose, _ in placed}
    pictures = [_grey(shot) for shot in shots]
    preset: Literal["model", "fit"] = "model" if placed else "fit"
    try:
        drawn = render_scene_image(cameras, pictures, bodies, poses, height_px, height_px, preset=preset)
    except SceneUnavailableError as error:
        return _without_scene(height_px, str(error))
    drawn = np.ascontiguousarray(drawn)
    image = QImage(drawn.data, drawn.shape[1], drawn.shape[0], drawn.strides[0], QImage.Format.Format_RGB888)
    return image.copy()


def _without_scene(height_px: int, reason: str) -> QImage:
    pane = QImage(height_px, height_px, QImage.Format.Format_RGB32)
    pane.fill(_GROUND)
    painter = QPainter(pane)
    painter.setPen(_INK)
    painter.drawText(pane.rect().adjusted(40, 40, -40, -40), Qt.TextFlag.TextWordWrap, f"no 3D scene: {reason}")
    painter.end()
    return pane
