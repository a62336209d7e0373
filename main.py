"""Start Duoscope: the window without arguments, a headless command with them."""

import sys
from pathlib import Path

from app.cli import run
from app.state.kernel_cache import choose_kernel_cache


def open_window(path: Path | None = None, *, demo: bool = False, screenshot: Path | None = None) -> int:
    """Open the window; Qt and VTK are loaded only now, so that commands start fast."""
    from app.bootstrap import open_window as composed

    return composed(path, demo=demo, screenshot=screenshot)


if __name__ == "__main__":
    choose_kernel_cache()
    sys.exit(run(sys.argv[1:], open_window))
