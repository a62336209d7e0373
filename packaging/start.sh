#!/bin/sh
# Start Duoscope on a fresh machine: sets up what is missing, then opens the demo study.
#
#   sh packaging/start.sh                     the window, with the demo study
#   sh packaging/start.sh ARGUMENTS           what `python main.py ARGUMENTS` does
set -eu
CALLED_FROM=$(pwd)
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$ROOT/packaging/setup.sh"

# Without a screen only commands and screenshots make sense.
mind_the_screen() {
    [ "$(uname -s)" = Linux ] || return 0
    [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ] || return 0
    case " $* " in
        *' --screenshot'* | *' --help '*) ;;
        '  ' | ' demo '*)
            fail 'there is no screen to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set).
Start it on a desktop, or draw the window into a file:

    sh packaging/start.sh demo --screenshot window.png'
            ;;
    esac
    QT_QPA_PLATFORM=offscreen
    export QT_QPA_PLATFORM
}

mind_the_screen "$@"
set_up run
cd "$CALLED_FROM"
[ "$#" -gt 0 ] || set -- demo
exec "$VENV_PYTHON" "$ROOT/main.py" "$@"
