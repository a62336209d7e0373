# Set-up shared by start.sh and test.sh: system libraries, Python, .venv and its packages (POSIX sh, to be sourced).
#
#   . packaging/setup.sh; set_up run|dev
#
# Does nothing in well under a second when all is there. Needs ROOT, the project's folder.
# DUOSCOPE_PYTHON names another Python to build .venv with.

VENV=$ROOT/.venv
VENV_PYTHON=$VENV/bin/python
LOG=$VENV/setup.log
STAMP=$VENV/.set-up-for
UNFINISHED=$VENV/.set-up-unfinished

# how pip says it in its log
NO_NETWORK='NewConnection|NameResolution|Temporary failure|Max retries|timed out|ProxyError|unreachable'
NO_TRUST='CERTIFICATE_VERIFY_FAILED|certificate verify failed'

# library Debian-package; what every start needs, also without a screen
LIBRARIES_ALWAYS='
libEGL.so.1 libegl1
libGL.so.1 libgl1
libxkbcommon.so.0 libxkbcommon0
libfontconfig.so.1 libfontconfig1
libdbus-1.so.3 libdbus-1-3
libglib-2.0.so.0 libglib2.0-0'

# what a window on a screen needs besides
LIBRARIES_WINDOW='
libX11-xcb.so.1 libx11-xcb1
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-randr.so.0 libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-xkb.so.1 libxcb-xkb1
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libwayland-cursor.so.0 libwayland-cursor0
libwayland-egl.so.1 libwayland-egl1'

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say ''
    say "Duoscope cannot start: $*"
    exit 1
}

set_up() {
    purpose=$1
    cd "$ROOT" || fail "the folder $ROOT cannot be entered."
    add_system_packages
    is_set_up && return 0
    one_at_a_time
    is_set_up || set_up_now
    exec 9>&- # or the window would keep the lock for as long as it is open
}

set_up_now() {
    say "Setting Duoscope up in $ROOT. This happens once and takes a few minutes."
    make_venv
    install_packages_of_python
    printf '%s\n' "$(fingerprint) $purpose" >"$STAMP"
    say "Set-up finished: $(du -sh "$VENV" 2>/dev/null | cut -f1) in .venv."
}

# --- is anything to be done? ------------------------------------------------------------------

fingerprint() {
    cat "$ROOT/pyproject.toml" "$ROOT/packaging/setup.sh" | cksum | tr ' ' '-'
}

is_set_up() {
    [ -f "$STAMP" ] && [ ! -e "$UNFINISHED" ] && "$VENV_PYTHON" -c '' 2>/dev/null || return 1
    read -r done_fingerprint done_purpose <"$STAMP" || return 1
    [ "$done_fingerprint" = "$(fingerprint)" ] || return 1
    [ "$done_purpose" = dev ] || [ "$done_purpose" = "$purpose" ]
}

# Two starts at once wait for each other where the system can do that.
one_at_a_time() {
    command -v flock >/dev/null 2>&1 || return 0
    exec 9>"$ROOT/.set-up.lock" || fail "the folder $ROOT cannot be written to. Copy it to where you may write."
    flock -n 9 && return 0
    say 'Another set-up of this folder is running; waiting for it.'
    flock 9
}

# --- system packages ---------------------------------------------------------------------------

add_system_packages() {
    find_python || :
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        say "Missing on this system (Debian's names): $missing"
        say 'Install them with your package manager if the window does not open.'
        return 0
    fi
    # shellcheck disable=SC2086  # a list of words
    apt_install $missing
    find_python || :
}

missing_packages() {
    [ "$(uname -s)" = Linux ] || return 0
    wanted=$LIBRARIES_ALWAYS
    [ "$purpose" = dev ] || [ "${QT_QPA_PLATFORM:-}" = offscreen ] || wanted="$wanted$LIBRARIES_WINDOW"
    known=$(known_libraries)
    printf '%s\n' "$wanted" | while read -r library package; do
        case $known in
            *"$library "*) ;;
            *) [ -z "$library" ] || printf '%s ' "$package" ;;
        esac
    done
    is_set_up || missing_python_packages
}

