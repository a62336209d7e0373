"""Window, level, invert and edges of each view, and the 8-bit greys that the 3D scene shows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np
from PySide6.QtCore import QObject

from app.presenters.pictures import Frame
from app.presenters.session import Session
from app.state.appearance import Appearance
from app.views.fluoroscopy import FluoroscopyView
from app.views.panels import WindowLevelPanel
from core.imaging.window_level import auto_window

_BINS = 128
_SCENE_PX = 512


@final
class PictureLooks(QObject):
    """Binds the window and level panel; the automatic window is found once a trial and view."""

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        pictures: Sequence[FluoroscopyView],
        panel: WindowLevelPanel,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._pictures = tuple(pictures)
        self._panel = panel
        self._frame: Frame | None = None
        panel.window_changed.connect(self._on_window)
        panel.auto_requested.connect(self.auto)
        panel.inverted_changed.connect(lambda view, on: self._set(view, inverted=on))
        panel.edges_changed.connect(lambda view, on: self._set(view, edges=on))
        appearance.pictures_changed.connect(self.apply)
        for index, picture in enumerate(self._pictures):
            picture.window_requested.connect(lambda low, high, view=index: self._on_window(view, low, high))

    def restart(self) -> None:
        """Another trial: windows are found anew."""
        trial = self._session.trial
        self._panel.set_view_count(2 if trial is None else len(trial.views))
        for index in range(len(self._pictures)):
            look = replace(self._appearance.picture(index), low=None, high=None)
            self._appearance.set_picture(index, look)

    def show(self, frame: Frame | None) -> None:
        """Another frame's pictures."""
        self._frame = frame
        for index in range(len(self._pictures)):
            image = self._image(index)
            if image is None:
                self._panel.set_histogram(index, (), 0.0, 1.0)
                continue
            if self._appearance.picture(index).low is None:
                self.auto(index)
            sample = image[:: max(1, image.shape[0] // 256), :: max(1, image.shape[1] // 256)]
            low, high = float(sample.min()), float(max(sample.max(), sample.min() + 1))
            self._panel.set_histogram(index, np.histogram(sample, bins=_BINS, range=(low, high))[0], low, high)
            self.apply(index)

    def greys(self) -> list[np.ndarray | None]:
        """The pictures as 8-bit grey in their windows, small, one a view of the trial."""
        trial = self._session.trial
        return [] if trial is None else [self._grey(index) for index in range(len(trial.views))]

    def auto(self, index: int | None = None) -> None:
        """Window and level from the picture of a view, or of all."""
        for view in range(len(self._pictures)) if index is None else (index,):
            image = self._image(view)
            if image is not None:
                low, high = auto_window(image)
                self._set(view, low=float(low), high=float(high))

    def toggle(self, what: str) -> bool:
        """Invert or edges in all views, from what the first has; what it is now."""
        on = not getattr(self._appearance.picture(0), what)
        for view in range(len(self._pictures)):
            self._set(view, **{what: on})
        return on

    def apply(self, index: int) -> None:
        """Show a view's look."""
        look, picture = self._appearance.picture(index), self._pictures[index]
        if look.low is not None and look.high is not None:
            picture.set_window(look.low, look.high)
            self._panel.set_window(index, look.low, look.high)
        picture.set_inverted(look.inverted)
        picture.set_edges(look.edges)
        self._panel.set_inverted(index, look.inverted)
        self._panel.set_edges(index, look.edges)

    def _set(self, index: int, **changes: object) -> None:
        look = replace(self._appearance.picture(index), **changes)  # type: ignore[arg-type]
        self._appearance.set_picture(index, look)

    def _on_window(self, index: int, low: float, high: float) -> None:
        self._set(index, low=low, high=max(high, low + 1e-6))

    def _image(self, index: int) -> np.ndarray | None:
        if self._frame is None or index >= len(self._frame.images):
            return None
        return self._frame.images[index]

    def _grey(self, index: int) -> np.ndarray | None:
        image, look = self._image(index), self._appearance.picture(index)
        if image is None or look.low is None or look.high is None:
            return None
        step = max(1, round(max(image.shape) / _SCENE_PX))
        small = image[::step, ::step].astype(np.float32)
        grey = np.clip((small - look.low) * (255.0 / (look.high - look.low)), 0, 255).astype(np.uint8)
        return 255 - grey if look.inverted else grey
