"""Polygons of VTK's surface files without VTK: the two text and binary dialects (.vtk) and the XML ones (.vtp).

Layouts: "VTK File Formats" (Kitware), legacy versions 2 to 5.1 and XML versions 0.1 to 2.
"""

import base64
import lzma
import re
import zlib
from collections.abc import Callable
from xml.etree import ElementTree

import imagecodecs
import numpy as np
from jaxtyping import Float, Int

from core.errors import MeshError

Surface = tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "m 3"]]

_LEGACY_TYPES = {
    "char": "i1",
    "unsigned_char": "u1",
    "short": "i2",
    "unsigned_short": "u2",
    "int": "i4",
    "unsigned_int": "u4",
    "long": "i8",
    "unsigned_long": "u8",
    "vtktypeint64": "i8",
    "vtktypeuint64": "u8",
    "vtkidtype": "i4",  # VTK writes its index type as int here, whatever its size in memory
    "float": "f4",
    "double": "f8",
}
_XML_TYPES = {
    "Int8": "i1",
    "UInt8": "u1",
    "Int16": "i2",
    "UInt16": "u2",
    "Int32": "i4",
    "UInt32": "u4",
    "Int64": "i8",
    "UInt64": "u8",
    "Float32": "f4",
    "Float64": "f8",
}
_NEWEST_LEGACY_MAJOR = 5


def read_vtk(raw: bytes) -> Surface:
    """Points and triangles of a legacy PolyData file; polygons are cut into fans, strips unrolled.

    Raises:
        MeshError: it holds no PolyData.
        ValueError: it is damaged or cut short.
    """
    head = re.match(rb"\s*# vtk DataFile Version (\d+)[^\n]*\n[^\n]*\n\s*(ASCII|BINARY)\s+", raw, re.IGNORECASE)
    if head is None:
        raise MeshError("it does not begin as a VTK file does")
    if int(head[1]) > _NEWEST_LEGACY_MAJOR:
        raise MeshError(f"its version {int(head[1])} is newer than {_NEWEST_LEGACY_MAJOR}; save it as version 5 or 4.2")
    kind = re.compile(rb"DATASET\s+(\S+)\s*", re.IGNORECASE).match(raw, head.end())
    if kind is None or kind[1].upper() != b"POLYDATA":
        found = "no data set" if kind is None else kind[1].decode("ascii", "replace")
        raise MeshError(f"it holds {found}, not POLYDATA; save the surface")
    return _Legacy(raw, kind.end(), binary=head[2].upper() == b"BINARY").read()


class _Legacy:
    """Walks through a legacy file from one keyword to the next."""

    def __init__(self, raw: bytes, start: int, *, binary: bool) -> None:
        self._raw = raw
        self._at = start
        self._binary = binary
        self._points: Float[np.ndarray, "n 3"] = np.zeros((0, 3))
        self._faces: list[Int[np.ndarray, "m 3"]] = []

    def read(self) -> Surface:
        while (words := self._line()) is not None:
            keyword = words[0].upper() if words else ""
            if keyword == "POINTS":
                self._points = self._numbers(3 * int(words[1]), words[2]).astype(np.float64).reshape(-1, 3)
            elif keyword in {"VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS"}:
                corners, ends = self._cells(int(words[1]), int(words[2]))
                if keyword == "POLYGONS":
                    self._faces.append(fans(corners, ends))
                elif keyword == "TRIANGLE_STRIPS":
                    self._faces.append(strips(corners, ends))
            elif keyword == "METADATA":
                self._skip_metadata()
            elif keyword in {"POINT_DATA", "CELL_DATA", "FIELD"}:
                break
            elif keyword:
                raise ValueError(f"{words[0][:40]!r} stands where a section should begin")
        return self._points, np.concatenate([np.zeros((0, 3), dtype=np.int64), *self._faces])

    def _line(self) -> list[str] | None:
        if self._at >= len(self._raw):
            return None
        end = self._raw.find(b"\n", self._at)
        end = len(self._raw) if end < 0 else end
        line, self._at = self._raw[self._at : end], end + 1
        return line.decode("ascii", "replace").split()

    def _cells(self, first: int, second: int) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " p"]]:
        """Corner indices of all cells, and where each cell ends among them."""
        before = self._at
        words = self._line() or []
        if words and words[0].upper() == "OFFSETS":
            offsets = self._numbers(first, words[1]).astype(np.int64)
            words = self._line() or self._line() or []
            if not words or words[0].upper() != "CONNECTIVITY":
                raise ValueError("OFFSETS without CONNECTIVITY")
            return self._numbers(second, words[1]).astype(np.int64), offsets[1:]
        self._at = before
        return _unpacked(self._numbers(second, "int").astype(np.int64), first)

    def _numbers(self, count: int, kind: str) -> np.ndarray:
        dtype = np.dtype(">" + _LEGACY_TYPES[kind.lower()])
        if self._binary:
            block = self._raw[self._at : self._at + count * dtype.itemsize]
            if len(block) < count * dtype.itemsize:
                raise ValueError(f"it ends after {len(block) // dtype.itemsize} of {count} numbers")
            self._at += len(block)
            if self._raw[self._at : self._at + 1] == b"\n":
                self._at += 1
            return np.frombuffer(block, dtype=dtype).astype(dtype.newbyteorder("="))
        return self._text_numbers(count, dtype)

    def _text_numbers(self, count: int, dtype: np.dtype) -> np.ndarray:
        found: list[bytes] = []
        while len(found) < count and self._at < len(self._raw):
            end = self._raw.find(b"\n", self._at)
            end = len(self._raw) if end < 0 else end
            found.extend(self._raw[self._at : end].split())
            self._at = end + 1
        if len(found) != count:
            raise ValueError(f"{len(found)} numbers stand where {count} should")
        return np.array(found).astype(np.float64).astype(dtype.newbyteorder("="))

    def _skip_metadata(self) -> None:
        while self._line():
            continue


