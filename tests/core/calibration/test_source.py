"""The source of a simulated plane is found within its intervals, and pictures that cannot tell it are refused."""

from dataclasses import replace

import numpy as np
import pytest

from core.calibration.faults import CalibrationFaultError, Fault
from core.calibration.phantoms import BeadPhantom, DiscPlate, GridPlate
from core.calibration.published_source import METHOD
from core.calibration.source import SourceSettings, calibrate_source
from core.errors import CalibrationError
from core.simulation.phantoms.beads import bead_picture, made_beads, poses_in_view
from core.simulation.phantoms.chain import PhantomChain, white_picture
from core.simulation.phantoms.disc import DiscAsMade, disc_picture, made_disc
from core.simulation.phantoms.plate import grid_picture, made_plate
from core.simulation.phantoms.rig import RigSettings, make_rig
from tests.core.calibration.simulated import finished, true_correction

DISC = DiscPlate(name="disc", radius_mm=100.0, height_mm=500.0)
TURNS = (0.0, 90.0, 180.0, 270.0)


@pytest.fixture(scope="module")
def rig():
    return make_rig(5, RigSettings(height_px=600))


@pytest.fixture(scope="module")
def plane(rig):
    return rig.planes["A"]


@pytest.fixture(scope="module")
def correction(plane):
    return true_correction(plane)


@pytest.fixture(scope="module")
def made():
    return made_disc(DISC, 5)


@pytest.fixture(scope="module")
def pictures(plane, made):
    seats = np.random.default_rng(6).normal(0.0, DISC.seat_sd_mm, (4, 2))
    return [
        disc_picture(plane, made, turn_deg=turn, seat_mm=tuple(seat), seed=number)
        for number, (turn, seat) in enumerate(zip(TURNS, seats, strict=True))
    ]


@pytest.fixture(scope="module")
def found(pictures, correction):
    return finished(calibrate_source(pictures, DISC, correction))


def refused(pictures, correction, settings=None, plate=DISC):
    with pytest.raises(CalibrationFaultError) as caught:
        finished(calibrate_source(pictures, plate, correction, settings))
    return caught.value


def test_four_turns_find_the_source(found, plane):
    error = np.array(found.source_mm) - plane.source_mm
    assert np.abs(error[:2]).max() < 0.3
    assert abs(error[2]) < 2.0  # the plate of this case is off its description
    assert (np.abs(error) < 3.0 * np.sqrt(np.diag(found.covariance))).all()
    assert found.edge_rms_px < 0.1
    assert found.notes == ()


def test_a_plate_as_described_gives_the_distance_to_a_fraction_of_a_millimetre(plane, correction):
    exact = DiscAsMade(radius_mm=100.0, height_mm=500.0, offset_mm=(1.5, -0.7), tilt_deg=(0.4, -0.3))
    pictures = [disc_picture(plane, exact, turn_deg=turn, seed=9) for turn in TURNS]
    error = np.array(finished(calibrate_source(pictures, DISC, correction)).source_mm) - plane.source_mm
    assert np.abs(error[:2]).max() < 0.03
    assert abs(error[2]) < 0.3


def test_the_covariance_holds_the_tolerances(found, pictures, correction):
    """The table of what a tolerance does: 50 mm of distance a mm of radius, 3.7 a mm of height."""
    sd_mm = np.sqrt(np.diag(found.covariance))
    assert 0.06 < sd_mm[0] < 0.15
    assert 0.7 < sd_mm[2] < 1.6
    wide = replace(DISC, radius_sd_mm=0.1)
    wider = finished(calibrate_source(pictures, wide, correction)).covariance[2, 2]
    assert np.sqrt(wider - found.covariance[2, 2]) == pytest.approx(5.0, abs=0.2)


def test_the_plate_is_found_off_its_tube(found, made):
    assert np.abs(np.array(found.plate_offset_mm) - made.offset_mm).max() < 0.1
    assert [shadow.turn_deg for shadow in found.shadows] == list(TURNS)


def test_one_turn_says_how_little_it_knows(pictures, correction, plane):
    one = finished(calibrate_source(pictures[:1], DISC, correction))
    sd_mm = np.sqrt(np.diag(one.covariance))
    assert sd_mm[0] > 5.0
    assert abs(one.source_mm[2] - plane.source_mm[2]) < 3.0 * sd_mm[2]
    assert "one turn" in one.notes[0]


def test_half_of_linear_intensity_and_no_other_level(plane, made, correction, pictures, found):
    """A level of a fifth, near that of half the logarithm, is millimetres off."""
    low = finished(calibrate_source(pictures, DISC, correction, SourceSettings(edge_share=0.2)))
    assert abs(low.source_mm[2] - found.source_mm[2]) > 3.0


def test_logarithmic_pictures_are_made_linear(plane, made, correction, found):
    chain = PhantomChain(curve="logarithmic", black_level=0.0)
    pictures = [disc_picture(plane, made, turn_deg=turn, seed=3, chain=chain) for turn in TURNS]
    result = finished(calibrate_source(pictures, DISC, correction, SourceSettings(intensities="logarithmic")))
    assert abs(result.source_mm[2] - plane.source_mm[2]) < 2.0
    wrong = finished(calibrate_source(pictures, DISC, correction))
    assert abs(wrong.source_mm[2] - plane.source_mm[2]) > 5.0


