"""Binds the study tree: what the study consists of, what is chosen, how bodies look."""

from collections.abc import Mapping
from dataclasses import replace
from typing import final

from PySide6.QtCore import QObject

from app.presenters.session import Session
from app.state.appearance import Appearance, Overlay
from app.views.panels import BodyRow, StudyTree, TrialRow, ViewRow
from core.study.values import Trial

_STYLES: Mapping[str, Overlay] = {
    "outline": Overlay.OUTLINE,
    "fill": Overlay.FILL,
    "xray": Overlay.XRAY,
    "off": Overlay.OFF,
}
_NAMES = {overlay: name for name, overlay in _STYLES.items()}


@final
class StudyPanel(QObject):
    """Shows the study and passes choices on."""

    def __init__(
        self, session: Session, appearance: Appearance, tree: StudyTree, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._tree = tree
        tree.trial_chosen.connect(self._on_trial)
        tree.view_chosen.connect(self._on_view)
        tree.body_chosen.connect(lambda name, also: session.selector.select_body(name, also=also))
        tree.visibility_changed.connect(lambda name, on: self._look(name, visible=on))
        tree.style_changed.connect(lambda name, style: self._look(name, overlay=_STYLES[style]))
        tree.opacity_changed.connect(lambda name, opacity: self._look(name, opacity=opacity))
        tree.colour_changed.connect(lambda name, colour: self._look(name, colour=colour))

    def refresh(self) -> None:
        """Everything."""
        document = self._session.document
        if document is None:
            self._tree.set_study(None)
            return
        study = document.study
        self._tree.set_study(
            study.name,
            [_trial_row(trial) for trial in study.trials],
            [self._body_row(record.name, record.notes) for record in study.bodies],
        )
        self.refresh_choice()

    def refresh_choice(self) -> None:
        """What is chosen only."""
        chosen = self._session.selection
        self._tree.set_chosen(chosen.trial, chosen.bodies, chosen.view)

    def _body_row(self, name: str, notes: tuple[str, ...]) -> BodyRow:
        look = self._appearance.body(name)
        prepared = self._session.bodies.get(name)
        found = notes if prepared is None else tuple(dict.fromkeys((*notes, *prepared.notes)))
        return BodyRow(
            name=name,
            colour=look.colour,
            visible=look.visible,
            style=_NAMES[look.overlay],
            opacity=look.opacity,
            notes=found,
        )

    def _look(self, name: str, **changes: object) -> None:
        self._appearance.set_body(name, replace(self._appearance.body(name), **changes))  # type: ignore[arg-type]

    def _on_trial(self, name: str) -> None:
        document = self._session.document
        if document is not None and name != self._session.selection.trial:
            self._session.selector.select_trial(document.study.trial(name))

    def _on_view(self, trial: str, index: int) -> None:
        self._on_trial(trial)
        self._session.selector.select_view(index)


def _trial_row(trial: Trial) -> TrialRow:
    views = tuple(
        ViewRow(name=plane.view.name, detail=f"{plane.view.width_px} × {plane.view.height_px} px")
        for plane in trial.views
    )
    return TrialRow(name=trial.name, frames=len(trial.frames), views=views)
