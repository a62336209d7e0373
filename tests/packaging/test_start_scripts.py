"""start.sh and test.sh on machines of every kind: fakes of apt, sudo and Python note what the scripts ask of them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "libEGL.so.1 libGL.so.1 libxkbcommon.so.0 libfontconfig.so.1 libdbus-1.so.3 libglib-2.0.so.0 libX11-xcb.so.1 "
    "libxcb-cursor.so.0 libxcb-icccm.so.4 libxcb-image.so.0 libxcb-keysyms.so.1 libxcb-randr.so.0 "
    "libxcb-render-util.so.0 libxcb-shape.so.0 libxcb-xkb.so.1 libxkbcommon-x11.so.0 libwayland-cursor.so.0 "
    "libwayland-egl.so.1"
)
TOOLS = (
    "sh",
    "cat",
    "cp",
    "cksum",
    "tr",
    "dirname",
    "rm",
    "mkdir",
    "sed",
    "grep",
    "awk",
    "tail",
    "cut",
    "du",
    "flock",
    "env",
)
PYTHON = """#!/bin/sh
echo "python $*" >>"$NOTES"
case "$*" in
    '-c '*version_info*'<'*) exit {too_old} ;;
    '-c '*ensurepip*) exit {no_venv} ;;
    '-c '*python%d*) echo python3.99-venv ;;
    '-m venv --clear '*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; rm -f "$4"/.set-up-* ;;
    '-m pip show'*) exit 1 ;;
    '-m pip install'*+cpu*) echo '{torch_says}'; exit {torch_fails} ;;
    '-m pip install'*) echo '{pip_says}'; exit {pip_fails} ;;
    '- '*) echo numpy ;;
    -V) echo Python 3.12.0 ;;
