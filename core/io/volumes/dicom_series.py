"""DICOM series of CT slices: put in order along their normal, checked for gaps, in the patient's frame."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError

from core.errors import VolumeError
from core.imaging.voxels import Voxels, placed
from core.io.volumes.bounds import check_declared

_LOOSE_MM = 0.02
"""Difference of two slice distances that rounding explains."""
_NEEDED = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")


def series_of(paths: Sequence[Path]) -> dict[str, list[FileDataset]]:
    """Headers of the slices with pixels by SeriesInstanceUID; files that are no DICOM are passed over."""
    found: dict[str, list[FileDataset]] = {}
    for path in paths:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except InvalidDicomError:
            continue
        if "Rows" in header:
            found.setdefault(str(header.get("SeriesInstanceUID", "")), []).append(header)
    return found


def read_dicom_series(paths: Sequence[Path], series: str = "") -> Voxels:
    """One series of slices as a volume.

    Args:
        paths: files that may belong to it.
        series: its SeriesInstanceUID, needed where the files hold several.

    Raises:
        VolumeError: no or several series, slices missing, twice, unequal, tilted or not decodable.
    """
    headers = _chosen(paths, series)
    ordered = _ordered(headers)
    first = ordered[0]
    rows, columns = int(first.Rows), int(first.Columns)
    check_declared(Path(str(first.filename)).parent, (len(ordered), rows, columns))
    scales = {(_number(h, "RescaleSlope", 1.0), _number(h, "RescaleIntercept", 0.0)) for h in ordered}
    one_scale = len(scales) == 1
    stored = np.empty((len(ordered), rows, columns), dtype=_stored_type(first) if one_scale else np.float32)
    for at, header in enumerate(ordered):
        pixels = _pixels(header)
        if not one_scale:
            slope, intercept = _number(header, "RescaleSlope", 1.0), _number(header, "RescaleIntercept", 0.0)
            pixels = pixels * np.float32(slope) + np.float32(intercept)
        stored[at] = pixels
    slope, intercept = scales.pop() if one_scale else (1.0, 0.0)
    notes = (
        ()
        if "RescaleSlope" in first
        else ("the series has no rescale slope: its stored values were taken as they are",)
    )
    return placed(stored, _affine(ordered), slope=slope, intercept=intercept, notes=notes)


def _chosen(paths: Sequence[Path], series: str) -> list[FileDataset]:
    found = series_of(paths)
    where = paths[0].parent if paths else Path()
    if not found:
        raise VolumeError(f"{where} holds no DICOM slices; choose the folder of the series")
    if series:
        if series not in found:
            raise VolumeError(f"{where} holds no series {series}; there is: {_listed(found)}")
        return found[series]
    if len(found) > 1:
        raise VolumeError(f"{where} holds {len(found)} series; say which one: {_listed(found)}")
    return next(iter(found.values()))


def _listed(found: dict[str, list[FileDataset]]) -> str:
    return "; ".join(
        f"{uid} ({len(slices)} slices, {str(slices[0].get('SeriesDescription', '')) or 'no description'})"
        for uid, slices in found.items()
    )


def _ordered(headers: Sequence[FileDataset]) -> list[FileDataset]:
    """By position along the normal, after all that must be equal is.

    Raises:
        VolumeError: something is missing or differs; the message names the slices.
    """
    for header in headers:
        missing = [name for name in _NEEDED if name not in header]
        if int(header.get("NumberOfFrames", 1)) > 1:
            raise VolumeError(
                f"{_name(header)} holds many frames in one file; export the series as one file a slice, or as NIfTI"
            )
        if missing:
            raise VolumeError(f"slice {_name(header)} lacks {', '.join(missing)}; export the series as axial CT slices")
    first = headers[0]
    for header in headers[1:]:
        for name in ("ImageOrientationPatient", "PixelSpacing", "Rows", "Columns"):
            if not np.allclose(np.asarray(header[name].value, float), np.asarray(first[name].value, float), atol=1e-3):
                raise VolumeError(f"{name} of slice {_name(header)} differs from that of {_name(first)}")
    normal = np.cross(*_in_plane(first))
    ordered = sorted(headers, key=lambda header: float(normal @ np.asarray(header.ImagePositionPatient, float)))
    _check_distances(ordered, normal)
    return ordered


def _check_distances(ordered: Sequence[FileDataset], normal: np.ndarray) -> None:
    if len(ordered) < 2:
        raise VolumeError(f"{_name(ordered[0])} is a single slice; a volume needs the whole series")
    places = np.array([normal @ np.asarray(header.ImagePositionPatient, float) for header in ordered])
    steps = np.diff(places)
    usual = float(np.median(steps))
    for at, step in enumerate(steps):
        one, other = (Path(str(ordered[at + more].filename)).name for more in (0, 1))
        if step < _LOOSE_MM:
            raise VolumeError(f"slices {one} and {other} lie in the same place; the series holds slices twice")
        if abs(step - usual) > max(_LOOSE_MM, 0.02 * usual):
            raise VolumeError(
                f"slices {one} and {other} are {step:.2f} mm apart, the others {usual:.2f} mm: slices are missing or "
                "unequally spaced; export the whole series"
            )


def _in_plane(header: FileDataset) -> tuple[np.ndarray, np.ndarray]:
    """Directions along the columns (i) and rows (j) of a slice."""
    six = np.asarray(header.ImageOrientationPatient, dtype=np.float64)
    return six[:3], six[3:]


def _affine(ordered: Sequence[FileDataset]) -> np.ndarray:
    along_i, along_j = _in_plane(ordered[0])
    row_mm, column_mm = (float(value) for value in ordered[0].PixelSpacing)
    first, last = (np.asarray(header.ImagePositionPatient, dtype=np.float64) for header in (ordered[0], ordered[-1]))
    affine = np.eye(4)
    affine[:3, 0] = along_i * column_mm
    affine[:3, 1] = along_j * row_mm
    affine[:3, 2] = (last - first) / (len(ordered) - 1)
    affine[:3, 3] = first
    return affine


def _stored_type(header: FileDataset) -> np.dtype:
    signed = int(header.get("PixelRepresentation", 0)) == 1
    size = 1 if int(header.get("BitsAllocated", 16)) <= 8 else 2
    return np.dtype(f"{'i' if signed else 'u'}{size}")


def _number(header: FileDataset, name: str, default: float) -> float:
    value = header.get(name)
    return default if value in {None, ""} else float(value)


def _pixels(header: FileDataset) -> np.ndarray:
    """Decode one slice; its header was read without pixels.

    Raises:
        VolumeError: the codec is not known here, or the slice is damaged.
    """
    whole = pydicom.dcmread(str(header.filename))
    try:
        pixels = whole.pixel_array
    except (NotImplementedError, RuntimeError, ValueError, AttributeError, KeyError) as error:
        codec = whole.file_meta.get("TransferSyntaxUID")
        told = "unknown" if codec is None else codec.name
        raise VolumeError(
            f"the pixels of slice {_name(header)} cannot be decoded (codec: {told}): {str(error)[:120]}; "
            "export the series uncompressed"
        ) from error
    if pixels.shape != (int(header.Rows), int(header.Columns)):
        raise VolumeError(f"slice {_name(header)} holds {pixels.shape} pixels; colour pictures are no CT")
    return np.asarray(pixels)


def _name(header: FileDataset) -> str:
    return str(header.filename)
