"""How long a job will still take, from how fast it has come so far."""

import time
from collections.abc import Callable
from typing import final


@final
class TimeLeft:
    """Estimates from the share of the work done; silent until there is something to go by."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began = now()

    def restart(self) -> None:
        """A new job begins."""
        self._began = self._now()

    def seconds(self, fraction: float) -> float | None:
        """Seconds left at a share of the work (0..1), or None while it cannot be told."""
        passed = self._now() - self._began
        if fraction <= 0.02 or passed < 0.5:
            return None
        return passed * (1.0 - min(fraction, 1.0)) / fraction

    def words(self, fraction: float) -> str:
        """The estimate for people, or an empty text."""
        left = self.seconds(fraction)
        if left is None:
            return ""
        if left < 1.5:
            return "about a second left"
        if left < 90:
            return f"about {round(left)} s left"
        return f"about {round(left / 60)} min left"