def test_something_over_the_edge_is_left_out(pictures, plane, correction, found):
    covered = [picture.copy() for picture in pictures]
    u, v = plane.map.px_from_mm(found.shadows[0].edge_mm[:1])[0].round().astype(int)
    covered[0][v - 15 : v + 15, u - 15 : u + 15] //= 3
    result = finished(calibrate_source(covered, DISC, correction))
    assert result.shadows[0].used.sum() < found.shadows[0].used.sum() - 5
    assert np.abs(np.subtract(result.source_mm, found.source_mm)).max() < 0.2


def test_the_published_circle_is_coarser(pictures, correction, plane):
    result = finished(calibrate_source(pictures, DISC, correction, SourceSettings(method="published-circle")))
    assert result.method == METHOD
    error = np.abs(np.array(result.source_mm) - plane.source_mm)
    assert error[2] < 20.0
    assert error[:2].max() < 4.0
    assert np.sqrt(result.covariance[2, 2]) == pytest.approx(9.2 / np.sqrt(12.0), rel=0.1)


def test_turns_the_other_way_round_are_noticed(pictures, correction):
    fault = refused(pictures, correction, SourceSettings(turns_deg=(0.0, 270.0, 180.0, 90.0)))
    assert fault.fault is Fault.PLATE_MOVED
    assert "0, 90, 180, 270 deg" in str(fault)


def test_a_plate_that_slid_is_noticed(plane, made, correction, pictures):
    slid = disc_picture(plane, made, turn_deg=90.0, seat_mm=(2.5, 0.0), seed=4)
    fault = refused([pictures[0], slid, pictures[2], pictures[3]], correction)
    assert fault.fault is Fault.PLATE_MOVED
    assert "other way round" not in str(fault)


def test_a_tube_that_was_never_turned_is_suspected(plane, made, correction):
    pictures = [disc_picture(plane, replace(made, offset_mm=(0.0, 0.0)), seed=number) for number in range(4)]
    assert "was the tube turned" in finished(calibrate_source(pictures, DISC, correction)).notes[0]


def test_the_same_picture_twice_is_refused(pictures, correction):
    assert refused([pictures[0], pictures[1], pictures[0]], correction).fault is Fault.NOT_DETERMINED


def test_pictures_of_other_sizes_are_refused(pictures, correction):
    assert refused([pictures[0], pictures[1][:-1]], correction).fault is Fault.UNEQUAL_SIZES
    assert refused([pictures[0][:-1]], correction).fault is Fault.OTHER_SIZE


def test_a_saturated_picture_is_refused(plane, made, correction):
    bright = disc_picture(plane, made, seed=1, chain=PhantomChain(open_share=1.3))
    assert refused([bright], correction).fault is Fault.SATURATED


def test_a_picture_without_a_disc_is_refused(plane, correction):
    assert refused([white_picture(plane, PhantomChain(), 1)], correction).fault is Fault.NO_DISC
    assert refused([np.full((600, 624), 700, dtype=np.uint16)], correction).fault is Fault.NO_DISC


def test_a_disc_over_the_edge_of_the_field_is_refused(plane, made, correction):
    aside = disc_picture(plane, made, seat_mm=(45.0, 10.0), seed=1)
    assert refused([aside], correction).fault is Fault.CUT_DISC


def test_the_bead_plate_is_no_disc(plane, correction):
    plate = GridPlate(name="p", columns=45, rows=45, pitch_mm=7.0, bead_diameter_mm=2.0, corner_cut=11)
    fault = refused([grid_picture(plane, made_plate(plate, 1), seed=1)], correction)
    assert fault.fault in {Fault.WRONG_PHANTOM, Fault.NO_DISC}
    holes = replace(plate, pitch_mm=10.0, columns=33, rows=33, bead_diameter_mm=5.0, perforated=True)
    fault = refused([grid_picture(plane, made_plate(holes, 1), seed=1)], correction)
    assert fault.fault in {Fault.WRONG_PHANTOM, Fault.NO_DISC, Fault.NOT_A_PHANTOM}


def test_a_few_beads_are_no_disc(rig, plane, correction):
    corners = tuple((x, y, z) for x in (-40.0, 35.0) for y in (-50.0, 45.0) for z in (-30.0, 50.0))
    made = made_beads(BeadPhantom(name="b", positions_mm=corners, bead_diameter_mm=3.0), 1)
    picture = bead_picture(plane, made, poses_in_view(rig, made, 1, 1)[0], seed=1)
    assert refused([picture], correction).fault is Fault.NO_DISC


def test_something_that_is_not_round_is_refused(plane, correction):
    picture = white_picture(plane, PhantomChain(), 1)
    picture[190:410, 220:370] //= 10
    assert refused([picture], correction).fault is Fault.NOT_A_PHANTOM


def test_another_disc_is_refused(pictures, correction):
    other = replace(DISC, radius_mm=140.0)
    assert refused(pictures, correction, plate=other).fault is Fault.WRONG_PHANTOM


def test_every_picture_needs_its_turn(pictures, correction):
    with pytest.raises(CalibrationError, match="one for each"):
        finished(calibrate_source(pictures, DISC, correction, SourceSettings(turns_deg=(0.0, 90.0))))
    with pytest.raises(CalibrationError, match="at least one"):
        finished(calibrate_source([], DISC, correction))
