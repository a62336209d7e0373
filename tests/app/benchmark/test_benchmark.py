"""The benchmark: our figures, peers that behave and that do not, what is written, and the command."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.benchmark import ours, suite
from app.benchmark.peers_run import PEERS, SCRIPTS, Peer, measure, pythons_of
from app.benchmark.results import COLUMNS, OURS, Row, as_json, as_markdown, machine, with_ratios, write
from app.benchmark.suite import Extent, run
from app.benchmark.work import POSE, mesh_work, off_by_exactly, phantom, volume_work
from app.cli import run as run_command
from core.errors import DuoscopeError
from core.geometry.volume import Volume
from core.rendering.path_length import path_length
from tests.scenes import of_trimesh

TINY = Extent(
    mesh_px=(64,),
    mesh_edge_mm=5.0,
    volumes=((24, 64),),
    register_px=128,
    register_voxels=24,
    seeds=1,
    repeats=1,
)
FAKE = """
import sys
sys.path.insert(0, {folder!r})
from harness import run
import numpy as np

def load():
    {load}
    return "7.5"

def prepare(work):
    def draw():
        {draw}
    return draw

run(load, prepare)
"""


@pytest.fixture(scope="module")
def work():
    return mesh_work(64, 5.0)


@pytest.fixture
def fake(tmp_path):
    """A peer made of a line each for loading and drawing."""

    def made(load="pass", draw="return np.full((2, *work['size']), 3.0)") -> Peer:
        script = tmp_path / "fake.py"
        script.write_text(FAKE.format(folder=str(SCRIPTS), load=load, draw=draw))
        return Peer(name="fake", package="fake-package", script=script, kind="mesh")

    return made


def test_we_draw_a_mesh_as_the_truth_has_it(work):
    row = ours.draw(work, 2)
    assert row.state == "ok"
    assert row.error < 1e-5
    assert row.worst < 1e-3
    assert row.cpu_s > 0


def test_the_phantom_is_seen_through_and_its_march_is_right():
    made = volume_work(24, 64)
    assert 1.0 < made.truth.max() < 5.0
    block = phantom(12)
    even = np.full((12, 12, 12), 0.02, dtype=np.float32)
    cube = Volume(attenuation_per_mm=even, spacing_mm=block.spacing_mm, body_from_grid=block.body_from_grid)
    box = of_trimesh(trimesh.creation.box(cube.extent_mm))
    for view, seen in zip(made.views, type(made)(volume=cube, views=made.views).truth, strict=True):
        np.testing.assert_allclose(seen, 0.02 * path_length(box, view, POSE), atol=1e-3)


def test_starts_are_exactly_as_far_off_as_said():
    pivot = np.array([3.0, -8.0, 20.0])
    for seed in range(3):
        start = off_by_exactly(POSE, pivot, 5.0, 5.0, seed)
        assert np.linalg.norm(start.apply(pivot[None]) - POSE.apply(pivot[None])) == pytest.approx(5.0)
        assert start.angle_deg_to(POSE) == pytest.approx(5.0)


def test_a_peer_is_timed_and_scored(work, fake):
    row = measure(fake(), work, 2)
    assert (row.state, row.version, row.who) == ("ok", "7.5", "fake")
    assert row.error == pytest.approx(np.sqrt(((3.0 - work.truth) ** 2).mean()), rel=1e-6)
    assert row.worst == pytest.approx(np.abs(3.0 - work.truth).max(), rel=1e-6)
    assert row.cpu_s >= 0


@pytest.mark.parametrize(
    ("load", "draw", "state", "told"),
    [
        ("import a_library_that_is_not_there", "return None", "not installed", "pip install fake-package"),
        ("raise ImportError('libX.so: cannot open')", "return None", "failed", "libX.so"),
        ("pass", "raise ValueError('no GPU')", "failed", "no GPU"),
        ("pass", "import os; os.abort()", "failed", ""),
        ("pass", "return np.zeros((2, 3, 4))", "failed", "(2, 3, 4)"),
        ("pass", "return np.full((2, *work['size']), np.nan)", "failed", ""),
        ("import time; time.sleep(60)", "return None", "timed out", "2 s"),
    ],
)
def test_a_peer_that_fails_costs_a_line_and_no_more(work, fake, load, draw, state, told):
    row = measure(fake(load, draw), work, 1, timeout_s=2.0 if "sleep" in load else 60.0)
    assert row.state == state
    assert told in row.told
    assert row.cpu_s is None


def test_a_python_that_cannot_start_is_told(work, fake, tmp_path):
    row = measure(fake(), work, 1, python=tmp_path / "nowhere")
    assert row.state == "failed"


def test_each_peer_has_its_script_and_says_when_it_is_missing(work):
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    for peer in PEERS:
        assert peer.script.is_file(), peer.name
    row = measure(next(peer for peer in PEERS if peer.name == "gVXR"), work, 1)
    assert row.state in {"not installed", "failed", "ok"}


def test_pythons_are_named_by_peer():
    here = sys.executable
    assert pythons_of([f"rtk={here}", f"Open3D={here}"]) == {"RTK Joseph": Path(here), "Open3D": Path(here)}
    with pytest.raises(DuoscopeError, match="no peer 'unheard'"):
        pythons_of([f"unheard={here}"])
    with pytest.raises(DuoscopeError, match="no file"):
        pythons_of(["nanodrr=/nowhere/python"])


def test_ratios_are_over_our_cpu_seconds():
    rows = [
        Row(workload="a", who=OURS, cpu_s=0.5),
        Row(workload="a", who="other", cpu_s=2.0),
        Row(workload="b", who="other", cpu_s=2.0),
        Row(workload="a", who="absent", state="not installed"),
    ]
    assert [row.cpu_ratio for row in with_ratios(rows)] == [1.0, 4.0, None, None]


@pytest.mark.slow
def test_the_whole_suite_with_a_peer(fake):
    reports = []
    work = run(TINY, [fake()])
    while True:
        try:
            reports.append(next(work))
        except StopIteration as end:
            rows = end.value
            break
    assert [report.fraction for report in reports] == sorted(report.fraction for report in reports)
    assert reports[-1].fraction == 1.0
    assert {row.who for row in rows} == {OURS, "fake"}
    mesh = next(row for row in rows if row.workload.startswith("register mesh"))
    assert mesh.error < 0.5
    assert mesh.error_deg < 2.0


def test_what_is_written_can_be_read_again(tmp_path):
    rows = [
        Row(workload="a | b", who=OURS, version="1", cpu_s=0.5, wall_s=0.6, error=0.01, error_unit="mm"),
        Row(workload="a | b", who="other", state="not installed", told="pip install other"),
    ]
    before = machine()
    written = write(tmp_path / "figures", rows, quick=True, before=before)
    assert [path.name for path in written][:2] == ["benchmark.json", "benchmark.md"]
    stored = json.loads(written[0].read_text())
    assert stored == json.loads(json.dumps(as_json(rows, quick=True, before=before)))
    assert set(stored) == {"format", "quick", "machine", "versions", "rows"}
    assert [Row(**row) for row in stored["rows"]] == rows
    assert set(stored["rows"][0]) == set(asdict(rows[0]))
    table = as_markdown(rows, before)
    assert all(column in table for column in COLUMNS)
    assert "pip install other" in table
    for path in written[2:]:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_a_table_and_writes_figures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(suite, "QUICK", TINY)
    assert run_command(["benchmark", "--quick", "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "register mesh" in told
    assert (tmp_path / "out" / "benchmark.json").is_file()
    assert run_command(["benchmark", "--peer-python", "unheard=/x"]) == 2
    assert "no peer" in capsys.readouterr().err
