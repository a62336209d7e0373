"""How sure a pose is, in words and numbers: in the plane of each view, along its rays, and in turning."""

import math
from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.views.panels.colours import plane_colour
from app.views.panels.theme import grade, tabular, theme_of

LARGEST_MM = 99.0
LARGEST_DEG = 45.0
"""What is less sure than this is not seen at all."""
_MEANING = (
    "± is half the interval that holds the true value with 90 % chance (1.64 standard deviations), from the "
    "covariance stored with the pose.\nIn plane and depth: across and along the rays of each view, at the pivot (mm). "
    "Turns: about x (right), y (down) and the ray of view A (deg).\nRisk: chance of an error above 1 mm or 1 deg."
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InView:
    """Half widths of 90 % intervals as one view sees them."""

    name: str
    in_plane_mm: float
    depth_mm: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """Half widths of 90 % intervals of a pose: of each row, in each view, and of turning."""

    rows: tuple[float, float, float, float, float, float]
    """mm, mm, mm, deg, deg, deg in the rows' frame."""
    views: tuple[InView, ...]
    turns_deg: tuple[float, float, float]
    """About the first view's x (right), y (down) and ray."""
    risk: float | None = None
    """Chance (0..1) of an error above 1 mm or 1 deg, where it is known."""


@final
class UncertaintyTable(QLabel):
    """A small table, or a sentence where nothing is known."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Uncertainty | None = None
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setFont(tabular(self.font()))
        self.setToolTip(_MEANING)
        grade(self, "muted")
        self.show_uncertainty(None)

    def show_uncertainty(self, doubt: Uncertainty | None, why_not: str = "") -> None:
        """Numbers, or why there are none (nothing at all without a reason)."""
        self._shown = doubt
        self.setVisible(doubt is not None or bool(why_not))
        self.setText(why_not if doubt is None else self._table(doubt))

    def changeEvent(self, event: QEvent) -> None:
        """The planes' colours in another theme."""
        super().changeEvent(event)
        shown: Uncertainty | None = getattr(self, "_shown", None)
        if event.type() is QEvent.Type.PaletteChange and shown is not None:
            self.setText(self._table(shown))

    def _table(self, doubt: Uncertainty) -> str:
        theme = theme_of(self)
        names = [
            f'<b style="color:{plane_colour(index, theme)}">{one.name}</b>' for index, one in enumerate(doubt.views)
        ]
        lines = [
            ["90 % interval", *names],
            ["In plane", *(millimetres(one.in_plane_mm) for one in doubt.views)],
            ["Depth", *(millimetres(one.depth_mm) for one in doubt.views)],
        ]
        rows = "".join(f"<tr>{''.join(_cell(text, at) for at, text in enumerate(line))}</tr>" for line in lines)
        told = f"Turns x, y, ray: ± {' / '.join(degrees(turn) for turn in doubt.turns_deg)} deg"
        if doubt.risk is not None:
            told += f"<br>Risk of an error > 1 mm or deg: {percent(doubt.risk)}"
        return f'<table width="100%" cellspacing="0" cellpadding="1">{rows}</table>{told}'


def _cell(text: str, column: int) -> str:
    return f'<td align="{"right" if column else "left"}">{text}</td>'


def millimetres(value: float) -> str:
    """A half width as a text; one beyond every picture is not seen at all."""
    return f"± {value:.2f} mm" if math.isfinite(value) and value <= LARGEST_MM else "not seen"


def degrees(value: float) -> str:
    """A half width of an angle as a text."""
    return f"{value:.2f}" if math.isfinite(value) and value <= LARGEST_DEG else "?"


def percent(share: float) -> str:
    """A chance as a text; very small ones as a bound."""
    return "below 1 %" if share < 0.01 else f"{100 * share:.0f} %"
