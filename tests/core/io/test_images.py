"""Pictures and sequences: found, numbered, paired, read; every damaged kind has its sentence."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import CalibrationError, ImageError, PairingError
from core.io.images import (
    ImageSequence,
    check_contrast,
    check_sizes,
    contrast_fault,
    find_sequence,
    frame_number,
    image_size,
    pair_sequences,
    read_image,
)
from tests.scenes import rig_view

GREY8 = np.random.default_rng(1).integers(0, 256, (30, 40)).astype(np.uint8)
GREY16 = np.random.default_rng(2).integers(0, 65536, (30, 40)).astype(np.uint16)


def write(path: Path, picture: np.ndarray, **how) -> Path:
    if path.suffix == ".png":
        path.write_bytes(imagecodecs.png_encode(picture))
    else:
        tifffile.imwrite(path, picture, **how)
    return path


def sequence(*numbers: int, plane: str = "a") -> ImageSequence:
    return ImageSequence(paths=tuple(Path(f"{plane}/f{n:04d}.tif") for n in numbers), frames=numbers)


# --- one picture ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", [GREY8, GREY16], ids=["8 bit", "16 bit"])
@pytest.mark.parametrize(
    ("ending", "how"),
    [
        (".png", {}),
        (".tif", {}),
        (".tiff", {"compression": "lzw"}),
        (".tif", {"compression": "zlib", "predictor": True}),
        (".tif", {"byteorder": ">"}),
        (".tif", {"bigtiff": True}),
        (".tif", {"tile": (16, 16)}),
        (".tif", {"rowsperstrip": 7}),
    ],
)
def test_grey_pictures_come_back_exactly(tmp_path, ending, how, picture):
    path = write(tmp_path / f"x7{ending}", picture, **how)
    again = read_image(path)
    assert again.dtype == picture.dtype
    assert again.dtype.isnative
    assert again.flags.c_contiguous
    assert np.array_equal(again, picture)
    assert image_size(path) == (40, 30)


def test_the_content_decides_not_the_ending(tmp_path):
    path = tmp_path / "wrongly_named_3.tif"
    path.write_bytes(imagecodecs.png_encode(GREY16))
    assert np.array_equal(read_image(path), GREY16)
    assert image_size(path) == (40, 30)


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_equal_channels_are_grey_and_colours_are_refused(tmp_path, ending):
    same = np.repeat(GREY8[..., None], 3, axis=2)
    how = {"photometric": "rgb"} if ending == ".tif" else {}
    assert np.array_equal(read_image(write(tmp_path / f"g1{ending}", same, **how)), GREY8)
    colour = same.copy()
    colour[3, 4, 0] ^= 1
    with pytest.raises(ImageError, match=rf"c5{ending} \(frame 5\) is in colour"):
        read_image(write(tmp_path / f"c5{ending}", colour, **how))


def test_planes_one_after_the_other_are_channels_too(tmp_path):
    same = np.repeat(GREY16[None], 3, axis=0)
    path = write(tmp_path / "p1.tif", same, photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_image(path), GREY16)


def test_opaque_pictures_may_say_so_and_others_are_refused(tmp_path):
    opaque = np.stack([GREY8, np.full_like(GREY8, 255)], axis=-1)
    assert np.array_equal(read_image(write(tmp_path / "a1.png", opaque)), GREY8)
    with pytest.raises(ImageError, match="partly transparent"):
        read_image(write(tmp_path / "a2.png", np.stack([GREY8, GREY8], axis=-1)))


def test_white_is_zero_is_turned_bright_air(tmp_path):
    assert np.array_equal(read_image(write(tmp_path / "i1.tif", GREY8, photometric="miniswhite")), 255 - GREY8)
    assert np.array_equal(read_image(write(tmp_path / "i2.tif", GREY16, photometric="miniswhite")), 65535 - GREY16)


def test_grey_palettes_are_looked_up(tmp_path):
    ramp = np.arange(256, dtype=np.uint16)[::-1] * 257
    path = write(tmp_path / "p1.tif", GREY8, photometric="palette", colormap=np.stack([ramp] * 3))
    assert np.array_equal(read_image(path), 255 - GREY8)
    path = write(tmp_path / "p2.tif", GREY8, photometric="palette", colormap=np.stack([ramp, ramp, ramp[::-1]]))
    with pytest.raises(ImageError, match="in colour"):
        read_image(path)


def test_masks_of_one_bit_can_be_looked_at(tmp_path):
    path = write(tmp_path / "m1.tif", GREY8 > 100, photometric="minisblack")
    assert np.array_equal(read_image(path), (GREY8 > 100) * np.uint8(255))


@pytest.mark.parametrize("dtype", ["int16", "uint32", "float32", "float64"])
def test_other_depths_are_refused_by_name(tmp_path, dtype):
    with pytest.raises(ImageError, match=rf"\(frame 1\) holds pixels of type {dtype}"):
        read_image(write(tmp_path / "d1.tif", GREY8.astype(dtype)))


def test_several_pictures_in_one_file_are_refused(tmp_path):
    with pytest.raises(ImageError, match=r"\(frame 12\) holds 3 pictures; split it"):
        read_image(write(tmp_path / "run_0012.tif", np.stack([GREY8] * 3), photometric="minisblack"))
    with pytest.raises(ImageError, match="holds 3 pictures"):
        read_image(write(tmp_path / "stack1.tif", np.stack([GREY8] * 3), imagej=True))


def test_a_thumbnail_is_no_second_picture(tmp_path):
    path = tmp_path / "t1.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(GREY8)
        file.write(GREY8[::4, ::4], subfiletype=1)
    assert np.array_equal(read_image(path), GREY8)


@pytest.mark.parametrize(
    ("name", "picture", "how"),
    [
        ("plain_0042.tif", GREY16, {}),
        ("deflated_0042.tif", GREY16, {"compression": "zlib"}),
        ("lzw_0042.tif", GREY8, {"compression": "lzw"}),
        ("x_0042.png", GREY16, {}),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.003, 0.2, 0.7, 0.97])
def test_pictures_cut_short_are_named_with_their_frame(tmp_path, name, picture, how, share):
    path = write(tmp_path / name, picture, **how)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(ImageError, match=rf"{name} \(frame 42\) is (damaged|cut short|empty|neither)"):
        read_image(path)


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(ImageError, match=r"f3\.tif \(frame 3\) is missing"):
        read_image(tmp_path / "f3.tif")
    with pytest.raises(ImageError, match=r"f3\.tif \(frame 3\) is missing"):
        image_size(tmp_path / "f3.tif")
    (tmp_path / "f4.tif").write_bytes(b"\xff\xd8\xff\xe0 a JPEG picture under another name")
    for read in (read_image, image_size):
        with pytest.raises(ImageError, match=r"f4\.tif \(frame 4\) is neither TIFF nor PNG"):
            read(tmp_path / "f4.tif")
    (tmp_path / "f5.png").mkdir()
    with pytest.raises(ImageError, match=r"f5\.png \(frame 5\) cannot be read"):
        read_image(tmp_path / "f5.png")
    (tmp_path / "f6.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"f6\.png \(frame 6\) is empty"):
        image_size(tmp_path / "f6.png")


def test_an_absurd_size_is_refused_before_memory_is_asked_for(tmp_path):
    path = write(tmp_path / "h1.png", GREY8)
    raw = bytearray(path.read_bytes())
    raw[16:24] = (10**8).to_bytes(4, "big") * 2
    path.write_bytes(raw)
    for read in (read_image, image_size):
        with pytest.raises(ImageError, match="claims a size of 100000000 x 100000000 px"):
            read(path)


@settings(max_examples=150)
@given(
    st.sampled_from([".png", ".tif", ".lzw.tif", ".zip.tif"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    st.floats(0.1, 1),
)
def test_no_bytes_bring_it_down(tmp_path_factory, kind, changes, share):
    folder = tmp_path_factory.mktemp("noise")
    how = {".lzw.tif": {"compression": "lzw"}, ".zip.tif": {"compression": "zlib"}}.get(kind, {})
    path = write(folder / f"p1{kind}", GREY8, **how)
    raw = bytearray(path.read_bytes())
    for at, byte in changes:
        raw[int(at * (len(raw) - 1))] = byte
    path.write_bytes(raw[: max(1, int(share * len(raw)))])
    for read in (read_image, image_size):
        try:
            read(path)
        except ImageError as error:
            assert "(frame 1)" in str(error)  # noqa: PT017


# --- contrast and size ---------------------------------------------------------------------------------------------


def test_pictures_that_show_nothing():
    black = np.zeros((64, 64), dtype=np.uint8)
    assert contrast_fault(black) == "all black"
    assert contrast_fault(black + 1) == "all black"
    assert contrast_fault(np.full((64, 64), 65535, dtype=np.uint16)) == "all white"
    assert contrast_fault(np.full((64, 64), 90, dtype=np.uint8)) == "of one grey"
    with pytest.raises(ImageError, match=r"f7\.tif is all black: .*X-ray off"):
        check_contrast(black, Path("f7.tif"))


def test_a_few_hot_pixels_or_noise_show_nothing_either():
    picture = np.zeros((512, 512), dtype=np.uint16)
    picture[::64, ::64] = 65535
    assert contrast_fault(picture) == "all black"
    noise = np.random.default_rng(3).integers(500, 516, (512, 512)).astype(np.uint16)
    assert contrast_fault(noise) == "all black"


def test_dim_and_small_contrasts_still_show_something():
    picture = np.full((256, 256), 20, dtype=np.uint8)
    picture[:40, :40] = 26
    assert contrast_fault(picture) is None
    twelve_bit = np.linspace(100, 300, 256 * 256).reshape(256, 256).astype(np.uint16)
    assert contrast_fault(twelve_bit) is None
    check_contrast(twelve_bit, Path("f1.tif"))


def test_sizes_are_compared_with_the_calibration(tmp_path):
    good = [write(tmp_path / f"g{n}.tif", np.zeros((256, 256), dtype=np.uint8)) for n in range(3)]
    check_sizes(good, rig_view("A", 0))
    small = write(tmp_path / "s1.tif", GREY8)
    with pytest.raises(CalibrationError, match=r"view A is for pictures of 256 x 256 px, but s1\.tif is 40 x 30 px"):
        check_sizes([small], rig_view("A", 0))
    with pytest.raises(ImageError, match=r"s1\.tif is 40 x 30 px, the calibration and 3 others are 256 x 256 px"):
        check_sizes([*good, small], rig_view("A", 0))
    good[1].write_bytes(good[1].read_bytes()[:20])
    with pytest.raises(ImageError, match=r"g1\.tif \(frame 1\) is damaged"):
        check_sizes(good, rig_view("A", 0))


# --- sequences -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("knee2_run3_0147.tif", 147),
        ("L_Hop_Cam1_001_UND.0260.tif", 260),
        ("0.png", 0),
        ("007.TIFF", 7),
        ("frame 12 (copy).tif", 12),
    ],
)
def test_frames_are_the_last_number_of_the_name(name, frame):
    assert frame_number(Path("run99") / name) == frame


def test_names_without_a_usable_number():
    with pytest.raises(ImageError, match=r"still\.tif has no number"):
        frame_number(Path("run7/still.tif"))
    with pytest.raises(ImageError, match="20240131102030, is too large"):
        frame_number(Path("knee_20240131102030.tif"))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12, unique=True), st.randoms())
def test_a_folder_comes_in_order_of_its_numbers(tmp_path_factory, numbers, random):
    folder = tmp_path_factory.mktemp("pictures")
    for number in numbers:
        ending = random.choice([".tif", ".TIF", ".png", ".tiff"])
        (folder / f"{random.choice('abz')}{number:0{random.randint(1, 7)}d}{ending}").touch()
    found = find_sequence(folder)
    assert found.frames == tuple(sorted(numbers))
    assert [frame_number(path) for path in found.paths] == sorted(numbers)


def test_folders_patterns_and_single_files(tmp_path):
    for number in (10, 9, 100):
        write(tmp_path / f"f{number}.tif", GREY8)
    (tmp_path / "notes1.txt").write_text("x")
    (tmp_path / "._f9.tif").write_text("left by another system")
    (tmp_path / "f3.tif").mkdir()
    assert find_sequence(tmp_path).frames == (9, 10, 100)
    assert find_sequence(str(tmp_path / "f1*.tif")).frames == (10, 100)
    assert find_sequence(str(tmp_path / "*")).frames == (9, 10, 100)
    assert find_sequence(tmp_path / "f9.tif").frames == (9,)
    assert find_sequence(str(tmp_path.parent / "**" / tmp_path.name / "f9.tif")).frames == (9,)
    assert np.array_equal(find_sequence(tmp_path).read(10), GREY8)
    with pytest.raises(ImageError, match="no picture of frame 11; frames run from 9 to 100"):
        find_sequence(tmp_path).read(11)


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path):
    folder = tmp_path / "knee [left]"
    folder.mkdir()
    write(folder / "f1.tif", GREY8)
    assert find_sequence(folder).frames == (1,)
    assert find_sequence(str(folder / "*.tif")).frames == (1,)


def test_nothing_found_says_where_and_why(tmp_path):
    with pytest.raises(ImageError, match=r"holds no TIFF or PNG pictures$"):
        find_sequence(tmp_path)
    with pytest.raises(ImageError, match=r"there is no folder and no picture .*g\*\.tif"):
        find_sequence(str(tmp_path / "g*.tif"))
    (tmp_path / "n1.txt").write_text("x")
    with pytest.raises(ImageError, match="finds 1 files, but none is a TIFF or PNG"):
        find_sequence(str(tmp_path / "n*"))
    (tmp_path / "cam1").mkdir()
    write(tmp_path / "cam1" / "f1.tif", GREY8)
    with pytest.raises(ImageError, match="there are some in its folders cam1"):
        find_sequence(tmp_path)


def test_two_pictures_of_one_number_are_refused(tmp_path):
    for name in ("a_009.tif", "b_9.tif", "a_010.tif"):
        write(tmp_path / name, GREY8)
    with pytest.raises(ImageError, match=r"the number 9: .*a_009\.tif and .*b_9\.tif.*pattern"):
        find_sequence(tmp_path)
    assert find_sequence(str(tmp_path / "a_*.tif")).frames == (9, 10)


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ((0, 2, 4, 8, 10), (6,)),
        ((1, 2, 3, 7), (4, 5, 6)),
        ((1, 7, 13, 19), ()),
        ((138, 180, 260), ()),
        ((5,), ()),
        ((0, 2, 4, 7, 9, 11), ()),
    ],
)
def test_gaps_are_seen_by_the_usual_step(numbers, gaps):
    found = sequence(*numbers)
    assert found.gaps == gaps
    assert bool(found.note) == bool(gaps)


# --- pairs ---------------------------------------------------------------------------------------------------------


def test_equal_numbers_are_paired():
    paired = pair_sequences(sequence(2, 4, 6), sequence(2, 4, 6, plane="b"))
    assert paired.frames == (2, 4, 6)
    assert [path.parent.name for path in (paired.paths_a[1], paired.paths_b[1])] == ["a", "b"]
    assert paired.note == ""
    assert (
        "plane B: frames seem to be missing: 3"
        in pair_sequences(sequence(1, 2, 4, 5), sequence(1, 2, 4, 5, plane="b")).note
    )


def test_differing_numbers_offer_pairing_by_order():
    a, b = sequence(*range(0, 20, 2)), sequence(*range(1, 21, 2), plane="b")
    with pytest.raises(PairingError, match="--pair-by order") as caught:
        pair_sequences(a, b)
    assert "only plane A has 0, 2, 4, 6, 8 and 5 more" in str(caught.value)
    assert "only plane B has 1, 3, 5, 7, 9 and 5 more" in str(caught.value)
    by_order = pair_sequences(a, b, by="order")
    assert by_order.frames == a.frames
    assert by_order.paths_b[0].name == "f0001.tif"
    assert "A 0 with B 1, ..., A 18 with B 19" in by_order.note
    assert "plane A's numbers" in by_order.note


@pytest.mark.parametrize("by", ["number", "order"])
def test_unequal_counts_are_refused_either_way(by):
    with pytest.raises(PairingError, match="3 pictures and plane B has 2: only plane A has 4; each frame needs one"):
        pair_sequences(sequence(2, 4, 6), sequence(2, 6, plane="b"), by=by)


@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60), min_size=1))
def test_pairs_either_match_or_are_refused(first, second):
    a, b = sequence(*sorted(first)), sequence(*sorted(second), plane="b")
    try:
        paired = pair_sequences(a, b)
    except PairingError:
        assert first != second
    else:
        assert first == second
        assert all(x.name == y.name for x, y in zip(paired.paths_a, paired.paths_b, strict=True))
