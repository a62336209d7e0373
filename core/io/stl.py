"""Triangles of STL files, binary and text."""

import re

import numpy as np
from jaxtyping import Float

_HEAD_BYTES = 84
_ROW = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])
_VERTEX = re.compile(rb"^\s*vertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE | re.MULTILINE)


def read_stl(raw: bytes) -> Float[np.ndarray, "m 3 3"]:
    """Corners of each triangle in the file's own units.

    A file whose length fits the count in a binary header is binary, whatever its first word; many binary files
    begin with "solid" too.

    Raises:
        ValueError: it is neither kind, damaged, or cut short.
    """
    count = int.from_bytes(raw[80:_HEAD_BYTES], "little") if len(raw) >= _HEAD_BYTES else 0
    needed = _HEAD_BYTES + count * _ROW.itemsize
    if len(raw) == needed:
        return _binary(raw, count)
    if raw.lstrip()[:5].lower() == b"solid" and b"facet" in raw[:4096].lower():
        return _text(raw)
    if raw.lstrip()[:5].lower() == b"solid" and len(raw) < 4096 and b"endsolid" in raw.lower():
        return np.zeros((0, 3, 3))
    if len(raw) < _HEAD_BYTES or b"\0" not in raw:
        raise ValueError("it is no STL file")
    if len(raw) > needed:
        return _binary(raw[:needed], count)
    raise ValueError(
        f"it is cut short: it says {count} triangles and holds {(len(raw) - _HEAD_BYTES) // _ROW.itemsize}"
    )


def _binary(raw: bytes, count: int) -> Float[np.ndarray, "m 3 3"]:
    rows = np.frombuffer(raw, dtype=_ROW, count=count, offset=_HEAD_BYTES)
    return np.asarray(rows["corners"], dtype=np.float64)


def _text(raw: bytes) -> Float[np.ndarray, "m 3 3"]:
    if b"endsolid" not in raw[-4096:].lower():
        raise ValueError("it is cut short: 'endsolid' is missing")
    found = _VERTEX.findall(raw)
    if len(found) != 3 * len(re.findall(rb"^\s*endfacet", raw, re.IGNORECASE | re.MULTILINE)):
        raise ValueError(f"it is damaged: {len(found)} corners are not three for each facet")
    return np.array(found).astype(np.float64).reshape(-1, 3, 3)
