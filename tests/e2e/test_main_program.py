"""The program as a process of its own: what it loads, says and returns, and what happens when it is interrupted."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.cli import run
from core.io.poses_csv import read_poses, write_poses
from core.io.simulated_study import write_simulated_study
from core.io.study import StudyFile
from core.registration.values import finish
from core.study.values import PoseKey, PoseStatus
from tests.real_data import ROOT

COMMANDS = (
    "demo",
    "open",
    "simulate",
    "simulate study",
    "simulate phantoms",
    "study create",
    "study add-trial",
    "study add-body",
    "study show",
    "poses import",
    "poses export",
    "register",
    "track",
    "render",
)
PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", "QT_QPA_PLATFORM": "offscreen"}


def main(*words: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **PLAIN, **environment},
    )


def says_one_sentence(told: subprocess.CompletedProcess[str]) -> bool:
    lines = [line for line in told.stderr.splitlines() if line.strip()]
    return len(lines) == 1 and lines[0].startswith("error: ") and "Traceback" not in told.stderr


@pytest.fixture(scope="module")
def walking(tmp_path_factory) -> Path:
    """A simulated study of twelve close frames with the truth as start poses."""
    path = tmp_path_factory.mktemp("sim") / "Läuft 1.study"
    finish(write_simulated_study(path, frames=12, seed=1, size_px=256, frames_per_cycle=60))
    with StudyFile.open(path) as study:
        for body in ("femur", "tibia"):
            records = read_poses(path / "truth" / f"{body}.csv")
            write_poses(
                path / f"{body}.csv",
                {f: type(r)(world_from_body=r.world_from_body, status=PoseStatus.IMPORTED) for f, r in records.items()},
            )
            starts = read_poses(path / f"{body}.csv")
            study.record({PoseKey("gait", body, f): r for f, r in starts.items()}, action="truth")
    return path


@pytest.fixture
def gait(walking, tmp_path) -> Path:
    """A copy that a test may spoil."""
    with StudyFile.open(walking, read_only=True) as study:
        return study.copy_to(tmp_path / walking.name)


LOADED = """
import sys
from app.cli import run
code = run({words!r})
loaded = {{name.partition(".")[0] for name in sys.modules}}
heavy = sorted(loaded & {{"torch", "vtk", "vtkmodules", "pyvista", "PySide6", "numba"}})
print("loaded", heavy, code)
"""


@pytest.mark.parametrize("words", [["--help"], ["register", "--help"], ["study", "add-trial", "--help"]])
def test_help_loads_nothing_heavy(words):
    told = subprocess.run(
        [sys.executable, "-c", LOADED.format(words=words)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "loaded [] 0"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert run([*command.split(), "--help"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    examples = told.out.partition("Example")[2]
    assert f"main.py {command}" in examples


def test_the_help_lists_every_command():
    told = main("--help")
    assert told.returncode == 0
    assert "Exit codes" in told.stdout
    for command in COMMANDS:
        assert re.search(rf"\b{command.split()[0]}\b", told.stdout), command


MISUSES = [
    (["regsiter"], "No such command"),
    (["study", "creat"], "No such command"),
    (["register"], "Missing argument"),
    (["register", "{study}"], "Missing option"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--jobs", "-1"], "--jobs"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--jobs", "two"], "--jobs"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--start", "zero"], "--start"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--device", "tpu"], "--device"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--body", "femur"], "named twice"),
    (["register", "{study}", "--trial", "run", "--body", "femur"], "has no trial 'run'"),
    (["register", "{study}", "--trial", "gait", "--body", "hip"], "has no body 'hip'"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--frames", "1-3"], "write 0:10"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--frames", ",", "--json"], "write 0:10"),
    (["register", "{study}x", "--trial", "gait", "--body", "femur"], "there is no study"),
    (["track", "{study}", "--trial", "gait", "--body", "femur"], "--from-frame"),
    (["track", "{study}", "--trial", "gait", "--body", "femur", "--from-frame", "99"], "no frame 99"),
    (["render", "{study}", "--trial", "gait", "--frame", "77", "{folder}/o.png"], "no frame 77"),
    (["render", "{study}", "--trial", "gait", "--frame", "1", "{folder}/o.jpg"], "PNG"),
    (["render", "{study}", "--trial", "gait", "--frame", "1", "{folder}/none/o.png"], "folder"),
    (["render", "{study}", "--trial", "gait", "--frame", "1", "--height", "9", "{folder}/o.png"], "--height"),
    (["poses", "export", "{study}", "--trial", "gait", "--body", "femur", "{folder}/none/o.csv"], "no folder"),
    (["poses", "export", "{study}", "--trial", "gait", "--body", "femur", "{folder}"], "cannot be written"),
    (["poses", "import", "{study}", "--trial", "gait", "--body", "femur", "{folder}/none.csv"], "none.csv"),
    (["poses", "import", "{study}", "--trial", "gait", "--body", "femur", "{folder}"], "{folder}"),
    (["open", "{folder}/none.study", "--screenshot", "{folder}/o.png"], "there is no study"),
    (["open", "{study}", "--screenshot", "{folder}/none/o.png"], "no folder"),
    (["demo", "--screenshot", "{folder}/none/o.png"], "no folder"),
    (["demo", "--screenshot", "{folder}/o.doc"], "o.png"),
    (["simulate", "{folder}/s.study", "--frames", "0"], "--frames"),
    (["simulate", "{folder}/s.study", "--seed", "-1"], "--seed"),
    (["simulate", "{folder}/s.study", "--bits", "12"], "8 or 16 bits"),
    (["simulate", "{folder}/s", "--frames", "1"], "s.study"),
    (["simulate", "{study}", "--frames", "1"], "exists already"),
    (["simulate", "--frames", "0", "{folder}/s.study"], "--frames"),
    (["simulate", "phantoms", "{study}"], "not empty"),
    (["simulate", "phantoms", "{folder}/p", "--grid", "grid-44"], "grid-45"),
    (["simulate", "phantoms", "{folder}/p", "--beads", "disc-200"], "disc-200 is a disc plate, not a bead phantom"),
    (["simulate", "phantoms", "{folder}/p", "--bits", "12"], "8 or 16 bits"),
    (["simulate", "phantoms", "{folder}/p", "--level", "9"], "--level"),
    (["study", "create", "{study}"], "exists already"),
    (["study", "create", ""], "NAME.study"),
    (["study", "show", "{folder}"], "is no study"),
    (["study", "add-body", "{study}", "hip", "{folder}", "--units", "mm"], "--units is for surfaces"),
    (["study", "add-body", "{study}", "hip", "{folder}"], "empty folder"),
    (["study", "add-body", "{study}", "hip", "README.md", "--units", "mm"], "no known kind"),
    (["study", "add-body", "{study}", "hip", "gone.nii.gz"], "is not there"),
    (["study", "add-body", "{study}", "hip", "gone.tif", "--spacing-mm", "1,2"], "three lengths"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--method", "magic"], "there is: gauss-newton"),
    (["register", "{study}", "--trial", "gait", "--body", "femur", "--prior-deg", "20"], "belongs to --start search"),
    (["study", "add-body", "{study}", "hip", "{folder}/none.stl", "--units", "mm"], "none.stl"),
    (["study", "add-body", "{study}", "", "{study}/models/femur.stl", "--units", "mm"], "needs a name"),
    (["study", "add-body", "{study}", "hip", "{study}/models/femur.stl", "--units", "inch"], "inch"),
]


@pytest.mark.parametrize(("words", "part"), MISUSES, ids=[" ".join(words) for words, _ in MISUSES])
def test_misuse_is_one_sentence_and_changes_nothing(walking, tmp_path, capsys, words, part):
    before = (walking / "study.sqlite").read_bytes()
    places = {"study": str(walking), "folder": str(tmp_path)}
    code = run([word.format(**places) for word in words])
    told = capsys.readouterr()
    assert code == 2
    errors = [line for line in told.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert told.err.splitlines()[-1] == errors[0]
    assert part.format(**places) in errors[0]
    assert told.out == ""
    assert list(tmp_path.iterdir()) == []
    with StudyFile.open(walking, read_only=True) as study:
        assert len(study.journal()) == 4 + 24
    if words[0] in {"render", "simulate"}:
        assert (walking / "study.sqlite").read_bytes() == before


def test_the_whole_way_as_processes_from_another_folder(walking, tmp_path):
    """Relative paths are those of the folder a person is in; what a terminal cannot show stops nothing."""
    shutil.copytree(walking, tmp_path / "s")

    def step(*words: object) -> subprocess.CompletedProcess[str]:
        told = main(*words, cwd=tmp_path, PYTHONIOENCODING="ascii")
        assert told.returncode == 0, told.stderr
        return told

    step("study", "create", "k.study", "--name", "Knie ö")
    step(
        *("study", "add-trial", "k.study", "g", "--images-a", "s/images/a", "--images-b", "s/images/b/*"),
        *("--calibration-a", "s/calibration/a.txt", "--calibration-b", "s/calibration/b.txt"),
    )
    step("study", "add-body", "k.study", "fémur", "s/models/femur.stl", "--units", "mm")
    step("poses", "import", "k.study", "--trial", "g", "--body", "fémur", "s/femur.csv")
    rows = json.loads(
        step("register", "k.study", "--trial", "g", "--body", "fémur", "--frames", "0:1", "--json").stdout
    )
    assert [row["frame"] for row in rows["frames"]] == [0, 1]
    shown = json.loads(step("study", "show", "k.study", "--json").stdout)
    assert (shown["name"], shown["poses"]) == ("Knie ö", 12)
    (tmp_path / "moved").mkdir()
    for name in ("k.study", "s"):
        shutil.move(tmp_path / name, tmp_path / "moved" / name)
    step("register", "moved/k.study", "--trial", "g", "--body", "fémur", "--frames", "1")


def test_two_writers_are_kept_apart_and_the_second_says_who_holds_it(gait):
    words = ("register", gait, "--trial", "gait", "--body", "femur", "--frames", "0")
    with StudyFile.open(gait, author="anna"):
        told = main(*words)
        assert told.returncode == 2
        assert says_one_sentence(told)
        assert f"anna (process {os.getpid()} on " in told.stderr
        assert run(["study", "show", str(gait)]) == 0
        assert run(["open", str(gait), "--screenshot", str(gait / "o.png")]) == 2
    assert run(list(map(str, words))) == 0


def start(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **PLAIN},
    )


def wait_for_poses(study: Path, count: int) -> None:
    """Until that many poses of the run are in the study."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with StudyFile.open(study, read_only=True) as file:
            if sum(record.status is PoseStatus.AUTO for record in file.study.poses.by_key.values()) >= count:
                return
        time.sleep(0.005)
    raise AssertionError("the run stored nothing")


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_keeps_every_frame_it_had_done(gait, how):
    words = ("register", gait, "--trial", "gait", "--body", "femur", "--body", "tibia", "--jobs", 1)
    with start(*words) as running:
        wait_for_poses(gait, 2)
        running.send_signal(how)
        _, told = running.communicate(timeout=60)
    if how == signal.SIGINT:
        assert running.returncode == 2
        assert told.splitlines()[-1] == "cancelled; everything done so far is stored"
        assert "Traceback" not in told
    with StudyFile.open(gait) as file:
        done = [key.frame for key, record in file.study.poses.by_key.items() if record.status is PoseStatus.AUTO]
        assert 2 <= len(done) < 24
        assert all(done.count(frame) == 2 for frame in done), "a frame was stored with one body only"
        entries = [entry for entry in file.journal() if entry.action.startswith("register frame")]
        assert sorted(entry.frame for entry in entries) == sorted(done)
        assert (file.interrupted is not None) == (how == signal.SIGKILL)
    assert run([*map(str, words), "--frames", "11"]) in {0, 1}


def test_who_reads_only_the_beginning_is_no_error(walking):
    with start("study", "show", walking, "--json") as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        told = running.stderr.read()
    assert "Traceback" not in told
    assert "Exception" not in told