known_libraries() {
    PATH=$PATH:/sbin:/usr/sbin
    if command -v ldconfig >/dev/null 2>&1; then
        ldconfig -p 2>/dev/null
    else
        find /lib /usr/lib /usr/lib64 -name 'lib*.so.*' -exec basename {} \; 2>/dev/null | sed 's/$/ /'
    fi
}

missing_python_packages() {
    if [ -z "$PYTHON" ]; then
        printf 'python3 python3-venv'
    elif ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        "$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    fi
}

apt_install() {
    if [ "$(id -u)" = 0 ]; then
        as_root='env'
    elif sudo -n true 2>/dev/null; then
        as_root='sudo env'
    else
        fail "system packages are missing and only an administrator may install them. Ask for this:

    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*

and start again. (If your account may use sudo with a password, run that line yourself.)"
    fi
    say "Installing system packages with apt: $*"
    $as_root DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 ||
        say 'apt could not refresh its lists (no network?); trying with the old ones.'
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || {
        fail "apt could not install the system packages named above. Check the network, then try this by hand:

    apt-get update && apt-get install --no-install-recommends $*"
    }
}

# --- Python ------------------------------------------------------------------------------------

# Sets PYTHON to the first that is new enough, or to nothing; PYTHON_TOO_OLD tells what else was found.
find_python() {
    PYTHON='' PYTHON_TOO_OLD=''
    for candidate in ${DUOSCOPE_PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 15)))' 2>/dev/null; then
            PYTHON=$(command -v "$candidate")
            return 0
        fi
        PYTHON_TOO_OLD="$PYTHON_TOO_OLD $candidate ($("$candidate" -V 2>&1))"
    done
    return 1
}

make_venv() {
    [ -n "$PYTHON" ] || fail "Python 3.11 to 3.14 is needed${PYTHON_TOO_OLD:+, found only}$PYTHON_TOO_OLD.
Install one (Debian, Ubuntu: apt-get install python3.12 python3.12-venv), or name one:

    DUOSCOPE_PYTHON=/path/to/python3.12 sh packaging/start.sh"
    "$PYTHON" -c 'import sys; sys.exit(sys.maxsize < 2**32)' || fail "$PYTHON is a 32-bit Python; a 64-bit one is needed."
    if [ -e "$UNFINISHED" ]; then
        say 'The last set-up was interrupted; starting it anew.'
    elif "$VENV_PYTHON" -m pip --version >/dev/null 2>&1; then
        rm -f "$STAMP"
        return 0
    fi
    say "Making .venv with $PYTHON ($("$PYTHON" -V 2>&1))"
    "$PYTHON" -m venv --clear "$VENV" ||
        fail "$PYTHON could not make $VENV. On Debian and Ubuntu, python3-venv must be installed; the folder must be writable."
}

# --- packages of Python ------------------------------------------------------------------------

install_packages_of_python() {
    { : >"$UNFINISHED" && : >"$LOG"; } || fail "the folder $VENV cannot be written to."
    install_torch
    say 'Installing the other packages (about 470 MB to download if none is cached):'
    wanted_packages >"$VENV/requirements.txt"
    pip_install -r "$VENV/requirements.txt" || explain_pip_failure
    "$VENV_PYTHON" -c 'import PySide6.QtWidgets, vtkmodules.vtkRenderingOpenGL2, cv2, numba, torch' 2>>"$LOG" || {
        tail -n 3 "$LOG" >&2
        fail 'the packages were installed but do not start; the lines above say why.'
    }
    rm -f "$UNFINISHED"
}

# The dependencies as pyproject.toml lists them, with the extras of this purpose.
wanted_packages() {
    "$VENV_PYTHON" - "$purpose" <<'PYTHON'
import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
print(*project["dependencies"], *project["optional-dependencies"].get(sys.argv[1], []), sep="\n")
PYTHON
}

