"""Regions around the shadows of bodies: drawn by hand or proposed by darkness, shown, removed, turned into masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Bool
from PySide6.QtCore import QObject

from app.presenters.session import Session
from app.state.appearance import Appearance
from app.state.live import Origin
from app.views.fluoroscopy import FluoroscopyView, RegionMark
from app.workers.newest import Newest
from core.errors import DuoscopeError
from core.imaging.metal import dark_regions, mask_of_polygon
from core.study.values import Polygon, Region, RegionKey

_SMOOTH_PX = 1.5
"""How far a proposed outline may run beside the threshold's, in pixels of a 1024 px picture."""
_SMALLEST_SHARE = 0.002
"""Dark spots smaller than this share of the picture are not offered."""

Masks = tuple[Bool[np.ndarray, "h w"] | None, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """Outlines of dark shadows in one picture, the likeliest first; which one is shown."""

    key: RegionKey
    outlines: tuple[Polygon, ...]
    shown: int = 0

    @property
    def corners(self) -> Polygon:
        """The outline that is shown; no corners where nothing was found."""
        return self.outlines[self.shown] if self.outlines else ()


@final
class Regions(QObject):
    """Where the shadows of the bodies are said to be in the selected frame: what Find the pose begins from."""

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        pictures: Sequence[FluoroscopyView],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._pictures = tuple(pictures)
        self._drawn_for: RegionKey | None = None
        self._offer: _Offer | None = None
        self._newest = Newest(self)
        self._newest.answered.connect(self._on_offer)
        self._newest.refused.connect(self._on_refusal)
        for picture in self._pictures:
            picture.region_finished.connect(self._on_drawn)

    def close(self) -> None:
        """End the thread."""
        self._newest.close()

    def draw(self) -> None:
        """Let the person outline the active body's shadow in the active view."""
        key = self._key()
        if key is not None:
            self._drawn_for = key
            self._pictures[key.plane].start_region(key.body, self._appearance.body(key.body).colour)

    def propose(self) -> None:
        """Outline the likeliest dark shadow of the active view for the active body; again: the next one."""
        key, document = self._key(), self._session.document
        if key is None or document is None:
            return
        offer, shown = self._offer, document.study.region(*key)
        if offer is not None and offer.key == key and shown is not None and shown.corners_px == offer.corners:
            self._show(_Offer(key=key, outlines=offer.outlines, shown=(offer.shown + 1) % len(offer.outlines)))
            return
        arrays, near = self._session.arrays, self._seen_at(key)

        def question() -> _Offer:
            shot = arrays.shots(key.trial, key.frame)[key.plane]
            masks = [dark.at_size(shot.usable.shape) for dark in dark_regions(shot.image, shot.usable)]
            return _Offer(key=key, outlines=outlines_of(masks, near))

        self._session.messages.status.emit("Looking for dark shadows…")
        self._newest.ask(question)

    def remove(self) -> None:
        """Remove the active body's region in the active view."""
        key, document = self._key(), self._session.document
        if key is None or document is None:
            return
        if document.study.region(*key) is None:
            self._session.messages.status.emit(f"{key.body} has no region in this picture")
            return
        self._session.history.do(f"Remove the region of {key.body}", document.with_regions({key: None}))

    def refresh(self) -> None:
        """Show the selected frame's regions."""
        document, chosen = self._session.document, self._session.selection
        for index, picture in enumerate(self._pictures):
            here = () if document is None else document.study.regions
            picture.set_regions(
                [
                    RegionMark(
                        name=f"{region.body}: region",
                        colour=self._appearance.body(region.body).colour,
                        corners_px=region.corners_px,
                    )
                    for region in here
                    if (region.trial, region.frame, region.plane) == (chosen.trial, chosen.frame, index)
                ]
            )

    def masks_of(self, bodies: Sequence[str]) -> tuple[Masks | None, ...]:
        """For each body its region in each view of the selected frame as a mask; None where nothing is drawn."""
        document, trial, frame = self._session.document, self._session.trial, self._session.selection.frame
        if document is None or trial is None or frame is None:
            return (None,) * len(bodies)
        found: list[Masks | None] = []
        for body in bodies:
            masks: list[Bool[np.ndarray, "h w"] | None] = []
            for plane, seen in enumerate(trial.views):
                region = document.study.region(trial.name, plane, frame, body)
                size = (seen.view.height_px, seen.view.width_px)
                masks.append(None if region is None else mask_of_polygon(region.corners_px, size))
            found.append(tuple(masks) if any(mask is not None for mask in masks) else None)
        return tuple(found)

    def _key(self) -> RegionKey | None:
        trial, chosen = self._session.trial, self._session.selection
        if trial is None or chosen.frame is None or chosen.body is None:
            return None
        return RegionKey(trial.name, min(chosen.view, len(trial.views) - 1), chosen.frame, chosen.body)

    def _seen_at(self, key: RegionKey) -> np.ndarray | None:
        """Where the body's middle is seen (u, v) in pixels; None where no pose is known."""
        trial, shown, body = self._session.trial, self._session.shown(key.body), self._session.bodies.get(key.body)
        if trial is None or shown is None or body is None or shown.origin is Origin.PLACED:
            return None
        return np.asarray(trial.views[key.plane].view.project(shown.pose.apply(body.pivot_mm[None]))[0])

    def _on_drawn(self, corners: Sequence[tuple[float, float]]) -> None:
        key, self._drawn_for = self._drawn_for, None
        if key is not None and len(corners) >= 3:
            self._store(key, tuple((float(u), float(v)) for u, v in corners), f"Draw the region of {key.body}")

    def _on_offer(self, offer: _Offer) -> None:
        if offer.key == self._key():
            self._show(offer)

    def _show(self, offer: _Offer) -> None:
        self._offer = offer
        if not offer.outlines:
            self._session.messages.status.emit("")
            self._session.messages.info(
                "No dark shadow stands out in this picture; draw the region by hand (G, Register menu)."
            )
            return
        body, count = offer.key.body, len(offer.outlines)
        again = f", {offer.shown + 1} of {count}: Shift+G for the next" if count > 1 else ""
        self._session.messages.status.emit(f"Dark shadow taken for {body}{again}")
        self._store(offer.key, offer.corners, f"Propose the region of {body}")

    def _on_refusal(self, error: object) -> None:
        self._session.messages.status.emit("")
        self._session.messages.error(f"No region can be proposed: {error}")

    def _store(self, key: RegionKey, corners: Polygon, text: str) -> None:
        document = self._session.document
        if document is None:
            return
        try:
            region = Region(trial=key.trial, plane=key.plane, frame=key.frame, body=key.body, corners_px=corners)
        except DuoscopeError as error:
            self._session.messages.error(str(error))
            return
        self._session.history.do(text, document.with_regions({key: region}))


def outlines_of(masks: Sequence[Bool[np.ndarray, "h w"]], near_px: np.ndarray | None) -> tuple[Polygon, ...]:
    """The outer outlines of masks: nearest to a point first, or the largest first without one."""
    parts = []
    for mask in masks:
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        parts += [(part, max(mask.shape)) for part in contours if cv2.contourArea(part) >= _SMALLEST_SHARE * mask.size]
    if near_px is None:
        parts.sort(key=lambda part: -cv2.contourArea(part[0]))
    else:
        at = (float(near_px[0]), float(near_px[1]))
        parts.sort(key=lambda part: -cv2.pointPolygonTest(part[0], at, measureDist=True))
    outlines = [cv2.approxPolyDP(part, _SMOOTH_PX * side / 1024, closed=True)[:, 0] for part, side in parts]
    return tuple(tuple((float(u), float(v)) for u, v in outline) for outline in outlines if len(outline) >= 3)
