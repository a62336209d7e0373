"""The command line as a whole: the window or a command, misuse, exit codes, and how fast it starts."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtGui import QColor

from app.cli import run
from app.views.panels.colours import body_colour
from core.io.poses_csv import read_poses
from core.io.study import StudyFile
from tests.app.cli.conftest import BODIES
from tests.real_data import ROOT


class Window:
    """Remembers how it was opened."""

    def __init__(self):
        self.asked = []

    def __call__(self, path=None, *, demo=False, screenshot=None):
        self.asked.append((path, demo, screenshot))
        return 0


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], (None, False, None)),
        (["demo"], (None, True, None)),
        (["demo", "--screenshot", "a.png"], (None, True, Path("a.png"))),
        (["open", "knee.study"], (Path("knee.study"), False, None)),
    ],
)
def test_the_window_is_opened_as_asked(words, asked):
    window = Window()
    assert run(words, window) == 0
    assert window.asked == [asked]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["fly"], "fly"),
        (["study"], ""),
        (["register"], ""),
        (["register", "x.study"], "--trial"),
        (["register", "x.study", "--trial", "t", "--body", "b", "--start", "tomorrow"], "tomorrow"),
        (["render", "x.study", "--trial", "t", "--frame", "one", "out.png"], "--frame"),
        (["simulate", "x.study", "--frames", "0"], "--frames"),
        (["study", "add-body", "x.study", "femur", "f.stl", "--wings"], "--wings"),
    ],
)
def test_misuse_ends_with_two_and_without_a_traceback(call, words, part):
    told = call(*words)
    assert told.code == 2
    assert part in told.err + told.out
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    "words",
    [
        ["demo"],
        ["open"],
        ["simulate"],
        ["simulate", "phantoms"],
        ["study", "create"],
        ["study", "add-trial"],
        ["study", "add-body"],
        ["study", "show"],
        ["poses", "import"],
        ["poses", "export"],
        ["register"],
        ["track"],
        ["render"],
    ],
)
def test_every_command_helps_with_an_example(call, words):
    told = call(*words, "--help")
    assert told.code == 0
    assert "Example" in told.out
    assert f"main.py {' '.join(words)}" in " ".join(told.out.split())


def test_help_needs_none_of_the_heavy_toolkits():
    code = (
        "import sys; from app.cli import run; run(['--help']); "
        "print(*[name for name in ('torch', 'vtk', 'vtkmodules', 'PySide6', 'numba', 'scipy.optimize', 'sqlalchemy') "
        "if name in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "register" in told.stdout
    assert told.stderr.strip() == ""


@pytest.mark.timing
def test_help_is_there_at_once():
    took = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "main.py", "--help"], cwd=ROOT, capture_output=True, check=True)
        took.append(time.perf_counter() - began)
    # Half a second on a quiet machine; the best of three on a busy one.
    assert min(took) < 1.5


def test_a_reader_that_leaves_is_no_error(study):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "main.py", "study", "show", str(study), "--json"]
    told = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert "Traceback" not in told.stderr


def test_a_frame_is_rendered_with_every_body_in_its_colour(study, call, tmp_path):
    out = tmp_path / "frame.png"
    told = call("render", study, "--trial", "stairs", "--frame", "2", out, "--height", "400")
    assert told.code == 0, told.err
    picture = cv2.imread(str(out))[:, :, ::-1].astype(int)
    assert picture.shape[0] > 400
    assert picture.shape[1] >= 3 * 400
    for index in range(len(BODIES)):
        colour = QColor(body_colour(index))
        wanted = np.array([colour.red(), colour.green(), colour.blue()])
        like_it = np.abs(picture - wanted).sum(axis=2) < 60
        for pane in (0, 1):
            assert like_it[:, 400 * pane : 400 * (pane + 1)].sum() > 50, f"body {index} in view {pane}"


def test_a_frame_without_poses_is_rendered_without_outlines(study, call, tmp_path):
    with StudyFile.open(study) as file:
        for body in BODIES:
            file.remove_body(body)
    told = call("render", study, "--trial", "stairs", "--frame", "2", tmp_path / "frame.png", "--height", "300")
    assert told.code == 0, told.err
    assert (tmp_path / "frame.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("frame", "name", "part"),
    [("1", "a.png", "no frame 1"), ("2", "a.bmp", "a.png"), ("2", "nowhere/a.png", "could not be written")],
)
def test_what_cannot_be_rendered_is_said(study, call, tmp_path, frame, name, part):
    told = call("render", study, "--trial", "stairs", "--frame", frame, tmp_path / name, "--height", "200")
    assert told.code == 2
    assert told.err.count("\n") == 1
    assert part in told.err


def test_a_simulated_study_is_complete_and_the_same_again(call, tmp_path):
    for name in ("a", "b"):
        told = call("simulate", tmp_path / f"{name}.study", "--frames", "2", "--seed", "5", "--size", "256")
        assert told.code == 0, told.err
    held = call("study", "show", tmp_path / "a.study", "--json").json
    assert len(held["trials"][0]["frames"]) == 2
    assert [body["name"] for body in held["bodies"]] == ["femur", "tibia"]
    for body in ("femur", "tibia"):
        one, other = ((tmp_path / f"{name}.study" / "truth" / f"{body}.csv").read_bytes() for name in "ab")
        assert one == other
        assert len(read_poses(tmp_path / "a.study" / "truth" / f"{body}.csv")) == 2
    pictures = [sorted((tmp_path / f"{name}.study").rglob("*.tif")) for name in "ab"]
    assert len(pictures[0]) == 4
    assert [path.read_bytes() for path in pictures[0]] == [path.read_bytes() for path in pictures[1]]


def test_a_simulated_study_overwrites_nothing(call, study):
    before = call("study", "show", study, "--json").json
    told = call("simulate", study, "--frames", "1", "--size", "128")
    assert told.code == 2
    assert "exists already" in told.err
    assert call("study", "show", study, "--json").json == before
    assert call("simulate", study.with_name("c.study"), "--bits", "12").code == 2


def test_started_as_a_program_it_returns_its_exit_code(study):
    command = [sys.executable, "main.py", "register", str(study), "--trial", "walk", "--body", "femur"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert told.stdout == ""
    assert told.stderr.startswith("error: ")
    command = [sys.executable, "main.py", "study", "show", str(study), "--json"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout)["name"] == "small"