# PyTorch first and by itself: its usual Linux build brings gigabytes for NVIDIA's cards.
install_torch() {
    torch=$(sed -n 's/^ *"torch==\([0-9.]*\)".*/\1/p' pyproject.toml)
    "$VENV_PYTHON" -m pip show torch 2>/dev/null | grep -q "^Version: $torch" && return 0
    if [ "$(uname -s)" != Linux ]; then
        need_space 5000
        return 0
    elif has_nvidia; then
        say "An NVIDIA card is there: PyTorch $torch with CUDA (about 3000 MB to download)."
        need_space 13000
        pip_install "torch==$torch" || explain_pip_failure
        return 0
    fi
    need_space 5000
    say "PyTorch $torch, build for the processor (no NVIDIA card found; about 190 MB to download):"
    pip_install --no-deps "torch==$torch+cpu" && return 0
    is_not_offered || explain_pip_failure
    say "  not where pip looks by itself; trying PyTorch's own index"
    pip_install --no-deps --retries 1 --index-url https://download.pytorch.org/whl/cpu "torch==$torch+cpu" && return 0
    say "  not there either; taking the usual build (about 3000 MB to download, with libraries that stay unused)"
    need_space 13000
    pip_install "torch==$torch" || explain_pip_failure
}

has_nvidia() {
    nvidia-smi -L >/dev/null 2>&1
}

need_space() {
    free_mb=$(df -Pk "$VENV" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free_mb" -ge "$1" ] || {
        abandon_unfinished
        fail "$ROOT has $free_mb MB of free disk space, the set-up needs $1 MB. Make room, or move the folder."
    }
}

# Runs pip, shows what it downloads and how large that is, keeps everything in the log.
pip_install() {
    mkdir -p "$VENV/tmp"
    rm -f "$VENV/tmp/failed"
    : >"$LOG"
    {
        PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 TMPDIR=$VENV/tmp \
            "$VENV_PYTHON" -m pip install --progress-bar off "$@" 2>&1 || : >"$VENV/tmp/failed"
    } | while IFS= read -r line; do
        printf '%s\n' "$line" >>"$LOG"
        case $line in
            *Downloading*.metadata*) ;;
            *Downloading*' ('*MB\) | *'Using cached'*' ('*MB\) | *Processing*.whl) say "  ${line#"${line%%[! ]*}"}" ;;
        esac
    done
    pip_status=0
    [ ! -e "$VENV/tmp/failed" ] || pip_status=1
    rm -rf "$VENV/tmp"
    return "$pip_status"
}

# Whether pip reached an index and the package is not on it.
is_not_offered() {
    grep -q 'No matching distribution' "$LOG" && ! grep -qE "$NO_NETWORK|$NO_TRUST" "$LOG"
}

# pip failed by itself and has tidied up: what is there can be completed later.
abandon_unfinished() {
    rm -f "$UNFINISHED"
}

explain_pip_failure() {
    abandon_unfinished
    grep -E '^ *(ERROR|error)' "$LOG" | tail -n 3 >&2
    if grep -q 'No space left' "$LOG"; then
        fail "the disk is full. Make room and start again; what is already there is kept."
    elif grep -qE "$NO_TRUST" "$LOG"; then
        fail "pip does not trust the certificate of its package index; a proxy or firewall stands between, as in many
hospitals. Ask for its certificate and start again with it:

    PIP_CERT=/path/to/certificates.pem sh packaging/start.sh"
    elif grep -qE "$NO_NETWORK" "$LOG"; then
        fail "pip could not reach its package index. Check the network (behind a proxy, set HTTPS_PROXY) and start again;
what is already there is kept. The whole log: $LOG"
    elif grep -q 'No matching distribution' "$LOG"; then
        fail "a package has no build for $("$VENV_PYTHON" -V) on this $(uname -sm). Python 3.11 to 3.13 on 64-bit Linux,
macOS or Windows is known to have them all. The whole log: $LOG"
    fi
    fail "pip could not install the packages; the lines above say why. The whole log: $LOG"
}
