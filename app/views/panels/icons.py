"""One icon family (Material Design, by qtawesome) under the program's own names."""

from typing import Protocol

import qtawesome
from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QToolButton

_FAMILY = {
    "new": "file-plus-outline",
    "open": "folder-open-outline",
    "save": "content-save-outline",
    "trial": "filmstrip",
    "body": "bone",
    "camera": "camera-outline",
    "undo": "undo",
    "redo": "redo",
    "copy": "content-copy",
    "paste": "content-paste",
    "remove": "delete-outline",
    "mirror": "flip-horizontal",
    "reset": "restore",
    "centre": "image-filter-center-focus",
    "register": "target",
    "jointly": "group",
    "find": "magnify-scan",
    "track": "chevron-double-right",
    "track_back": "chevron-double-left",
    "cancel": "stop-circle-outline",
    "accept": "check",
    "accept_all": "check-all",
    "reject": "close",
    "close": "close",
    "fit": "fit-to-page-outline",
    "overlay": "layers-outline",
    "translate": "arrow-all",
    "rotate": "rotate-orbit",
    "next": "chevron-right",
    "previous": "chevron-left",
    "first": "page-first",
    "last": "page-last",
    "doubtful": "alert-outline",
    "play": "play",
    "pause": "pause",
    "keyboard": "keyboard-outline",
    "visible": "eye-outline",
    "hidden": "eye-off-outline",
    "locked": "lock-outline",
    "free": "lock-open-variant-outline",
    "invert": "invert-colors",
    "auto": "auto-fix",
    "edges": "vector-polyline",
    "info": "information-outline",
    "warning": "alert-outline",
    "error": "alert-octagon-outline",
    "plus": "plus",
    "minus": "minus",
    "help": "help-circle-outline",
    "scene": "cube-outline",
    "picture": "radiology-box-outline",
    "colour": "palette-outline",
    "recover": "history",
    "pivot": "crosshairs-gps",
    "link": "link-variant",
    "options": "tune-variant",
    "region": "lasso",
    "residual": "plus-minus-variant",
    "distances": "vector-difference",
    "uncertainty": "ellipse-outline",
    "risky": "target-variant",
}
_NAME, _COLOUR = "icon_name", "icon_colour"


class Iconed(Protocol):
    """A button or an action: a QObject with an icon."""

    def setIcon(self, icon: QIcon, /) -> None:
        """Show an icon."""

    def setProperty(self, name: str, value: object, /) -> bool:
        """Qt's dynamic property."""


def icon(name: str, colour: str | None = None, *, on_accent: bool = False) -> QIcon:
    """An icon in the theme's text colour (or a given one), grey where disabled; empty for an unknown name.

    ``on_accent`` is for buttons that take the accent colour when they are checked.
    """
    if name not in _FAMILY:
        return QIcon()
    palette = QGuiApplication.palette()
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    normal = QColor(colour) if colour else palette.color(QPalette.ColorRole.ButtonText)
    bright = palette.color(QPalette.ColorRole.HighlightedText)
    checked, selected = bright if on_accent else normal, normal if colour else bright
    made: QIcon = qtawesome.icon(
        f"mdi6.{_FAMILY[name]}",
        color=normal,
        color_active=normal,
        color_selected=selected,
        color_disabled=disabled,
        color_on=checked,
        color_on_active=checked,
        color_on_selected=selected,
        color_on_disabled=disabled,
    )
    return made


def set_icon(owner: Iconed, name: str, colour: str | None = None) -> None:
    """Give a button or action an icon that follows changes of the theme."""
    owner.setProperty(_NAME, name)
    owner.setProperty(_COLOUR, colour or "")
    owner.setIcon(_icon_of(owner, name, colour))


def refresh_icons(application: QApplication) -> None:
    """Draw all icons anew after the palette has changed."""
    for widget in application.topLevelWidgets():
        for owner in (widget, *widget.findChildren(QObject)):
            name = owner.property(_NAME)
            if name and hasattr(owner, "setIcon"):
                owner.setIcon(_icon_of(owner, name, owner.property(_COLOUR) or None))


def _icon_of(owner: object, name: str, colour: str | None) -> QIcon:
    return icon(name, colour, on_accent=isinstance(owner, QToolButton) and owner.isCheckable())


def known_icons() -> tuple[str, ...]:
    """All names."""
    return tuple(_FAMILY)
