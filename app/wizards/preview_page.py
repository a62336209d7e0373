"""Last page: the bodies over the first pictures, before anything is written."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSlider, QVBoxLayout, QWidget, QWizardPage

from app.state.live import placed_in_the_middle
from app.views.fluoroscopy import BodyOverlay, FluoroscopyView, OverlayStyle
from app.views.panels.colours import PLANE_NAMES, body_colour, plane_colour
from app.views.panels.theme import GRID_PX, grade, tabular
from app.wizards.checks import BodyReport, TrialReport
from app.wizards.parts import Verdict, Weight
from app.wizards.sources import Sources
from app.workers.newest import Newest
from core.errors import DuoscopeError
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.imaging.window_level import auto_window
from core.registration.values import Body
from core.rendering.silhouette import silhouette

_WITH_BODIES = (
    "The bodies stand in the middle of both views, not yet in their place: that comes next, in the window. "
    "What to look at here: is each outline about as large as the implant in the picture (else go back and correct "
    "the units)? Do both pictures show the same moment and the right plane?"
)
_WITHOUT = "Do both pictures show the same moment and the right plane? Move the slider to look at other frames."


@final
class PreviewPage(QWizardPage):
    """Shows what the study will look like; the pictures are read in the background."""

    def __init__(
        self,
        sources: Sources,
        trial: Callable[[], TrialReport | None],
        bodies: Callable[[], Sequence[BodyReport]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTitle("Preview")
        self.setSubTitle("Nothing has been written yet. Finish makes the study.")
        self._sources, self._trial, self._bodies = sources, trial, bodies
        self.verdict = Verdict()
        self._newest = Newest(self)
        self._newest.answered.connect(self._on_pictures)
        self._newest.refused.connect(lambda error: self.verdict.say(str(error), Weight.PROBLEM))
        self.views = (FluoroscopyView(), FluoroscopyView())
        self._hint, self._place, self._bar = QLabel(), QLabel(), QProgressBar()
        self._hint.setWordWrap(True)
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._place.setFont(tabular(self._place.font()))
        grade(self._place, "muted")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("frame")
        self.slider.setToolTip("Look at other frames")
        self.slider.valueChanged.connect(self._ask)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.hide()
        pictures, scrub = QHBoxLayout(), QHBoxLayout()
        pictures.setSpacing(GRID_PX)
        for view in self.views:
            view.setMinimumSize(240, 220)
            pictures.addWidget(view, 1)
        scrub.setSpacing(GRID_PX)
        scrub.addWidget(self._place)
        scrub.addWidget(self.slider, 1)
        scrub.addWidget(self._legend)
        column = QVBoxLayout(self)
        column.setSpacing(GRID_PX)
        column.addWidget(self._hint)
        column.addLayout(pictures, 1)
        column.addLayout(scrub)
        column.addWidget(self.verdict)
        column.addWidget(self._bar)

    def initializePage(self) -> None:
        """Show the first frame of the trial as it was checked."""
        trial = self._trial()
        if trial is None:
            return
        self._hint.setText(_WITH_BODIES if self._bodies() else _WITHOUT)
        self.verdict.say("")
        self.slider.setRange(0, len(trial.frames) - 1)
        self.slider.setValue(0)
        for index, view in enumerate(self.views):
            view.setVisible(index < len(trial.views))
            view.set_title(f"View {PLANE_NAMES[index]}", plane_colour(index))
        self._show_bodies(trial.views)
        self._ask(0)
        QTimer.singleShot(0, self, self._fit)

    def set_busy(self, text: str | None) -> None:
        """What is being written, or None when nothing is."""
        self._bar.setVisible(text is not None)
        if text is not None:
            self.verdict.say(f"{text}…", Weight.BUSY)

    def close_threads(self) -> None:
        """End what runs."""
        self._newest.close()

    def _fit(self) -> None:
        for view in self.views:
            view.fit()

    def _ask(self, place: int) -> None:
        trial = self._trial()
        if trial is None or not trial.frames:
            return
        self._place.setText(f"Frame {trial.frames[place]}  ({place + 1} of {len(trial.frames)})")
        sources, paths = self._sources, tuple(of_plane[place] for of_plane in trial.paths)
        self._newest.ask(lambda: _read(sources, paths))

    def _on_pictures(self, pictures: tuple[np.ndarray | str, ...]) -> None:
        for view, picture in zip(self.views, pictures, strict=False):
            if isinstance(picture, str):
                view.set_picture(None, picture)
                self.verdict.say(picture, Weight.PROBLEM)
            else:
                view.set_picture(picture)
                view.set_window(*(float(end) for end in auto_window(picture)))

    def _show_bodies(self, views: Sequence[View]) -> None:
        bodies = [report.body for report in self._bodies() if report.body is not None]
        named = [f'<span style="color:{body_colour(at)}">■</span> {body.name}' for at, body in enumerate(bodies)]
        self._legend.setText("&nbsp;&nbsp;&nbsp;".join(named))
        poses = [placed_in_the_middle(list(views), body.pivot_mm) for body in bodies]
        for widget, view in zip(self.views, views, strict=False):
            widget.set_overlays([_overlay(body, view, poses[index], index) for index, body in enumerate(bodies)])


def _read(sources: Sources, paths: Sequence[Path]) -> tuple[np.ndarray | str, ...]:
    """Each picture, or why it cannot be shown."""
    read: list[np.ndarray | str] = []
    for path in paths:
        try:
            read.append(sources.picture(path))
        except DuoscopeError as error:
            read.append(str(error))
    return tuple(read)


def _overlay(body: Body, view: View, pose: Rigid, index: int) -> Any:  # noqa: ANN401
    outline = silhouette(body.mesh, view, pose)
    return BodyOverlay(
        name=body.name,
        colour=body_colour(index),
        opacity=1.0,
        style=OverlayStyle.OUTLINE,
        segments_px=outline.segments_px,
        outline_path_px=outline.loops_px,
        xray=None,
        selected=False,
        ghost_segments_px=None,
    )
