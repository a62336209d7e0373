"""How to register: which method, how wide to search, from which masks, and when tracking stops; remembered."""

from enum import Enum
from typing import final

from PySide6.QtCore import QObject, Signal

from app.presenters.session import Session
from app.views.panels.register_box import FindOption, MethodRow, RegisterBox
from core.registration.methods import DEFAULT, METHODS


class MaskSource(Enum):
    """What Find the pose takes for the shadows of the bodies; the value is its name in the settings."""

    DRAWN = "drawn"
    DARK = "dark"


PRIORS_DEG: tuple[float | None, ...] = (None, 60.0, 30.0)
"""How far the rotation may be from the shown pose's; None: anywhere."""


@final
class MethodChoice(QObject):
    """Binds the choices of the register box.

    Signals:
        changed(): another method or another setting.
    """

    changed = Signal()

    def __init__(self, session: Session, box: RegisterBox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences = session.preferences
        self._box = box
        box.set_methods([MethodRow(id=one.id, label=one.label, about=one.about) for one in METHODS.values()])
        box.method_chosen.connect(lambda name: self._put("method", name))
        box.stop_changed.connect(lambda on: self._put("stop_when_lost", on))
        box.find_option_chosen.connect(self._put)
        self._show()

    @property
    def method(self) -> str:
        """Id of the method in use; one that no longer exists gives way to ours."""
        name = self._preferences.text("method", DEFAULT)
        return name if name in METHODS else DEFAULT

    @property
    def prior_deg(self) -> float | None:
        """How far a found rotation may be from the shown pose's; None: anywhere."""
        degrees = self._preferences.number("find_prior_deg", 0.0)
        return degrees if degrees in PRIORS_DEG else None

    @property
    def masks(self) -> MaskSource:
        """Where the masks of Find the pose come from."""
        text = self._preferences.text("find_masks", MaskSource.DRAWN.value)
        return MaskSource.DARK if text == MaskSource.DARK.value else MaskSource.DRAWN

    @property
    def stops_when_lost(self) -> bool:
        """Whether tracking ends at the first frame in doubt."""
        return self._preferences.flag("stop_when_lost")

    def open_options(self) -> None:
        """Show what Find the pose can be told."""
        self._box.open_find_options()

    def _put(self, name: str, value: str | float | bool) -> None:
        self._preferences.put(name, value)
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        self._box.set_method(self.method)
        self._box.set_stop_when_lost(self.stops_when_lost)
        self._box.set_find_options(self._options())

    def _options(self) -> tuple[FindOption, ...]:
        priors = [
            FindOption(
                group="Rotation",
                label="Any" if degrees is None else f"Within {degrees:g} deg of the shown pose",
                tip="Try all rotations: no pose is needed"
                if degrees is None
                else f"Faster and surer where the shown pose is known to within {degrees:g} deg",
                setting="find_prior_deg",
                value=0.0 if degrees is None else degrees,
                chosen=degrees == self.prior_deg,
            )
            for degrees in PRIORS_DEG
        ]
        masks = [
            FindOption(
                group="Shadow",
                label=label,
                tip=tip,
                setting="find_masks",
                value=source.value,
                chosen=source is self.masks,
            )
            for source, label, tip in (
                (MaskSource.DRAWN, "Regions drawn here, dark metal where none", "Draw one with G, propose one with ⇧G"),
                (MaskSource.DARK, "Dark metal only", "Leave drawn regions out of account"),
            )
        ]
        return (*priors, *masks)
