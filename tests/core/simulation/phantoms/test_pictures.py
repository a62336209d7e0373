"""Pictures of phantoms: shadows where the rays say, as dark as Beer and Lambert say, noise as photons say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from core.calibration.phantoms import BeadPhantom, DiscPlate, GridPlate
from core.errors import CalibrationError, ImageError
from core.geometry.rigid import Rigid, so3_exp
from core.simulation.phantoms.beads import bead_picture, bead_places, made_beads, poses_in_view
from core.simulation.phantoms.chain import PhantomChain, dark_picture, white_picture
from core.simulation.phantoms.clutter import Clutter
from core.simulation.phantoms.disc import DiscAsMade, disc_frame, disc_picture, made_disc, rim_mm
from core.simulation.phantoms.plate import SHEET_EXPONENT, Seating, grid_picture, made_plate, seated_beads
from core.simulation.phantoms.rig import RigSettings, make_rig

PLATE = GridPlate(
    name="p", columns=15, rows=15, pitch_mm=18.0, bead_diameter_mm=5.0, extra_points=((1, 13),), corner_cut=4
)
DISC = DiscPlate(name="d", radius_mm=100.0, height_mm=500.0)
CORNERS = tuple((x, y, z) for x in (-40.0, 35.0) for y in (-50.0, 45.0) for z in (-30.0, 50.0))
BEADS = BeadPhantom(name="b", positions_mm=CORNERS, bead_diameter_mm=6.0)
CLEAN = PhantomChain(photons=1e7, glare=0.0, vignetting=0.0, slope=0.0, black_level=0.0)


@pytest.fixture(scope="module")
def rig():
    return make_rig(3, RigSettings(height_px=600))


@pytest.fixture(scope="module")
def plane(rig):
    return rig.planes["A"]


@pytest.fixture(scope="module")
def made():
    return made_plate(PLATE, 4)


def centroid(picture, pixel, half):
    """Of what is missing (or added) against the window's rim, in pixels."""
    u, v = np.round(pixel).astype(int)
    window = picture[v - half : v + half + 1, u - half : u + half + 1].astype(float)
    rim = np.concatenate([window[0], window[-1], window[:, 0], window[:, -1]])
    weight = window - np.median(rim)
    rows, columns = np.mgrid[v - half : v + half + 1, u - half : u + half + 1]
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def test_beads_are_dark_where_they_are(plane, made):
    """The centroid of each shadow is the projection of the bead's true centre, to hundredths of a pixel."""
    picture = grid_picture(plane, made, seed=1, chain=CLEAN)
    pixels = plane.project(seated_beads(made, Seating(), 1)[1])
    off = np.array([centroid(picture, pixel, 7) - pixel for pixel in pixels])
    assert np.abs(off).max() < 0.03
    assert np.abs(off.mean(axis=0)).max() < 0.003


