"""Start Duoscope: the window without arguments, a headless command with them."""

import sys

from app.cli import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
