"""VTK's own chatter, sent to Python's logging instead of the terminal."""

import logging
from collections.abc import Callable
from functools import lru_cache

from vtkmodules.util.vtkConstants import VTK_STRING
from vtkmodules.vtkCommonCore import vtkCommand, vtkLogger, vtkOutputWindow, vtkStringOutputWindow

logger = logging.getLogger("duoscope.vtk")


@lru_cache(maxsize=1)
def send_vtk_messages_to_log() -> vtkOutputWindow:
    """From now on VTK's warnings and errors are log records of ``duoscope.vtk``; once a process.

    They are mostly harmless (a display that is not there, before another way to draw is found).
    """
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    window = vtkStringOutputWindow()
    window.AddObserver(vtkCommand.WarningEvent, _as_record(logging.INFO))
    window.AddObserver(vtkCommand.ErrorEvent, _as_record(logging.WARNING))
    vtkOutputWindow.SetInstance(window)
    return window


def _as_record(level: int) -> Callable[..., None]:
    def report(_caller: object, _event: str, message: str) -> None:
        logger.log(level, "%s", " ".join(message.split()))

    report.CallDataType = VTK_STRING  # type: ignore[attr-defined]
    return report
