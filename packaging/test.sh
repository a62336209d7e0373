#!/bin/sh
# Check the whole project on a fresh machine: sets up what is missing, then lints, type-checks and tests.
#
#   sh packaging/test.sh                      everything
#   sh packaging/test.sh ARGUMENTS            only pytest, with these arguments
set -eu
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$ROOT/packaging/setup.sh"

LINT_IMPORTS='import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'
failed=''

check() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    "$VENV_PYTHON" "$@" || failed="$failed, $name"
}

set_up dev
if [ "$#" -gt 0 ]; then
    exec "$VENV_PYTHON" -m pytest "$@"
fi
check 'ruff' -m ruff check .
check 'ruff format' -m ruff format --check .
check 'mypy' -m mypy
check 'import contracts' -c "$LINT_IMPORTS"
check 'pytest' -m pytest -n auto --dist worksteal
[ -z "$failed" ] || {
    printf '\nFailed: %s\n' "${failed#, }"
    exit 1
}
printf '\nAll checks passed.\n'