def _unpacked(packed: Int[np.ndarray, " k"], count: int) -> tuple[Int[np.ndarray, " c"], Int[np.ndarray, " p"]]:
    """From the older layout, where each cell begins with its number of corners."""
    if count and len(packed) % count == 0 and (packed.reshape(count, -1)[:, 0] == len(packed) // count - 1).all():
        table = packed.reshape(count, -1)[:, 1:]
        return table.reshape(-1), np.arange(1, count + 1) * table.shape[1]
    cells, at = [], 0
    while at < len(packed):
        cells.append(packed[at + 1 : at + 1 + packed[at]])
        at += 1 + max(0, int(packed[at]))
    if len(cells) != count or at != len(packed):
        raise ValueError(f"{len(cells)} cells stand where {count} should")
    return np.concatenate([np.zeros(0, dtype=np.int64), *cells]), np.cumsum([len(cell) for cell in cells])


def fans(corners: Int[np.ndarray, " k"], ends: Int[np.ndarray, " p"]) -> Int[np.ndarray, "m 3"]:
    """Triangles of polygons, cut from each one's first corner; ``ends`` are one past each polygon's last."""
    starts, ends = _bounds(corners, ends)
    counts = np.maximum(ends - starts - 2, 0)
    first = np.repeat(starts, counts)
    step = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=-1)


def strips(corners: Int[np.ndarray, " k"], ends: Int[np.ndarray, " p"]) -> Int[np.ndarray, "m 3"]:
    """Triangles of strips; every second one is turned so that all are wound alike."""
    starts, ends = _bounds(corners, ends)
    counts = np.maximum(ends - starts - 2, 0)
    step = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    at = np.repeat(starts, counts) + step
    odd = step % 2
    return np.stack([corners[at], corners[at + 1 + odd], corners[at + 2 - odd]], axis=-1)