def test_holes_are_bright_where_they_are(plane):
    made = made_plate(replace(PLATE, perforated=True), 4)
    picture = grid_picture(plane, made, seed=1, chain=CLEAN)
    pixels = plane.project(seated_beads(made, Seating(), 1)[1])
    off = np.array([centroid(picture, pixel, 10) - pixel for pixel in pixels])
    assert np.abs(off).max() < 0.03
    middle = np.round(pixels[len(pixels) // 2]).astype(int)
    between = picture[middle[1] + 20, middle[0] + 20]
    assert picture[middle[1], middle[0]] / between == pytest.approx(np.exp(SHEET_EXPONENT), rel=0.02)


def test_a_bead_is_as_dark_as_beer_and_lambert_say(plane):
    """Without blur, a pixel holds the mean of exp(-0.9/mm * chord) over its area; nearly parallel rays there."""
    sharp = replace(CLEAN, screen_blur_mm=0.02)
    plate = replace(PLATE, bead_diameter_mm=3.0, position_sd_mm=0.0)
    picture = grid_picture(plane, made_plate(plate, 0), seed=1, chain=sharp).astype(float)
    u, v = np.round(plane.map.px_from_mm(np.zeros((1, 2)))[0]).astype(int)
    air = np.median(picture[v - 10 : v + 11, u - 10 : u + 11])
    line = (np.arange(40) + 0.5) / 40 - 0.5
    fine = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    for du, dv in ((0, 0), (1, 0), (-1, 2), (2, -1)):
        radius = np.linalg.norm(plane.map.mm_from_px(fine + np.array([u + du, v + dv])), axis=1)
        chord = 2.0 * np.sqrt((1.5**2 - radius**2).clip(0.0))
        assert picture[v + dv, u + du] / air == pytest.approx(np.exp(-0.9 * chord).mean(), rel=0.02, abs=0.003)


def test_the_shadow_takes_as_much_light_as_the_bead_absorbs(plane):
    """Energy: summed over the detector, a sphere takes the integral of 1 - exp(-mu chord) over its cross-section."""
    plate = replace(PLATE, bead_diameter_mm=4.0, position_sd_mm=0.0)
    picture = grid_picture(plane, made_plate(plate, 0), seed=1, chain=CLEAN).astype(float)
    u, v = np.round(plane.map.px_from_mm(np.zeros((1, 2)))[0]).astype(int)
    window = picture[v - 8 : v + 9, u - 8 : u + 9]
    air = np.median(window[0])
    taken = (1.0 - window / air).sum() * plane.pixel_mm**2
    r = np.linspace(0.0, 2.0, 4001)
    share = 1.0 - np.exp(-0.9 * 2.0 * np.sqrt(4.0 - r**2))
    assert taken == pytest.approx(2.0 * np.pi * np.trapezoid(share * r, r), rel=0.01)


def test_beads_of_the_space_phantom_are_where_the_rays_hit(rig):
    made = made_beads(BEADS, 2)
    pose = Rigid(rotation=so3_exp(np.array([0.3, -0.5, 0.4])), translation_mm=np.array([5.0, -8.0, 381.0]))
    for plane in rig.planes.values():
        picture = bead_picture(plane, made, pose, seed=1, chain=CLEAN)
        pixels = plane.project(bead_places(plane, made, pose))
        apart = np.linalg.norm(pixels[:, None] - pixels[None], axis=-1) + 99 * np.eye(len(pixels))
        free = pixels[apart.min(axis=1) > 30]
        assert len(free) >= 5
        off = np.array([centroid(picture, pixel, 12) - pixel for pixel in free])
        assert np.abs(off).max() < 0.06


def test_both_planes_see_the_same_point_of_space(rig):
    """A point's shadows in both planes and both sources lie in one plane: the truth of the relation is used alike."""
    point = np.array([[12.0, 30.0, 390.0]])
    rays = []
    for plane in rig.planes.values():
        shadow = plane.shadow_mm(plane.detector_from_world.apply(point))[0]
        ends = plane.detector_from_world.inverse().apply(np.array([plane.source_mm, [*shadow, 0.0]]))
        rays.append((ends[0], (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])))
    for start, along in rays:
        away = point[0] - start
        assert np.linalg.norm(away - (away @ along) * along) < 1e-9


@pytest.mark.parametrize("turn_deg", [0.0, 90.0, 137.0])
def test_the_edge_of_the_disc_is_at_half_the_light(plane, turn_deg):
    """Crossing of the middle between the light outside and inside, along the normal of the true edge."""
    soft = replace(CLEAN, screen_blur_mm=0.8)  # splines between pixels need it
    disc = DiscAsMade(radius_mm=100.0, height_mm=500.0, offset_mm=(3.0, -2.0), tilt_deg=(0.6, -0.4))
    seat = (0.4, 0.2)
    picture = disc_picture(plane, disc, turn_deg=turn_deg, seat_mm=seat, seed=1, chain=soft).astype(float)
    edge = rim_mm(plane, disc, turn_deg, seat, count=90)
    outward = edge - edge.mean(axis=0)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    profile = [
        ndimage.map_coordinates(picture, plane.map.px_from_mm(edge + away * outward).T[::-1], order=3)
        for away in np.linspace(-4.0, 4.0, 161)
    ]
    light = np.array(profile).T
    middle = 0.5 * (light[:, :1] + light[:, -1:])
    crossing = np.array([np.interp(0.0, row, np.linspace(-4.0, 4.0, 161)) for row in light - middle])
    assert np.abs(crossing).max() < 0.03
    assert abs(crossing.mean()) < 0.003


def test_the_tube_turns_counter_clockwise_about_its_seat():
    disc = DiscAsMade(radius_mm=100.0, height_mm=500.0, offset_mm=(2.0, 0.0), tilt_deg=(0.0, 1.0))
    centre, normal = disc_frame(disc, 90.0, (0.1, 0.0))
    np.testing.assert_allclose(centre, [0.1, 2.0, 500.0], atol=1e-12)
    np.testing.assert_allclose(normal, [0.0, np.sin(np.radians(1.0)), np.cos(np.radians(1.0))], atol=1e-12)


def test_the_shadow_of_the_disc_is_magnified_about_the_source(plane):
    disc = DiscAsMade(radius_mm=100.0, height_mm=500.0)
    edge = rim_mm(plane, disc, 0.0, (0.0, 0.0))
    magnification = plane.source_mm[2] / (plane.source_mm[2] - 500.0)
    centre = edge.mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(edge - centre, axis=1), 100.0 * magnification, rtol=1e-6)
    np.testing.assert_allclose(centre, plane.source_mm[:2] * (1.0 - magnification), atol=1e-6)


