"""Lets computing threads stand back behind the window's own, where the system can."""

import contextlib
import os
import sys
import threading

STAND_BACK = 10
"""Added to the thread's niceness; threads that it starts inherit it."""


def stand_back() -> None:
    """Called in a computing thread: on Linux, where a thread has its own niceness, the window then comes first."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), STAND_BACK)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
