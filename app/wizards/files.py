"""The sources of the wizards on the real disk."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import final

import numpy as np

from app.wizards.sources import BodyFile, Lengths, Measured, PairBy, Pairs, Pictures, TrialFiles
from core.geometry.mesh import TriangleMesh
from core.geometry.view import View
from core.io.calibration import inspect_calibration
from core.io.images import check_sizes, contrast_fault, find_sequence, pair_sequences, read_image
from core.io.mesh_files import guess_units, read_mesh, read_surface
from core.io.study import StudyFile
from core.io.study.add import body_from_file, trial_from_files
from core.registration.body import prepare_body
from core.registration.values import Body
from core.study.values import BodyRecord, Trial


@final
class DiskSources:
    """Reads with core.io; the same calls that the command line makes."""

    def view(self, path: Path, name: str, size: tuple[int, int], lengths: Lengths) -> tuple[View, tuple[str, ...]]:
        """A calibration with notes."""
        found = inspect_calibration(path, name, size, lengths=lengths)
        return found.view, (f"{found.kind} calibration", *found.notes)

    def check_pictures(self, pictures: Pictures, view: View) -> str:
        """Compare all sizes, and see whether the first picture shows anything."""
        check_sizes(pictures.paths, view)
        fault = contrast_fault(read_image(pictures.paths[0]))
        return "" if fault is None else f"the first picture, {pictures.paths[0].name}, is {fault}: was the X-ray off?"

    def pictures(self, where: str) -> Pictures:
        """The pictures of a folder or pattern."""
        found = find_sequence(where)
        return Pictures(paths=tuple(found.paths), frames=tuple(found.frames))

    def pair(self, a: str, b: str, by: PairBy) -> Pairs:
        """Which pictures of two views belong together."""
        found = pair_sequences(find_sequence(a), find_sequence(b), by)
        return Pairs(
            frames=tuple(found.frames), paths_a=tuple(found.paths_a), paths_b=tuple(found.paths_b), note=found.note
        )

    def picture(self, path: Path) -> np.ndarray:
        """One picture, h x w."""
        return read_image(path)

    def surface(self, path: Path, units: str) -> TriangleMesh:
        """A surface in mm."""
        return read_mesh(path, units)

    def measure(self, path: Path) -> Measured:
        """The size of a surface in its file's units."""
        guess = guess_units(read_surface(path).extent_mm)
        return Measured(longest=guess.longest, likely=guess.units)

    def prepare(self, name: str, surface: TriangleMesh) -> Body:
        """The surface made ready."""
        return prepare_body(name, surface)

    def trial(self, files: TrialFiles) -> Trial:
        """The trial with links and checksums."""
        first, second = files.planes[0], files.planes[1] if len(files.planes) > 1 else None
        return trial_from_files(
            files.name,
            first.images,
            None if second is None else second.images,
            Path(first.calibration),
            None if second is None else Path(second.calibration),
            files.pair_by,
            lengths=files.lengths,
        )

    def body(self, file: BodyFile) -> BodyRecord:
        """The body's record."""
        return body_from_file(file.name, file.path, file.units)

    def write_study(
        self, place: Path, name: str, trial: Trial | None, bodies: tuple[BodyRecord, ...]
    ) -> Generator[str, None, Path]:
        """A new study, removed again where it cannot be completed."""
        yield "Writing the study"
        StudyFile.create(place, name).close()
        done = False
        try:
            with StudyFile.open(place) as study:
                if trial is not None:
                    study.add_trial(trial)
                for body in bodies:
                    study.add_body(body)
            yield "Written"  # a cancelled wizard ends here, and what was made goes again
            done = True
        finally:
            if not done:
                shutil.rmtree(place, ignore_errors=True)
        return place
