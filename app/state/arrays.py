"""Pictures, usable pixels and prepared bodies of the open study, kept while memory lasts.

The document holds names and links; the arrays live here, keyed by them. Safe from several threads.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, final

import numpy as np

from core.errors import ImageError, StudyError
from core.imaging.field_of_view import exclude_polygons, find_field_of_view
from core.io.images import read_image
from core.io.mesh_files import read_mesh
from core.io.study.add_bone import bone_of
from core.registration.body import prepare_body
from core.registration.values import Body, Shot
from core.study.values import BodyRecord, Study, Trial

DEFAULT_LIMIT_BYTES = 1 << 30
_LOOKED_AT = 12
"""Pictures of a sequence from which its image circle is found."""
_LOG = logging.getLogger(__name__)


def _prepared(record: BodyRecord) -> Body:
    if record.volume is not None:
        return bone_of(record)
    if record.mesh is None:
        raise StudyError(f"body {record.name!r} has neither a surface nor a volume")
    return prepare_body(record.name, read_mesh(record.mesh.path, record.units))


@final
class Arrays:
    """A cache in front of the disk; the least recently used pictures go first."""

    def __init__(self, study: Callable[[], Study], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        """``study`` gives the study as it is now."""
        self._study = study
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}
        self._pictures: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._others: dict[Hashable, Any] = {}
        self._held_bytes = 0

    def picture(self, trial: str, view_index: int, frame: int) -> np.ndarray:
        """One picture (h w), uint8 or uint16.

        Raises:
            ImageError: it is missing, damaged or of another size than its calibration.
            StudyError: there is no such trial or frame.
        """
        known = self._study().trial(trial)
        plane = known.views[view_index]
        path = plane.images[known.index_of(frame)].path
        with self._lock:
            found = self._pictures.get(path)
            if found is not None:
                self._pictures.move_to_end(path)
                return found
        image = read_image(path)
        if image.shape != (plane.view.height_px, plane.view.width_px):
            raise ImageError(
                f"picture {path} is {image.shape[1]} x {image.shape[0]} px, but view {plane.view.name} is calibrated "
                f"for {plane.view.width_px} x {plane.view.height_px} px; it was replaced or cropped"
            )
        image.flags.writeable = False
        self._keep(path, image)
        return image

    def usable(self, trial: str, view_index: int) -> np.ndarray:
        """Pixels (h w, bool) inside the image circle and outside the exclusions of one view."""
        known = self._study().trial(trial)
        plane = known.views[view_index]
        key = ("usable", plane.images, plane.exclusions)
        return self._once(key, lambda: self._find_usable(known, view_index))

    def shots(self, trial: str, frame: int) -> tuple[Shot, ...]:
        """What registration sees of one frame.

        Raises:
            ImageError: a picture is missing or damaged.
        """
        known = self._study().trial(trial)
        return tuple(
            Shot(view=plane.view, image=self.picture(trial, index, frame), usable=self.usable(trial, index))
            for index, plane in enumerate(known.views)
        )

    def body(self, name: str) -> Body:
        """A body repaired, simplified and ready for registration.

        Raises:
            StudyError: there is no such body.
            MeshError, VolumeError: its surface or volume is missing or cannot be used.
        """
        record = self._study().body(name)
        key = ("body", name, record.mesh, record.units, record.volume)
        made: Body = self._once(key, lambda: _prepared(record))
        return made

    def forget(self) -> None:
        """Drop everything; another study is coming."""
        with self._lock:
            self._pictures.clear()
            self._others.clear()
            self._making.clear()
            self._held_bytes = 0

    def _find_usable(self, trial: Trial, view_index: int) -> np.ndarray:
        """The circle is the same for a whole trial: found once from a few pictures, damaged ones passed over."""
        plane = trial.views[view_index]
        circle = self._once(("circle", plane.images), lambda: self._find_circle(trial, view_index))
        usable = exclude_polygons(circle, plane.exclusions)
        usable.flags.writeable = False
        return usable

    def _find_circle(self, trial: Trial, view_index: int) -> np.ndarray:
        every = max(1, len(trial.frames) // _LOOKED_AT)
        seen = []
        for frame in trial.frames[::every]:
            try:
                seen.append(self.picture(trial.name, view_index, frame))
            except ImageError as error:
                _LOG.warning("passed over while the image circle is looked for: %s", error)
        if not seen:
            view = trial.views[view_index].view
            return np.ones((view.height_px, view.width_px), dtype=bool)
        return find_field_of_view(seen)

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever ``make`` makes
        """Make a value once, even if two threads ask at the same time."""
        with self._lock:
            if key in self._others:
                return self._others[key]
            turn = self._making.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._others:
                    return self._others[key]
            made = make()
            with self._lock:
                if self._making.get(key) is turn:  # else all was forgotten meanwhile
                    self._others[key] = made
                    del self._making[key]
            return made

    def _keep(self, key: Hashable, image: np.ndarray) -> None:
        with self._lock:
            if key in self._pictures:
                return
            self._pictures[key] = image
            self._held_bytes += image.nbytes
            while self._held_bytes > self._limit_bytes and len(self._pictures) > 1:
                _, dropped = self._pictures.popitem(last=False)
                self._held_bytes -= dropped.nbytes
