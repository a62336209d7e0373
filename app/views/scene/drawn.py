"""The scene as a QImage that is always the newest affordable one: stage, pacing and quality together."""

from time import perf_counter
from typing import final

from PySide6.QtGui import QImage

from app.views.scene.content import SceneContent
from app.views.scene.pacing import Pacing
from app.views.scene.stage import Stage
from app.views.scene.values import SceneUnavailableError
from app.views.scene.viewpoint import Viewpoint


@final
class DrawnScene:
    """Opens the stage at the first drawing; says why where there can be none."""

    def __init__(self, content: SceneContent) -> None:
        self._content = content
        self._stage: Stage | None = None
        self._closed = False
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
        began = perf_counter()
        settled = not self._content.bring_to(stage)
        full = pixel_ratio * size[0] * pixel_ratio * size[1]
        ratio = pixel_ratio * (self.pacing.scale_for(int(full)) if moving else 1.0)
        width, height = (max(1, round(ratio * side)) for side in size)
        pixels = stage.render(viewpoint, width, height, pixel_ratio=ratio, coarse=moving)
        self.image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBX8888).copy()
        self.viewpoint = viewpoint
        self.pacing.end(width * height, representative=settled and moving)
        self.times_ms = [*self.times_ms[-199:], (perf_counter() - began) * 1e3]
        return True

    def close(self) -> None:
        """Let go of the stage; nothing is drawn any more."""
        stage, self._stage, self._closed = self._stage, None, True
        if stage is not None:
            stage.close()

    def _open(self) -> Stage | None:
        if self._stage is None and self.problem is None and not self._closed:
            try:
                self._stage = Stage()
            except SceneUnavailableError as error:
                self.problem = str(error)
        return self._stage
