"""The user guide and the readme say what the program does."""

import re
import subprocess
import sys

import pytest

from app.commands.actions import ACTIONS
from tests.architecture.tree import ROOT, project_files

GUIDE = (ROOT / "docs" / "user-guide.md").read_text()
KEYS = GUIDE.partition("## Keys")[2]
SAID_ONCE = {
    "Return": "Enter",
    "=": "+",
    "Ctrl+Y": "Ctrl+Shift+Z",
    "Ctrl+Return": "Ctrl+Enter",
    ",": "comma",
    ".": "period",
}
IN_GROUPS = {"Shift+Up", "Shift+Down", "Shift+Left", "Shift+Right", "Ctrl+PgUp", "Ctrl+PgDown"}
COMMANDS = re.findall(
    r"^python main\.py (\w+(?: (?:create|add-trial|add-body|import|export))?)(.*)$",
    (ROOT / "README.md").read_text(),
    re.M,
)


def test_the_guide_names_every_key_of_the_action_table():
    named = {part.strip() for row in KEYS.splitlines() for part in re.split(r"\bor\b|[;|]|, | and |\(hold\)", row)}
    wanted = {SAID_ONCE.get(key, key) for action in ACTIONS for key in action.keys} - IN_GROUPS
    assert sorted(wanted - named) == []


def test_links_between_pages_lead_somewhere():
    broken = [
        f"{page.name}: {target}"
        for page in project_files("*.md")
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize(("command", "line"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_the_commands_of_the_readme_exist(command, line):
    helped = subprocess.run(
        [sys.executable, "main.py", *command.split(), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", "PATH": "/usr/bin:/bin"},
    )
    assert helped.returncode == 0, helped.stderr
    options = re.findall(r"--[a-z][a-z0-9-]*", line.partition("#")[0])
    assert set(options) <= set(re.findall(r"--[a-z][a-z0-9-]*", helped.stdout))
    for repeated in {option for option in options if options.count(option) > 1}:
        assert re.search(rf"{repeated} +<list\[", helped.stdout), f"{repeated} cannot be given twice"
