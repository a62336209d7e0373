"""Golden numbers of real files: calibrations, pictures, surfaces and poses made by other programs."""

import hashlib
from itertools import pairwise

import cv2
import numpy as np
import pytest

from core.errors import PairingError, UnitsError
from core.io.calibration import inspect_calibration, read_calibration
from core.io.checksums import sha256_of
from core.io.images import check_contrast, check_sizes, find_sequence, image_size, pair_sequences, read_image
from core.io.jointtrack import read_jts
from core.io.mesh_files import guess_units, read_mesh, read_surface
from core.io.poses_csv import read_pose_file
from core.rendering.coverage import coverage
from tests.real_data import REAL, needs_real_data

TKA, KNEELING, WRIST, XROMM = (
    REAL / name for name in ("biplane_tka", "monoplane_tka", "biplane_wrist", "xromm_formats")
)


def angle_deg(a, b) -> float:
    return float(np.degrees(np.arccos(a @ b)))


@needs_real_data
def test_dual_plane_calibration():
    a, b = (read_calibration(TKA / "calibration" / f"Camcal{k}.txt", "AB"[k - 1], (1024, 1024)) for k in (1, 2))
    assert a.focal_px == (4576.77643523, 4601.74685987)
    assert a.principal_px == (395.255884504, 588.40125626)
    assert a.camera_from_world.translation_mm.tolist() == [36.2384826278, -134.635431317, 1345.59296415]
    assert angle_deg(a.axis_world, b.axis_world) == pytest.approx(70.3, abs=0.05)
    assert np.linalg.norm(a.source_world_mm - b.source_world_mm) == pytest.approx(1516, abs=0.5)
    np.testing.assert_allclose(a.source_world_mm, [666.07, -1100.31, -419.21], atol=0.005)
    np.testing.assert_allclose(b.source_world_mm, [-592.17, -1122.38, 426.82], atol=0.005)


@needs_real_data
def test_the_reference_pose_lies_where_both_cameras_look():
    a, b = (read_calibration(TKA / "calibration" / f"Camcal{k}.txt", "AB"[k - 1]) for k in (1, 2))
    mesh = read_mesh(TKA / "models" / "femur0.stl", "mm")
    pose = read_pose_file(TKA / "poses" / "reference_femur_world.csv").records[100].world_from_body
    for view, camera in ((a, "cam1"), (b, "cam2")):
        mask = read_image(TKA / "masks" / f"{camera}_femur" / "frame_0100.png") > 0
        drawn = np.asarray(coverage(mesh, view, pose))
        assert 2 * (mask & drawn).sum() / (mask.sum() + drawn.sum()) >= 0.99


@needs_real_data
@pytest.mark.parametrize(("number", "distance_cm"), [(1, 87.926), (2, 78.6878)])
def test_calibration_in_centimetres(number, distance_cm):
    path = XROMM / f"Calibration_cam{number}_MayaCam{number}.txt"
    found = inspect_calibration(path, "A", lengths="cm")
    assert found.kind == "MayaCam 2.0"
    assert found.notes == ()
    assert np.linalg.norm(found.view.camera_from_world.translation_mm) == pytest.approx(10 * distance_cm, abs=0.01)
    assert "cm" in inspect_calibration(path, "A").notes[0]


@needs_real_data
def test_every_other_calibration_is_read():
    for path in sorted((WRIST / "Calibration").glob("*.txt")):
        view = read_calibration(path, "A")
        assert (view.width_px, view.height_px) in {(1760, 1760), (2048, 2048)}
        assert 800 < np.linalg.norm(view.source_world_mm) < 1500


@needs_real_data
@pytest.mark.parametrize("knee", ["kneel_left", "kneel_right"])
@pytest.mark.parametrize(("part", "short"), [("femur", "fem"), ("tibia", "tib")])
def test_jointtrack_poses_draw_the_masks(knee, part, short):
    """The pixel convention is right to well under half a pixel: that alone would cost 0.015 of Dice."""
    folder = KNEELING / knee
    view = read_calibration(folder / "calibration.txt", "A", (1024, 1024))
    assert view.detector_distance_mm == pytest.approx(1198)
    mesh = read_mesh(next(folder.glob(f"*_{short}.stl")), "mm")
    masks = sorted((folder / f"masks_{part}").glob("*.png"))
    poses = read_jts(folder / f"{short}.jts", view)
    assert len(poses) == len(masks) == len(find_sequence(folder).frames)
    for path, pose in zip(masks, poses, strict=True):
        mask, drawn = read_image(path) > 0, np.asarray(coverage(mesh, view, pose))
        assert 2 * (mask & drawn).sum() / (mask.sum() + drawn.sum()) > 0.998