esac
"""


@dataclass
class Machine:
    """A pretended machine: a project folder, and all the tools that its PATH has."""

    root: Path
    tools: Path
    notes: Path

    def tool(self, name, script):
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    def python(self, **traits):
        usual = {"too_old": 0, "no_venv": 0, "torch_says": "", "torch_fails": 0, "pip_says": "", "pip_fails": 0}
        (self.tools / "python3").write_text(PYTHON.format(**usual | traits))
        (self.tools / "python3").chmod(0o755)

    def run(self, script, *arguments, **environment):
        self.notes.write_text("")
        return subprocess.run(
            ["/bin/sh", str(self.root / "packaging" / script), *arguments],
            env={"PATH": str(self.tools), "NOTES": str(self.notes), "DISPLAY": ":0", **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def asked(self):
        """What was asked of apt, sudo and Python, line by line."""
        return self.notes.read_text().splitlines()

    def asked_for(self, words):
        return [line for line in self.asked if words in line]


@pytest.fixture
def machine(tmp_path):
    """A Debian on which nothing is missing but .venv; its user is root."""
    root, tools = tmp_path / "duo scope", tmp_path / "bin"
    tools.mkdir()
    (root / "packaging").mkdir(parents=True)
    for script in ("start.sh", "test.sh", "setup.sh"):
        shutil.copyfile(ROOT / "packaging" / script, root / "packaging" / script)
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    made = Machine(root=root, tools=tools, notes=tmp_path / "notes")
    made.tool("uname", "echo Linux")
    made.tool("id", "echo 0")
    made.tool("df", "printf 'head\\nd 1 1 90000000 1 /\\n'")
    made.tool("ldconfig", f'for l in {LIBRARIES}; do echo "  $l (libc6) => /lib/$l"; done')
    made.tool("apt-get", 'echo "apt-get $*" >>"$NOTES"')
    made.tool("nvidia-smi", "exit 1")
    made.python()
    return made


def test_the_scripts_are_posix(machine):
    for script in ("start.sh", "test.sh", "setup.sh"):
        text = (ROOT / "packaging" / script).read_text()
        assert not any(word in text for word in ("[[ ", "function ", "local ", "<<<", "pipefail"))
        subprocess.run(["/bin/sh", "-n", str(ROOT / "packaging" / script)], check=True)


def test_a_fresh_machine_gets_everything_and_opens_the_demo(machine):
    done = machine.run("start.sh")
    assert done.returncode == 0, done.stderr
    assert not machine.asked_for("apt-get")
    assert machine.asked_for("-m venv --clear")
    assert "torch==2.13.0+cpu" in machine.asked_for("-m pip install")[0]
    assert machine.asked[-1] == f"python {machine.root}/main.py demo"


def test_the_second_start_installs_nothing(machine):
    machine.run("start.sh")
    done = machine.run("start.sh", "register", "a study.study", "--help")
    assert done.stderr == ""
    assert not machine.asked_for(" -m ")
    assert machine.asked[-1] == f"python {machine.root}/main.py register a study.study --help"


def test_a_changed_project_file_installs_again(machine):
    machine.run("start.sh")
    with (machine.root / "pyproject.toml").open("a") as file:
        file.write("# another dependency\n")
    machine.run("start.sh")
    assert machine.asked_for("-m pip install")
    assert not machine.asked_for("venv --clear")


def test_tests_need_more_than_a_start_and_a_start_no_more_than_tests(machine):
    machine.run("start.sh")
    machine.run("test.sh", "tests/laws")
    assert machine.asked_for("-m pip install")
    assert machine.asked[-1] == "python -m pytest tests/laws"
    machine.run("start.sh")
    assert not machine.asked_for("pip install")


def test_an_interrupted_set_up_starts_anew(machine):
    machine.run("start.sh")
    (machine.root / ".venv" / ".set-up-unfinished").touch()
    done = machine.run("start.sh")
    assert "interrupted" in done.stderr
    assert machine.asked_for("venv --clear")
    assert machine.asked[-1].endswith("main.py demo")


def test_a_venv_whose_python_is_gone_is_made_again(machine):
    machine.run("start.sh")
    (machine.root / ".venv" / "bin" / "python").unlink()
    machine.run("start.sh")
    assert machine.asked_for("venv --clear")


def test_root_installs_only_the_missing_libraries(machine):
    machine.tool("ldconfig", 'echo "  libEGL.so.1 (libc6) => x"')
    machine.run("start.sh", QT_QPA_PLATFORM="offscreen")
    (installed,) = machine.asked_for("apt-get install")
    assert installed.split("recommends ")[1].split() == [
        "libgl1",
        "libxkbcommon0",
        "libfontconfig1",
        "libdbus-1-3",
        "libglib2.0-0",
    ]


def test_a_window_needs_more_libraries_than_a_test(machine):
    machine.tool("ldconfig", "exit 0")
    machine.run("start.sh")
    (for_window,) = machine.asked_for("apt-get install")
    assert "libxcb-cursor0" in for_window
    machine.run("test.sh")
    (for_tests,) = machine.asked_for("apt-get install")
    assert "libxcb-cursor0" not in for_tests


def test_who_may_not_install_is_told_what_to_ask_for(machine):
    machine.tool("id", "echo 1000")
    machine.tool("sudo", "exit 1")
    machine.tool("ldconfig", "exit 0")
    done = machine.run("start.sh")
    assert done.returncode == 1
    assert "sudo apt-get install -y --no-install-recommends libegl1 libgl1" in done.stderr
    assert machine.asked_for("apt-get") == []


def test_sudo_without_a_password_is_used(machine):
    machine.tool("id", "echo 1000")
    machine.tool("sudo", 'echo "sudo $*" >>"$NOTES"')
    machine.tool("ldconfig", "exit 0")
    machine.run("start.sh")
    assert machine.asked_for("sudo env DEBIAN_FRONTEND=noninteractive apt-get install")


def test_the_missing_venv_module_is_installed(machine):
    machine.python(no_venv=1)
    machine.run("start.sh")
    assert machine.asked_for("apt-get install")[0].endswith("python3.99-venv")


def test_an_old_python_is_named(machine):
    machine.python(too_old=1)
    machine.tool("apt-get", "exit 0")
    done = machine.run("start.sh")
    assert done.returncode == 1
    assert "Python 3.11 to 3.14 is needed, found only python3 (Python 3.12.0)" in done.stderr


def test_an_nvidia_card_gets_the_usual_torch(machine):
    machine.tool("nvidia-smi", "exit 0")
    machine.run("start.sh")
    assert machine.asked_for("torch==")[0].endswith("torch==2.13.0")


def test_a_torch_for_the_processor_is_looked_for_in_two_places(machine):
    machine.python(torch_says="ERROR: No matching distribution found for torch", torch_fails=1)
    done = machine.run("start.sh")
    tried = [line.split()[-3:] for line in machine.asked_for("torch==")]
    assert [words[-1] for words in tried] == ["torch==2.13.0+cpu", "torch==2.13.0+cpu", "torch==2.13.0"]
    assert "https://download.pytorch.org/whl/cpu" in tried[1]
    assert "about 3000 MB" in done.stderr
    assert machine.asked[-1].endswith("main.py demo")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "Check the network"),
        ("SSLError(CERTIFICATE_VERIFY_FAILED)", "PIP_CERT="),
        ("OSError: No space left on device", "the disk is full"),
        ("ERROR: No matching distribution found for numpy", "a package has no build"),
    ],
)
def test_a_failed_download_is_explained_and_can_be_repeated(machine, said, told):
    machine.python(pip_says=said, pip_fails=1)
    done = machine.run("start.sh")
    assert done.returncode == 1
    assert told in done.stderr
    assert not machine.asked_for("main.py")
    machine.python()
    shutil.copyfile(machine.tools / "python3", machine.root / ".venv" / "bin" / "python")
    machine.run("start.sh")
    assert not machine.asked_for("venv --clear")
    assert machine.asked[-1].endswith("main.py demo")


def test_an_open_window_does_not_keep_the_lock_of_the_set_up(machine):
    if shutil.which("flock") is None:
        pytest.skip("this system has no flock")
    machine.tool(
        "python3",
        (machine.tools / "python3")
        .read_text()
        .replace("-V)", '*main.py*) echo x 2>/dev/null >&9 && echo "locked" >>"$NOTES" ;;\n    -V)'),
    )
    machine.run("start.sh")
    assert machine.asked_for("main.py")
    assert not machine.asked_for("locked")


def test_a_full_disk_is_noticed_before_the_download(machine):
    machine.tool("df", "printf 'head\\nd 1 1 1024000 1 /\\n'")
    done = machine.run("start.sh")
    assert done.returncode == 1
    assert "1000 MB of free disk space, the set-up needs 5000 MB" in done.stderr
    assert not machine.asked_for("pip install")


def test_without_a_screen_the_window_is_refused_and_commands_run(machine):
    refused = machine.run("start.sh", DISPLAY="")
    assert refused.returncode == 1
    assert "there is no screen" in refused.stderr
    done = machine.run("start.sh", "simulate", "a.study", DISPLAY="")
    assert done.returncode == 0, done.stderr
    shot = machine.run("start.sh", "demo", "--screenshot", "a.png", DISPLAY="")
    assert shot.returncode == 0, shot.stderr


def test_the_whole_check_tells_what_failed(machine):
    machine.run("test.sh")
    done = machine.run("test.sh")
    ran = [line.split()[1:3] for line in machine.asked if "-c " in line or line.startswith("python -m")]
    assert [words[-1] for words in ran][-5:] == ["ruff", "ruff", "mypy", "import", "pytest"]
    assert done.returncode == 0
    assert done.stdout.endswith("All checks passed.\n")
    (machine.root / ".venv" / "bin" / "python").write_text('#!/bin/sh\n[ "$2" != mypy ]\n')
    done = machine.run("test.sh")
    assert done.returncode == 1
    assert done.stdout.endswith("Failed: mypy\n")