def test_a_thick_disc_moves_the_half_light_inward(plane):
    """The wall below the rim is seen from the side of the source: a knife edge and a wall are not the same."""
    thin = DiscAsMade(radius_mm=100.0, height_mm=500.0)
    light = [
        disc_picture(plane, disc, seed=1, chain=CLEAN).astype(float).sum()
        for disc in (thin, replace(thin, thickness_mm=8.0))
    ]
    assert light[1] > light[0] * 1.0005


def test_noise_is_that_of_the_photons(plane):
    for photons in (150.0, 900.0):
        chain = replace(CLEAN, photons=photons)
        picture = bead_picture(plane, made_beads(BEADS, 1), far_away(), seed=3, chain=chain) / 65535.0 / 0.8
        middle = picture[250:350, 270:370]
        expected = 1.0 / np.sqrt(photons * (plane.pixel_mm / 0.225) ** 2)
        assert middle.std() == pytest.approx(expected, rel=0.05)
        assert middle.mean() == pytest.approx(1.0, rel=0.005)


def far_away() -> Rigid:
    return Rigid(rotation=np.eye(3), translation_mm=np.array([1500.0, 0.0, 381.0]))


def test_the_field_is_round_vignetted_and_dark_outside(plane):
    chain = PhantomChain()
    white = white_picture(plane, chain, 1) / 65535.0
    u, v = np.round(plane.map.px_from_mm(plane.field_centre_mm[None])[0]).astype(int)
    assert white[v, u] == pytest.approx(0.8 * 0.99 + 0.01, abs=0.02)
    assert white[3, 3] < 0.03
    inside = np.linalg.norm(plane.mm_of_pixels - plane.field_centre_mm, axis=-1) < plane.field_mm - 3
    assert 0.6 * white[v, u] < white[inside].min() < 0.85 * white[v, u]
    assert dark_picture(plane, chain).max() == round(0.01 * 65535)


def test_missing_beads_and_a_lost_marker_are_told(made):
    indices, places = seated_beads(made, Seating(missing_share=0.3, marker_missing=True), 7)
    assert len(indices) == len(places)
    assert 0.6 < len(indices) / len(made.indices) < 0.8
    assert [1, 13] not in indices.tolist()
    assert [1, 13] in seated_beads(made, Seating(), 7)[0].tolist()
    with pytest.raises(CalibrationError, match="missing beads"):
        seated_beads(made, Seating(missing_share=1.0), 7)


