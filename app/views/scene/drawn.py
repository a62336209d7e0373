"""The scene as a QImage that is always the newest affordable one: stage, pacing and smoothing together."""

from typing import final

import cv2
import numpy as np
from jaxtyping import UInt8
from PySide6.QtGui import QImage

from app.views.scene.content import SceneContent
from app.views.scene.pacing import Pacing
from app.views.scene.smoothing import JITTERS_PX, Mean
from app.views.scene.stage import Stage
from app.views.scene.values import SceneUnavailableError
from app.views.scene.viewpoint import Viewpoint

REMEMBERED_TIMES = 200


@final
class DrawnScene:
    """Opens the stage at the first drawing; says why where there can be none."""

    def __init__(self, content: SceneContent) -> None:
        self._content = content
        self._stage: Stage | None = None
        self._closed = False
        self._mean = Mean()
        self._pixels: UInt8[np.ndarray, "h w 4"] | None = None
        self._size = (0, 0)
        self.pacing = Pacing()
        self.problem: str | None = None
        self.image: QImage | None = None
        self.viewpoint: Viewpoint | None = None
        """The viewpoint of the image, by which handles and clicks on it are read."""
        self.times_ms: list[float] = []

    def draw(self, viewpoint: Viewpoint, size: tuple[int, int], pixel_ratio: float, *, moving: bool) -> bool:
        """Draw for a widget of so many logical pixels; returns whether there is a picture.

        While something moves, big surfaces are coarser and, on slow computers, the picture too.
        """
        stage = self._open()
        if stage is None:
            return False
        self.pacing.begin()
        new_content = self._content.bring_to(stage)
        full = (max(1, round(pixel_ratio * size[0])), max(1, round(pixel_ratio * size[1])))
        if full != self._size:
            self._size, new_content = full, True
            self.pacing.resized()
        self._mean.clear()
        if moving:
            pixels = stage.render(viewpoint, *full, pixel_ratio=pixel_ratio, moving=True, scale=self.pacing.scale)
        else:
            pixels = self._one_more(stage, viewpoint, pixel_ratio)
        self._show(pixels, pixel_ratio)
        self.viewpoint = viewpoint
        self._note_time(representative=moving and not new_content)
        return True

    def refine(self, pixel_ratio: float) -> bool:
        """Smooth the resting picture by one more drawing; returns whether yet another would help."""
        if self._stage is None or self.viewpoint is None or self._mean.count == 0:
            return False
        if self._mean.count < len(JITTERS_PX):
            self.pacing.begin()
            self._show(self._one_more(self._stage, self.viewpoint, pixel_ratio), pixel_ratio)
            self._note_time(representative=False)
        return self._mean.count < len(JITTERS_PX)

    @property
    def is_smooth(self) -> bool:
        """Whether the picture is one at rest that needs no more smoothing."""
        return self._mean.count == len(JITTERS_PX)

    def close(self) -> None:
        """Let go of the stage; nothing is drawn any more."""
        stage, self._stage, self._closed = self._stage, None, True
        if stage is not None:
            stage.close()

    def _one_more(self, stage: Stage, viewpoint: Viewpoint, pixel_ratio: float) -> UInt8[np.ndarray, "h w 4"]:
        jitter = JITTERS_PX[self._mean.count]
        return self._mean.add(stage.render(viewpoint, *self._size, pixel_ratio=pixel_ratio, jitter_px=jitter))

    def _show(self, rgba: UInt8[np.ndarray, "h w 4"], pixel_ratio: float) -> None:
        pixels = cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA)
        if rgba.shape[1::-1] != self._size:
            pixels = cv2.resize(pixels, self._size, interpolation=cv2.INTER_LINEAR)
        self._pixels = np.ascontiguousarray(pixels)
        height, width = self._pixels.shape[:2]
        self.image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        self.image.setDevicePixelRatio(pixel_ratio)

    def _note_time(self, *, representative: bool) -> None:
        self.pacing.end(representative=representative)
        self.times_ms = [*self.times_ms[1 - REMEMBERED_TIMES :], self.pacing.last_ms]

    def _open(self) -> Stage | None:
        if self._stage is None and self.problem is None and not self._closed:
            try:
                self._stage = Stage()
            except SceneUnavailableError as error:
                self.problem = str(error)
        return self._stage