@needs_real_data
def test_sequences_are_found_paired_and_fit_their_calibration():
    planes = [find_sequence(TKA / f"cam{k}") for k in (1, 2)]
    paired = pair_sequences(*planes)
    assert paired.frames == tuple(range(0, 221, 2))
    assert paired.note == ""
    for k, paths in ((1, paired.paths_a), (2, paired.paths_b)):
        check_sizes(paths, read_calibration(TKA / "calibration" / f"Camcal{k}.txt", "A"))
    picture = planes[0].read(100)
    check_contrast(picture, planes[0].paths[50])
    assert (picture.shape, picture.dtype) == ((1024, 1024), np.uint8)
    assert (
        hashlib.sha256(picture.tobytes()).hexdigest()
        == hashlib.sha256(cv2.imread(str(planes[0].paths[50]), cv2.IMREAD_UNCHANGED).tobytes()).hexdigest()
    )


@needs_real_data
def test_a_third_pair_of_two_different_moments_is_noticed():
    planes = [find_sequence(WRIST / "XMA_UND" / f"xr_data_left_knee_cam0{k}") for k in (1, 2)]
    with pytest.raises(PairingError, match=r"only plane A has 260; only plane B has 272; .*--pair-by order"):
        pair_sequences(*planes)
    assert pair_sequences(*planes, by="order").frames == (138, 180, 260)
    assert image_size(planes[0].paths[0]) == (1760, 1760)


@needs_real_data
@pytest.mark.parametrize(
    ("name", "units", "vertices", "faces", "closed", "volume_ml"),
    [
        ("biplane_tka/models/femur0.stl", "mm", 36566, 73119, False, 41.4),
        ("biplane_tka/models/tibia0.stl", "mm", 14057, 28110, True, 18.0),
        ("monoplane_tka/kneel_left/KR_left_8_fem.stl", "mm", 6016, 12028, True, 34.1),
        ("models/opensim_jam_cams_tka/cams_femur_implant_Mplus_JWI_meters_reduce.stl", "m", 30002, 60000, True, 27.1),
        ("models/opensim_jam_lenhart2015/lenhart_patella.stl", "m", 8656, 17308, True, 13.5),
        ("models/opensim_jam_lenhart2015/lenhart_femur.stl", "m", 9837, 19229, False, 42.8),
        ("models/tka_testbench_kg0115/KG0115_Femora.stl", "cm", 18680, 37356, True, 120.6),
        ("models/tka_testbench_kg0115/KG0115_Patella.stl", "cm", 2287, 4574, True, 7.9),
        ("models/pymskt_femurs/2_RIGHT_femur.vtk", "mm", 19998, 39992, True, 144.8),
        ("models/pymskt_femurs/tibia_mesh.vtk", "mm", 9998, 19991, False, 100.7),
        ("models/opensim_rajagopal/r_patella.vtp", "m", 72, 140, True, 27.9),
        ("models/opensim_rajagopal/femur_r.vtp", "m", 456, 908, True, 348.6),
    ],
)
def test_real_surfaces(name, units, vertices, faces, closed, volume_ml):
    own = read_surface(REAL / name)
    assert guess_units(own.extent_mm).likely == units
    with pytest.raises(UnitsError, match=f"By its size, {units} fits a knee"):
        read_mesh(REAL / name, None)
    for wrong in {"mm", "cm", "m"} - {units}:
        with pytest.raises(UnitsError, match=f"probably in {units}$"):
            read_mesh(REAL / name, wrong)
    mesh = read_mesh(REAL / name, units)
    assert (len(mesh.vertices_mm), len(mesh.faces), mesh.is_closed) == (vertices, faces, closed)
    assert mesh.volume_mm3 / 1000 == pytest.approx(volume_ml, abs=0.05)


@needs_real_data
def test_reference_poses():
    femur = read_pose_file(TKA / "poses" / "reference_femur_world.csv")
    assert list(femur.records) == list(range(0, 221, 2))
    assert femur.records[0].world_from_body.translation_mm.tolist() == [-55.65253, -38.12308, -124.77354]
    np.testing.assert_allclose(femur.records[0].world_from_body.rotation[0], [-0.299726765, -0.637739897, 0.709543297])
    assert any("have been made exact" in note for note in femur.notes)
    for a, b in pairwise(record.world_from_body for record in femur.records.values()):
        step = a.inverse() @ b
        assert np.linalg.norm(step.translation_mm) < 15
    assert len(read_pose_file(TKA / "poses" / "tibia_from_masks_world.csv").records) == 111


@needs_real_data
def test_checksum_of_a_real_file():
    path = TKA / "models" / "tibia0.stl"
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
