"""Makes the registration's kernels ready behind an open window, so that the first registration does not wait."""

import logging
import threading
from typing import final

from app.workers.priority import stand_back
from core.errors import DuoscopeError

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 0.5


@final
class Warming:
    """A thread that computes the smallest registration there is, once, and stands back behind everything else.

    A kernel that is being compiled cannot be interrupted and may take many seconds; a window that closes does not
    wait for it, which is why this thread is a daemon.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warming", daemon=True)

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop at the next step; waits for it a moment only."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        stand_back()
        # Loaded here: the window is shown before numba is.
        from core.registration.warm import warm_up

        work = warm_up()
        try:
            for _ in work:
                if self._stop.is_set():
                    return
        except (DuoscopeError, OSError, RuntimeError):  # a registration will meet the same fault and tell it
            _LOG.exception("the kernels could not be made ready in the background")
        finally:
            work.close()
