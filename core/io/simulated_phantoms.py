"""Write the pictures of a simulated calibration session, with the phantoms' descriptions and the truth beside them."""

import json
from collections.abc import Generator
from pathlib import Path

import tifffile

from core.errors import StorageError
from core.io.phantom_files import write_phantom
from core.io.replacing import replace_file, storage_error
from core.io.text_files import read_bytes
from core.simulation.phantoms.session import PhantomPicture, Session, Truth, simulate_phantoms

TRUTH = "truth.json"


def write_simulated_phantoms(folder: Path, session: Session) -> Generator[PhantomPicture, None, Truth]:
    """Write a session into a new or empty folder; yields each picture when it is on the disk, returns the truth.

    Inside: ``{grid,disc,beads,white}_{a,b}/*.tif``, ``grid.json``, ``disc.json``, ``beads.json`` and, last,
    ``truth.json``.

    Raises:
        StorageError: something is in the folder already, or the disk refuses.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StorageError(f"{folder} exists already and is not empty; name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        settings = session.settings
        for name, phantom in (("grid", settings.grid), ("disc", settings.disc), ("beads", settings.beads)):
            write_phantom(phantom, folder / f"{name}.json")
        truth = yield from _write_pictures(folder, session)
    except OSError as error:
        raise storage_error(error, folder) from error
    text = json.dumps(truth, indent=1) + "\n"
    replace_file(folder / TRUTH, text.encode(), _check_json)
    return truth


def _write_pictures(folder: Path, session: Session) -> Generator[PhantomPicture, None, Truth]:
    pictures = simulate_phantoms(session)
    while True:
        try:
            made = next(pictures)
        except StopIteration as end:
            truth: Truth = end.value
            return truth
        (folder / made.folder).mkdir(exist_ok=True)
        tifffile.imwrite(folder / made.folder / f"{made.name}.tif", made.picture, compression="zlib")
        yield made


def _check_json(draft: Path) -> None:
    json.loads(read_bytes(draft, "truth", StorageError))
