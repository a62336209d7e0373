"""When the scene is drawn again, and how fine: newest wins, a bounded rate, resolution after the cost."""

from collections.abc import Callable
from time import perf_counter
from typing import final

INTERVAL_MS = 40.0
"""Shortest time between the starts of two drawings while something moves: 25 a second."""
BREATH = 1.6
"""A slow drawing is followed by the next only after this multiple of its own time, so that the rest
of the window gets its turn."""
BUDGET_MS = 45.0
"""What a drawing may take while something moves."""
ROOMY = 0.4
"""A drawing below this share of the budget may be done at the next finer resolution."""
SCALES = (1.0, 0.75, 0.5, 0.35)
MEMORY = 0.5
"""Weight of the newest cost in the running mean."""


@final
class Pacing:
    """Measures drawings; answers when to draw next and at which resolution while something moves."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._started_s = -1e9
        self._cost_ms = 0.0
        self._mean_ms: float | None = None
        self._step = 0

    @property
    def last_ms(self) -> float:
        """What the last drawing took."""
        return self._cost_ms

    @property
    def scale(self) -> float:
        """Resolution (share of full) for a picture of something that moves."""
        return SCALES[self._step]

    def wait_ms(self) -> float:
        """How long to wait before drawing again; zero when it is due."""
        due_ms = self._started_s * 1e3 + max(INTERVAL_MS, BREATH * self._cost_ms)
        return max(0.0, due_ms - self._clock() * 1e3)

    def begin(self) -> None:
        """A drawing begins."""
        self._started_s = self._clock()

    def end(self, *, representative: bool) -> None:
        """A drawing ended.

        Args:
            representative: whether its time says something about the next one of a moving scene
                (not so at rest, or when new content was set up in it).
        """
        self._cost_ms = (self._clock() - self._started_s) * 1e3
        if not representative:
            return
        mean = self._mean_ms
        self._mean_ms = self._cost_ms if mean is None else mean + MEMORY * (self._cost_ms - mean)
        if self._mean_ms > BUDGET_MS and self._step < len(SCALES) - 1:
            self._step, self._mean_ms = self._step + 1, None
        elif self._mean_ms < ROOMY * BUDGET_MS and self._step > 0:
            self._step, self._mean_ms = self._step - 1, None

    def resized(self) -> None:
        """The widget has another size: start again at full resolution."""
        self._step, self._mean_ms = 0, None
