"""Which computing device there is: NVIDIA Warp is imported here and only when it is asked for."""

import ctypes
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from core.errors import DeviceError

CPU, CUDA = "cpu", "cuda"


@cache
def warp() -> ModuleType:
    """The Warp library, started without its greeting.

    Raises:
        DeviceError: it is not installed.
    """
    if find_spec("warp") is None:
        raise DeviceError(
            "computing on a graphics card needs NVIDIA Warp, which is not installed: pip install 'warp-lang>=1.19', "
            "or use --device cpu"
        )
    library = import_module("warp")
    library.config.log_level = library.LOG_ERROR
    library.init()
    return library


def has_cuda() -> bool:
    """Whether Warp is installed and sees a CUDA device."""
    return find_spec("warp") is not None and _has_driver() and bool(warp().is_cuda_available())


def _has_driver() -> bool:
    """Whether a CUDA driver can be loaded: asked first, for Warp is slow to start and complains without one."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def check_device(name: str) -> str:
    """``cpu`` or ``cuda`` of ``auto``, ``cpu`` or ``cuda``.

    Raises:
        DeviceError: another name, or CUDA where there is none.
    """
    if name not in {"auto", CPU, CUDA}:
        raise DeviceError(f"there is no device {name!r}; there is: auto, cpu, cuda")
    if name == CPU:
        return CPU
    if name == "auto":
        return CUDA if has_cuda() else CPU
    warp()
    if not has_cuda():
        raise DeviceError("there is no CUDA device that Warp can use; leave --device away, or use --device cpu")
    return CUDA
