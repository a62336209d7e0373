"""Phantoms as JSON files: those that come with the program, and those that a laboratory describes itself."""

import json
import math
from collections.abc import Callable
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import get_type_hints

from core.calibration.phantoms import BeadPhantom, DiscPlate, GridPlate, Phantom
from core.errors import CalibrationError
from core.io.replacing import replace_file
from core.io.text_files import read_text

VERSION = 1
KINDS: dict[str, type[Phantom]] = {"grid plate": GridPlate, "disc plate": DiscPlate, "bead phantom": BeadPhantom}
_FOLDER = Path(__file__).resolve().parents[2] / "resources" / "phantoms"
_HEADER = {"kind", "version", "comment"}


def builtin_phantoms() -> tuple[str, ...]:
    """Names of the phantoms that come with the program."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def read_phantom(path_or_name: Path | str) -> Phantom:
    """A phantom from a JSON file, or one that comes with the program by its name.

    The file holds ``kind`` (grid plate, disc plate or bead phantom), ``version`` and the fields of that kind; lengths
    are in mm, angles in degrees. A file of the same name comes before a built-in phantom.

    Raises:
        CalibrationError: there is no such phantom or file, or the file does not describe a phantom.
    """
    path = Path(path_or_name).expanduser()
    if not path.exists() and path.name == str(path_or_name) and path.suffix.lower() != ".json":
        if path.name not in builtin_phantoms():
            raise CalibrationError(
                f"there is no phantom {path.name!r}; name a JSON file that describes it, "
                f"or one of {', '.join(builtin_phantoms())}"
            )
        path = _FOLDER / f"{path.name}.json"
    return phantom_from_text(read_text(path, "phantom", CalibrationError), f"phantom {path}")


def write_phantom(phantom: Phantom, path: Path) -> None:
    """Write a phantom as a JSON file that reads back the same.

    Raises:
        StorageError: the disk refuses.
    """
    text = phantom_to_text(phantom)

    def same(draft: Path) -> None:
        if read_phantom(draft) != phantom:
            raise CalibrationError(f"phantom {phantom.name!r} does not read back from {path} as it was written")

    replace_file(path, text.encode(), same)


def phantom_to_text(phantom: Phantom) -> str:
    """The JSON text of a phantom."""
    kind = next(name for name, made in KINDS.items() if isinstance(phantom, made))
    values = {"kind": kind, "version": VERSION, **asdict(phantom)}
    lines = [f"  {json.dumps(name)}: {_written(value)}" for name, value in values.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _written(value: object) -> str:
    """JSON with one point a line."""
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return "[\n" + ",\n".join(f"    {json.dumps(row)}" for row in value) + "\n  ]"
    return json.dumps(value, ensure_ascii=False)


def phantom_from_text(text: str, where: str) -> Phantom:
    """The phantom that a JSON text describes; ``where`` begins the sentence of an error.

    Raises:
        CalibrationError: no JSON, an unknown kind or version, fields that are missing, unknown or of the wrong sort.
    """
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        raise CalibrationError(
            f"{where}, line {error.lineno}: this is no JSON ({error.msg}); check it there"
        ) from error
    if not isinstance(held, dict):
        raise CalibrationError(f"{where} must hold one object with a kind and its fields")
    made = _made_as(held, where)
    _check_names(held, made, where)
    hints = get_type_hints(made)
    make: Callable[..., Phantom] = made
    given = {name: _converted(held[name], hints[name], f"{where}, field {name!r}") for name in held.keys() - _HEADER}
    try:
        return make(**given)
    except CalibrationError as error:
        raise CalibrationError(f"{where}: {error}") from error


def _made_as(held: dict[str, object], where: str) -> type[Phantom]:
    kind, version = held.get("kind"), held.get("version", VERSION)
    if not isinstance(kind, str) or kind not in KINDS:
        found = f"{kind!r} is none" if "kind" in held else "there is none"
        raise CalibrationError(f"{where}, field 'kind': {found}; it must be one of {', '.join(KINDS)}")
    if isinstance(version, bool) or not isinstance(version, int) or version > VERSION:
        raise CalibrationError(
            f"{where} is of version {version!r}, this program knows {VERSION}; use a newer program, or describe it anew"
        )
    return KINDS[kind]


def _check_names(held: dict[str, object], made: type[Phantom], where: str) -> None:
    known = {field.name: field.default is MISSING for field in fields(made)}
    unknown = sorted(held.keys() - known.keys() - _HEADER)
    if unknown:
        raise CalibrationError(f"{where}: there is no field {unknown[0]!r}; a {held['kind']} has {', '.join(known)}")
    missing = [name for name, needed in known.items() if needed and name not in held]
    if missing:
        raise CalibrationError(f"{where}: field {missing[0]!r} is missing; a {held['kind']} needs it")


def _converted(value: object, hint: object, where: str) -> object:
    convert, told = _FIELD_SORTS[hint]
    try:
        return convert(value)
    except (TypeError, ValueError) as error:
        raise CalibrationError(f"{where}: {json.dumps(value)[:80]} is not {told}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _rows(item: Callable[[object], object], count: int) -> Callable[[object], tuple[tuple[object, ...], ...]]:
    def convert(value: object) -> tuple[tuple[object, ...], ...]:
        rows = tuple(tuple(item(each) for each in _listed(row)) for row in _listed(value))
        if any(len(row) != count for row in rows):
            raise ValueError
        return rows

    return convert


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(each) for each in _listed(value))


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


_FIELD_SORTS: dict[object, tuple[Callable[[object], object], str]] = {
    str: (_text, "a text"),
    bool: (_yes_or_no, "true or false"),
    float: (_number, "a number"),
    int: (_whole, "a whole number"),
    tuple[tuple[int, int], ...]: (_rows(_whole, 2), "a list of pairs [column, row] of whole numbers"),
    tuple[tuple[float, float, float], ...]: (_rows(_number, 3), "a list of points [x, y, z] in mm"),
    tuple[str, ...]: (_texts, "a list of texts"),
}
"""By the type of a field: how its JSON value is taken, and what it must be, in words."""
