"""When the scene is drawn again, and how fine: newest wins, a bounded rate, full quality once it rests."""

from collections.abc import Callable
from time import perf_counter
from typing import final

INTERVAL_MS = 40.0
"""Shortest time between the starts of two drawings while something moves: 25 a second."""
BREATH = 1.6
"""A slow drawing is followed by the next only after this multiple of its own time, so that the rest
of the window gets its turn."""
BUDGET_MS = 42.0
"""What a drawing may take while something moves; the resolution follows."""
SCALES = (1.0, 0.75, 0.5, 0.35)


@final
class Pacing:
    """Keeps the measured cost of drawing and answers when, and at which resolution, to draw next."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._started_s = -1e9
        self._cost_ms = 0.0
        self._per_pixel_ms: float | None = None

    @property
    def last_ms(self) -> float:
        """What the last drawing took."""
        return self._cost_ms

    def wait_ms(self) -> float:
        """How long to wait before drawing again; zero when it is due."""
        due_ms = self._started_s * 1e3 + max(INTERVAL_MS, BREATH * self._cost_ms)
        return max(0.0, due_ms - self._clock() * 1e3)

    def begin(self) -> None:
        """A drawing begins."""
        self._started_s = self._clock()

    def end(self, pixels: int, *, representative: bool) -> None:
        """A drawing of so many pixels ended.

        Args:
            pixels: of the picture drawn.
            representative: whether its time says something about the next one like it (the very
                first drawing and those after new content also set things up).
        """
        self._cost_ms = (self._clock() - self._started_s) * 1e3
        if not representative:
            return
        per_pixel = self._cost_ms / max(pixels, 1)
        known = self._per_pixel_ms
        self._per_pixel_ms = per_pixel if known is None else 0.7 * known + 0.3 * per_pixel

    def scale_for(self, pixels: int) -> float:
        """Resolution (share of full) at which a moving picture of so many pixels keeps its budget."""
        if self._per_pixel_ms is None:
            return 1.0
        for scale in SCALES:
            if self._per_pixel_ms * pixels * scale * scale <= BUDGET_MS:
                return scale
        return SCALES[-1]
