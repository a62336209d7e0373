"""Simulated phantoms through the command line: every picture, a fitting truth, the same again, nothing overwritten."""

import json

import numpy as np
import pytest
import tifffile

from core.calibration.phantoms import BeadPhantom, DiscPlate, GridPlate
from core.io.phantom_files import read_phantom


@pytest.fixture
def made(call, tmp_path):
    told = call(
        "simulate", "phantoms", tmp_path / "p", "--seed", "3", "--size", "200", "--poses", "2", "--beads", "cube-8"
    )
    assert told.code == 0, told.err
    return tmp_path / "p", told


def test_the_folder_holds_pictures_phantoms_and_truth(made):
    folder, told = made
    assert "16 pictures of 208 x 200 px" in told.out
    found = sorted(str(path.relative_to(folder).parent) for path in folder.rglob("*.tif"))
    kinds = {"beads": 2, "disc": 4, "grid": 1, "white": 1}
    assert found == sorted(f"{kind}_{plane}" for kind, count in kinds.items() for plane in "ab" for _ in range(count))
    sorts = {"grid": GridPlate, "disc": DiscPlate, "beads": BeadPhantom}
    assert all(isinstance(read_phantom(folder / f"{name}.json"), sort) for name, sort in sorts.items())
    truth = json.loads((folder / "truth.json").read_text())
    picture = tifffile.imread(folder / "beads_a" / "pose_01.tif")
    assert picture.dtype == np.uint16
    for u, v in np.round(truth["planes"]["A"]["bead_pixels"][0]).astype(int):
        assert picture[v, u] < np.median(picture[v - 8 : v + 9, u - 8 : u + 9])


def test_the_same_seed_gives_the_same_files(made, call, tmp_path):
    folder, _ = made
    words = ("--seed", "3", "--size", "200", "--poses", "2", "--beads", folder / "beads.json")
    assert call("simulate", "phantoms", tmp_path / "q", *words).code == 0
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(names) == 20
    assert all((folder / name).read_bytes() == (tmp_path / "q" / name).read_bytes() for name in names)


def test_nothing_is_overwritten(made, call):
    folder, _ = made
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = call("simulate", "phantoms", folder)
    assert told.code == 2
    assert "not empty" in told.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_is_asked_for_changes_the_pictures(call, tmp_path):
    base = ("--size", "200", "--poses", "1", "--beads", "cube-8")
    variants = {"plain": (), "bent": ("--level", "3"), "noisy": ("--photons", "100"), "lost": ("--missing", "0.5")}
    pictures = {}
    for name, words in variants.items():
        told = call("simulate", "phantoms", tmp_path / name, *base, *words)
        assert told.code == 0, told.err
        pictures[name] = tifffile.imread(tmp_path / name / "grid_a" / "grid.tif").astype(float)
    for name in ("bent", "noisy", "lost"):
        assert np.abs(pictures[name] - pictures["plain"]).max() > 1000
    white = [tifffile.imread(tmp_path / name / "white_a" / "white.tif")[90:110, 95:115] for name in ("plain", "noisy")]
    assert np.diff(white[1].astype(float)).std() > 1.8 * np.diff(white[0].astype(float)).std()
    truth = {name: json.loads((tmp_path / name / "truth.json").read_text())["planes"]["A"] for name in variants}
    assert len(truth["lost"]["grid_pixels"]) < 0.6 * len(truth["plain"]["grid_pixels"])
    assert truth["bent"]["distortion"]["pixels"] != truth["plain"]["distortion"]["pixels"]
    assert truth["bent"]["source_mm"] == truth["plain"]["source_mm"]
