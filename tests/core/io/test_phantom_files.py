"""Phantoms as files: what comes with the program, what reads back the same, and what is refused in which words."""

import itertools
import json

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from core.calibration.phantoms import BeadPhantom, DiscPlate, GridPlate
from core.errors import CalibrationError
from core.io.phantom_files import builtin_phantoms, phantom_from_text, phantom_to_text, read_phantom, write_phantom

GRID = {"kind": "grid plate", "name": "g", "columns": 5, "rows": 5, "pitch_mm": 7, "bead_diameter_mm": 2}


def test_the_phantoms_that_come_along():
    assert builtin_phantoms() == ("cube-64", "cube-8", "disc-200", "grid-45", "holes-33", "tetra-4")
    for name in builtin_phantoms():
        assert read_phantom(name).name == name


def test_the_grid_is_that_of_the_published_distortion_coefficients():
    grid = read_phantom("grid-45")
    assert isinstance(grid, GridPlate)
    assert len(grid.indices) == 1762
    assert grid.position_mm(np.array(grid.extra_points)).tolist() == [[-119.0, 119.0]]


def test_the_perforated_plate_has_no_symmetry():
    """Its marker is off every axis and diagonal, so a turned or flipped plate can be told."""
    plate = read_phantom("holes-33")
    assert isinstance(plate, GridPlate)
    assert plate.perforated
    held = plate.present
    turns = [np.rot90(side, count) for side in (held, held.T) for count in range(4)]
    assert sum((turned == held).all() for turned in turns) == 1


@pytest.mark.parametrize("name", ["tetra-4", "cube-8", "cube-64"])
def test_a_bead_phantom_can_be_read_in_one_way_only(name):
    """Any other assignment of its beads misses by more than 5 mm, so no turn of the phantom is mistaken for another."""
    phantom = read_phantom(name)
    assert isinstance(phantom, BeadPhantom)
    points = phantom.points_mm - phantom.points_mm.mean(axis=0)
    assert min(_misfit(points, points[order]) for order in _other_readings(points)) > 5.0


def _other_readings(points):
    if len(points) == 4:
        return [list(order) for order in itertools.permutations(range(4))][1:]
    readings = []
    for turn in Rotation.create_group("O").as_matrix():
        distances = np.linalg.norm((points @ turn.T)[:, None] - points, axis=-1)
        order = linear_sum_assignment(distances**2)[1]
        if (order != np.arange(len(points))).any():
            readings.append(order)
    assert len(readings) > 10
    return readings


def _misfit(points, others):
    turn, distance = Rotation.align_vectors(others, points)
    del turn
    return distance / np.sqrt(len(points))


@pytest.mark.parametrize(
    "phantom",
    [
        GridPlate(
            name="Größe", columns=9, rows=7, pitch_mm=1 / 3, bead_diameter_mm=0.1, corner_cut=2, extra_points=((0, 1),)
        ),
        DiscPlate(name="d", radius_mm=99.987, height_mm=500.1, tilt_sd_deg=0.1),
        BeadPhantom(
            name="b",
            positions_mm=((0.1, 0.0, 0.0), (50.0, 0.0, 0.0), (0.0, 50.0, 0.0), (0.0, 0.0, 1e2 / 3)),
            bead_diameter_mm=2.0,
            bead_names=("a", "b", "c", "d"),
        ),
    ],
    ids=lambda phantom: phantom.name,
)
def test_a_phantom_reads_back_to_the_bit(tmp_path, phantom):
    write_phantom(phantom, tmp_path / "phantom.json")
    assert read_phantom(tmp_path / "phantom.json") == phantom


def test_a_file_comes_before_a_built_in_phantom_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_phantom(DiscPlate(name="mine", radius_mm=50.0, height_mm=400.0), tmp_path / "grid-45")
    assert read_phantom("grid-45").name == "mine"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": "grid"}, "field 'kind': 'grid' is none; it must be one of grid plate, disc plate, bead phantom"),
        ({"version": 2}, "version 2, this program knows 1"),
        ({"pitch": 7}, "there is no field 'pitch'; a grid plate has name, columns"),
        ({"rows": 4.5}, "field 'rows': 4.5 is not a whole number"),
        ({"rows": True}, "field 'rows': true is not a whole number"),
        ({"pitch_mm": "seven"}, "field 'pitch_mm': \"seven\" is not a number"),
        ({"pitch_mm": float("nan")}, "field 'pitch_mm': NaN is not a number"),
        ({"perforated": 1}, "field 'perforated': 1 is not true or false"),
        ({"extra_points": [[1, 2, 3]]}, "field 'extra_points': [[1, 2, 3]] is not a list of pairs"),
        ({"extra_points": [[9, 9]]}, "has no lattice point (9, 9)"),
        ({"name": 5}, "field 'name': 5 is not a text"),
        ({"bead_diameter_mm": 9}, "beads of 9.0 mm do not fit a pitch of 7.0 mm"),
    ],
)
def test_what_is_no_phantom_is_refused_by_file_and_field(tmp_path, changed, told):
    path = tmp_path / "plate.json"
    path.write_text(json.dumps({**GRID, **changed}))
    with pytest.raises(CalibrationError) as refused:
        read_phantom(path)
    assert str(path) in str(refused.value)
    assert told in str(refused.value)


def test_a_missing_field_is_named():
    without = {name: value for name, value in GRID.items() if name != "pitch_mm"}
    with pytest.raises(CalibrationError, match=r"^here: field 'pitch_mm' is missing; a grid plate needs it"):
        phantom_from_text(json.dumps(without), "here")


@pytest.mark.parametrize(
    ("text", "told"), [("{", "here, line 1: this is no JSON"), ("[1]", "must hold one object"), ("{}", "there is none")]
)
def test_what_is_no_json_object_is_refused(text, told):
    with pytest.raises(CalibrationError, match=told):
        phantom_from_text(text, "here")


def test_a_name_that_is_none_lists_those_there_are(tmp_path):
    with pytest.raises(CalibrationError, match=r"no phantom 'grid-44'.*cube-64, cube-8"):
        read_phantom("grid-44")
    with pytest.raises(CalibrationError, match="is missing"):
        read_phantom(tmp_path / "grid-44.json")


def test_a_remark_may_stand_in_a_file():
    assert phantom_from_text(json.dumps({**GRID, "comment": "made in May"}), "here").name == "g"


def test_points_stand_one_a_line():
    text = phantom_to_text(read_phantom("tetra-4"))
    assert "    [45.0, 43.0, 45.0],\n" in text