def test_a_plate_is_flipped_turned_and_tilted(made):
    straight = seated_beads(made, Seating(), 0)[1]
    turned = seated_beads(made, Seating(quarter_turns=1), 0)[1]
    flipped = seated_beads(made, Seating(mirrored=True), 0)[1]
    tilted = seated_beads(made, Seating(tilt_deg=(1.0, 0.0)), 0)[1]
    np.testing.assert_allclose(turned[:, :2], straight[:, :2] @ [[0, 1], [-1, 0]])
    np.testing.assert_allclose(flipped[:, :2], straight[:, :2] * [-1, 1])
    np.testing.assert_allclose(tilted[:, 2], straight[:, 0] * np.tan(np.radians(1.0)))


@pytest.mark.parametrize("kind", ["cables", "covers", "scratches", "loose_beads"])
def test_clutter_darkens_part_of_the_picture(plane, made, kind):
    clean = grid_picture(plane, made, seed=5, chain=CLEAN).astype(float)
    cluttered = grid_picture(plane, made, seed=5, chain=CLEAN, clutter=Clutter(**{kind: 6})).astype(float)
    changed = np.abs(cluttered - clean) > 0.02 * clean.max()
    assert 0.0001 < changed.mean() < 0.3
    if kind != "scratches":
        assert (cluttered[changed] < clean[changed]).mean() > 0.99


def test_what_can_be_chosen_of_a_picture(plane, made):
    eight = grid_picture(plane, made, seed=1, chain=PhantomChain(bits=8))
    assert eight.dtype == np.uint8
    bright = grid_picture(plane, made, seed=1, chain=PhantomChain(open_share=1.3))
    assert (bright == 65535).mean() > 0.5
    linear = grid_picture(plane, made, seed=1, chain=replace(CLEAN, open_share=1.0)) / 65535.0
    curved = grid_picture(plane, made, seed=1, chain=replace(CLEAN, open_share=1.0, curve="logarithmic")) / 65535.0
    np.testing.assert_allclose(curved[linear > 0.02], 1 + np.log10(linear[linear > 0.02]) / 2, atol=1e-3)
    with pytest.raises(ImageError, match="8 or 16 bits"):
        PhantomChain(bits=12)
    with pytest.raises(ImageError, match="photons"):
        PhantomChain(photons=0.0)


def test_poses_keep_every_bead_in_both_fields(rig):
    made = made_beads(BEADS, 1)
    poses = poses_in_view(rig, made, 6, seed=2)
    assert len(poses) == 6
    for pose in poses:
        for plane in rig.planes.values():
            shadow = plane.shadow_mm(bead_places(plane, made, pose))
            assert np.linalg.norm(shadow - plane.field_centre_mm, axis=1).max() < plane.field_mm - 4
    large = replace(BEADS, positions_mm=tuple((4 * x, 4 * y, 4 * z) for x, y, z in CORNERS))
    with pytest.raises(CalibrationError, match="does not fit the simulated field"):
        poses_in_view(rig, made_beads(large, 1), 1, seed=2)


def test_phantoms_are_off_their_description_by_their_tolerance():
    offsets = np.concatenate([made_plate(PLATE, s).places_mm - PLATE.position_mm(PLATE.indices) for s in range(20)])
    assert offsets.std() == pytest.approx(PLATE.position_sd_mm, rel=0.05)
    off = np.concatenate([made_beads(BEADS, s).places_mm - BEADS.points_mm for s in range(60)])
    assert off.std() == pytest.approx(BEADS.certified_sd_mm, rel=0.1)
    discs = [made_disc(DISC, s) for s in range(300)]
    assert np.std([d.radius_mm for d in discs]) == pytest.approx(DISC.radius_sd_mm, rel=0.15)
    assert np.std([d.height_mm for d in discs]) == pytest.approx(DISC.height_sd_mm, rel=0.15)
    assert np.std([d.offset_mm for d in discs]) == pytest.approx(DISC.centre_sd_mm, rel=0.15)
    assert np.std([d.tilt_deg for d in discs]) == pytest.approx(DISC.tilt_sd_deg, rel=0.15)
