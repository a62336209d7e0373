"""Decode one grey TIFF or PNG picture, or only its size; damaged and unsuitable files are refused by name."""

import io
import logging
import re
import struct
from pathlib import Path
from typing import IO

import imagecodecs
import numpy as np
import tifffile
from jaxtyping import UInt8, UInt16

from core.errors import ImageError

ENDINGS = (".tif", ".tiff", ".png")
"""Name endings of pictures, in lower case; what a file is, is decided by its first bytes."""

Picture = UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]

_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST_SIDE_PX = 30_000
_DAMAGED = (ValueError, RuntimeError, KeyError, IndexError, TypeError, AttributeError, struct.error, ArithmeticError)
"""What the decoders raise on damaged bytes, apart from OSError."""
_NUMBERS = re.compile(r"\d+")
_LARGEST_FRAME = 2**31 - 1

# Damage is told in one sentence by the errors below; the library's own log lines would say it a second time.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


def frame_number(path: Path) -> int:
    """The last number in a file's name, its ending aside.

    Raises:
        ImageError: the name holds no number, or one too large to be a frame.
    """
    numbers = _NUMBERS.findall(path.stem)
    if not numbers:
        raise ImageError(
            f"picture {path.name} has no number in its name, so its frame is unknown; name pictures by their frame, "
            "as in knee_0042.tif"
        )
    frame = int(numbers[-1])
    if frame > _LARGEST_FRAME:
        raise ImageError(
            f"picture {path.name}: its last number, {frame}, is too large for a frame (a date?); number the pictures"
        )
    return frame


def read_image(path: Path) -> Picture:
    """One grey picture, 8 or 16 bit, bright where the file's viewer shows it bright.

    Raises:
        ImageError: it is missing, truncated or damaged, holds several pictures, colours, or another depth.
    """
    path = Path(path)
    raw = _bytes_of(path)
    try:
        pixels = _decoded(path, raw)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"{_named(path)} is too large for the memory") from error
    except (OSError, *_DAMAGED) as error:
        raise ImageError(_damaged(path, error)) from error
    return _grey(path, pixels)


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) of a picture in pixels, from its header alone.

    Raises:
        ImageError: it is missing, or its header is damaged or of no known kind.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(24)
            if head.startswith(_PNG_SIGNATURE) and len(head) == 24:
                width, height = struct.unpack(">II", head[16:24])
            elif head.startswith(_TIFF_SIGNATURES):
                file.seek(0)
                width, height = _tiff_size(file)
            else:
                raise ImageError(_no_picture(path, head))
    except OSError as error:
        raise ImageError(_unreadable(path, error)) from error
    except _DAMAGED as error:
        raise ImageError(_damaged(path, error)) from error
    _refuse_absurd(path, width, height)
    return int(width), int(height)


def _tiff_size(file: IO[bytes]) -> tuple[int, int]:
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        return int(page.imagewidth), int(page.imagelength)


def _decoded(path: Path, raw: bytes) -> np.ndarray:
    if raw.startswith(_PNG_SIGNATURE):
        if len(raw) >= 24:
            _refuse_absurd(path, *struct.unpack(">II", raw[16:24]))
        return np.asarray(imagecodecs.png_decode(raw))
    if raw.startswith(_TIFF_SIGNATURES):
        return _decoded_tiff(path, raw)
    raise ImageError(_no_picture(path, raw))


def _decoded_tiff(path: Path, raw: bytes) -> np.ndarray:
    with tifffile.TiffFile(io.BytesIO(raw)) as tiff:
        full = [page for page in (page.aspage() for page in tiff.pages) if not page.is_reduced]
        stacked = int((tiff.imagej_metadata or {}).get("images", 1))
        count = max(len(full), stacked)
        if count != 1:
            raise ImageError(
                f"{_named(path)} holds {count} pictures; split it into files of one picture each, numbered by frame"
            )
        page = full[0]
        _refuse_absurd(path, page.imagewidth, page.imagelength)
        ends = [start + size for start, size in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if max(ends, default=len(raw) + 1) > len(raw):
            raise ImageError(f"{_named(path)} is cut short: {len(raw)} bytes of {max(ends, default=0)}; copy it again")
        pixels = np.asarray(page.asarray())
        if page.axes == "SYX":
            pixels = np.moveaxis(pixels, 0, -1)
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
            return _coloured(pixels, np.asarray(page.colormap))
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and pixels.dtype.kind == "u":
            return np.asarray((1 << int(page.bitspersample)) - 1 - pixels, dtype=pixels.dtype)
        return pixels


def _coloured(indices: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Palette entries as 8-bit colours where every entry is one, else as 16-bit ones."""
    colours = np.moveaxis(palette, 0, -1)[indices]
    return (colours >> 8).astype(np.uint8) if (palette % 257 == 0).all() or (palette % 256 == 0).all() else colours


def _grey(path: Path, pixels: np.ndarray) -> Picture:
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * 255
    if pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise ImageError(
            f"{_named(path)} holds pixels of type {pixels.dtype}; save it as grey with 8 or 16 bits without sign"
        )
    if pixels.ndim == 3 and pixels.shape[-1] in {2, 4}:
        if np.ptp(pixels[..., -1]) != 0:
            raise ImageError(f"{_named(path)} is partly transparent; save it as a plain grey picture")
        pixels = pixels[..., :-1]
    if pixels.ndim == 3:
        if not (pixels == pixels[..., :1]).all():
            raise ImageError(f"{_named(path)} is in colour; X-ray pictures are grey: save it as grey")
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or pixels.size == 0:
        raise ImageError(f"{_named(path)} is no flat picture: its shape is {pixels.shape}")
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))


def _bytes_of(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ImageError(_unreadable(path, error)) from error
    if not raw:
        raise ImageError(f"{_named(path)} is empty (0 bytes); copy it again")
    return raw


def _refuse_absurd(path: Path, width: int, height: int) -> None:
    if not (0 < width <= _LONGEST_SIDE_PX and 0 < height <= _LONGEST_SIDE_PX):
        raise ImageError(f"{_named(path)} claims a size of {width} x {height} px; it is damaged: copy it again")


def _named(path: Path) -> str:
    numbers = _NUMBERS.findall(path.stem)
    return f"picture {path}" + (f" (frame {int(numbers[-1])})" if numbers else "")


def _unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{_named(path)} is missing; put it back, or check whether the disk is connected"
    return f"{_named(path)} cannot be read: {error.strerror or error}; check its permissions and the disk"


def _damaged(path: Path, error: Exception) -> str:
    return f"{_named(path)} is damaged or cut short ({str(error)[:120] or type(error).__name__}); copy it again"


def _no_picture(path: Path, head: bytes) -> str:
    if not head:
        return f"{_named(path)} is empty (0 bytes); copy it again"
    return f"{_named(path)} is neither TIFF nor PNG; export the pictures as TIFF or PNG"