def _bounds(
    corners: Int[np.ndarray, " k"], ends: Int[np.ndarray, " p"]
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    if (np.diff(ends, prepend=0) < 0).any() or (len(ends) and ends[-1] > len(corners)):
        raise ValueError("the ends of its polygons run past its corners")
    return np.concatenate([[0], ends[:-1]]).astype(np.int64) if len(ends) else ends, ends


def read_vtp(raw: bytes) -> Surface:
    """Points and triangles of an XML PolyData file: text, base64 or appended, plain or compressed.

    Raises:
        MeshError: it holds no PolyData.
        ValueError: it is damaged or cut short.
    """
    root, appended = _parsed(raw)
    if root.tag != "VTKFile" or root.get("type") != "PolyData":
        raise MeshError(f"it holds {root.get('type') or root.tag}, not PolyData; save the surface")
    arrays = _Arrays(root, appended)
    points: list[Float[np.ndarray, "n 3"]] = [np.zeros((0, 3))]
    faces: list[Int[np.ndarray, "m 3"]] = [np.zeros((0, 3), dtype=np.int64)]
    for piece in root.iter("Piece"):
        shift = sum(len(part) for part in points)
        for section, triangles in (("Polys", fans), ("Strips", strips)):
            named = {array.get("Name"): array for array in piece.findall(f"{section}/DataArray")}
            if {"connectivity", "offsets"} <= named.keys():
                corners, ends = (arrays.read(named[name]).astype(np.int64) for name in ("connectivity", "offsets"))
                faces.append(triangles(corners, ends) + shift)
        array = piece.find("Points/DataArray")
        if array is not None:
            points.append(arrays.read(array).astype(np.float64).reshape(-1, 3))
    return np.concatenate(points), np.concatenate(faces)


def _parsed(raw: bytes) -> tuple[ElementTree.Element, bytes]:
    """The XML tree, and the appended block, which may be raw bytes and then is no XML."""
    if b"<!ENTITY" in raw[:4096]:
        raise ValueError("it defines XML entities, which no surface needs")
    appended = b""
    begin = re.search(rb"<AppendedData[^>]*>\s*_", raw)
    if begin is not None:
        end = raw.rfind(b"</AppendedData>")
        if end < begin.end():
            raise ValueError("its appended data are cut short")
        appended, raw = raw[begin.end() : end], raw[: begin.end()] + raw[end:]
    try:
        return ElementTree.fromstring(raw), appended  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise ValueError(f"it is no XML: {error}") from error


class _Arrays:
    """Decodes DataArray elements of one file."""

    def __init__(self, root: ElementTree.Element, appended: bytes) -> None:
        self._order = ">" if root.get("byte_order") == "BigEndian" else "<"
        self._size = np.dtype(self._order + _XML_TYPES[root.get("header_type", "UInt32")])
        self._expand = _expander(root.get("compressor"))
        block = root.find("AppendedData")
        self._appended_text = block is not None and block.get("encoding", "base64") == "base64"
        self._appended = appended

    def read(self, array: ElementTree.Element) -> np.ndarray:
        dtype = np.dtype(self._order + _XML_TYPES[array.get("type", "")])
        layout = array.get("format", "ascii")
        if layout == "ascii":
            return np.array((array.text or "").split(), dtype=np.float64).astype(dtype.newbyteorder("="))
        if layout == "binary":
            data = self._unpacked("".join((array.text or "").split()).encode("ascii"), text=True)
        else:
            data = self._unpacked(self._appended[int(array.get("offset", "0")) :], text=self._appended_text)
        return np.frombuffer(data, dtype=dtype).astype(dtype.newbyteorder("="))

    def _unpacked(self, block: bytes, *, text: bool) -> bytes:
        if self._expand is None:
            (count,), block = self._header(block, 1, text=text, alone=False)
            return _exactly(block, count)
        (blocks,), _ = self._header(block, 1, text=text, alone=True)
        sizes, block = self._header(block, 3 + blocks, text=text, alone=True)
        block = _decoded(block, -(-sum(sizes[3:]) // 3) * 4) if text else block
        parts, at = [], 0
        for index, size in enumerate(sizes[3:]):
            full = sizes[1] if index < blocks - 1 or sizes[2] == 0 else sizes[2]
            parts.append(_exactly(self._expand(_exactly(block[at:], size), full), full))
            at += size
        return b"".join(parts)

    def _header(self, block: bytes, count: int, *, text: bool, alone: bool) -> tuple[list[int], bytes]:
        """The leading sizes and what follows; in text they are encoded alone only where data are compressed."""
        length = count * self._size.itemsize
        if not text:
            return np.frombuffer(_exactly(block, length), self._size).tolist(), block[length:]
        if alone:
            letters = -(-length // 3) * 4
            return np.frombuffer(_exactly(_decoded(block, letters), length), self._size).tolist(), block[letters:]
        (size,) = np.frombuffer(_exactly(_decoded(block, -(-length // 3) * 4), length), self._size).tolist()
        return [size], _decoded(block, -(-(length + size) // 3) * 4)[length:]


def _expander(compressor: str | None) -> Callable[[bytes, int], bytes] | None:
    if compressor is None:
        return None
    if compressor == "vtkZLibDataCompressor":
        return lambda data, _: zlib.decompress(data)
    if compressor == "vtkLZMADataCompressor":
        return lambda data, _: lzma.decompress(data)
    if compressor == "vtkLZ4DataCompressor":
        return lambda data, size: bytes(imagecodecs.lz4_decode(data, out=size))
    raise MeshError(f"it is compressed by {compressor[:60]}, which is unknown; save it with ZLib")


def _decoded(text: bytes, letters: int) -> bytes:
    return base64.b64decode(text[:letters], validate=True)


def _exactly(data: bytes, count: int) -> bytes:
    if len(data) < count:
        raise ValueError(f"its data end after {len(data)} of {count} bytes")
    return data[:count]
