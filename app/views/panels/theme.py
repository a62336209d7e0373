"""The look of the window: Fusion with an explicit palette, dark for the reading room and light for slides."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from app.views.panels.icons import refresh_icons

_CHECK = Path(__file__).resolve().parents[3] / "resources" / "theme" / "check.png"
GRID_PX = 8
"""All distances are multiples or halves of this."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours of one theme as #rrggbb."""

    dark: bool
    window: str
    """Behind everything."""
    field: str
    """Behind numbers, lists and the timeline."""
    raised: str
    """Buttons and cards."""
    border: str
    text: str
    muted: str
    """Units, captions; still readable (4.5:1 on the window)."""
    faint: str
    """Disabled text and grid lines."""
    accent: str
    """The one accent: primary action, current frame, focus."""
    accent_text: str
    good: str
    caution: str
    bad: str


DARK = Theme(
    dark=True,
    window="#26282b",
    field="#1c1d20",
    raised="#36393e",
    border="#4a4e55",
    text="#e4e6e9",
    muted="#a6abb3",
    faint="#70757e",
    accent="#6d5ce7",
    accent_text="#ffffff",
    good="#55c48a",
    caution="#f0b43c",
    bad="#ff7a70",
)
LIGHT = Theme(
    dark=False,
    window="#eef0f2",
    field="#ffffff",
    raised="#fafbfc",
    border="#b9bec6",
    text="#1b1d21",
    muted="#565c66",
    faint="#8f959f",
    accent="#5a49d6",
    accent_text="#ffffff",
    good="#14734a",
    caution="#8a5a00",
    bad="#b3261e",
)


def theme_of(widget: QWidget | None = None) -> Theme:
    """The theme a widget (or the application) is shown in, told from its palette."""
    palette = QApplication.palette() if widget is None else widget.palette()
    return DARK if palette.color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


def apply_theme(application: QApplication, *, dark: bool) -> Theme:
    """Dress the whole application; may be called again to change the theme while it runs."""
    theme = DARK if dark else LIGHT
    application.setStyle("Fusion")
    application.setPalette(palette_of(theme))
    application.setStyleSheet(style_sheet(theme))
    refresh_icons(application)
    return theme


def palette_of(theme: Theme) -> QPalette:
    """The palette of a theme, every role set, so that nothing depends on the desktop."""
    role = QPalette.ColorRole
    palette = QPalette()
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.field,
        role.AlternateBase: theme.window,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Text: theme.text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.bad,
        role.Light: QColor(theme.raised).lighter(115).name(),
        role.Midlight: theme.raised,
        role.Mid: theme.border,
        role.Dark: QColor(theme.window).darker(140).name(),
        role.Shadow: "#000000" if theme.dark else "#9aa0a9",
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Accent: theme.accent,
        role.Link: QColor(theme.accent).lighter(150).name() if theme.dark else theme.accent,
        role.LinkVisited: theme.muted,
    }
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    disabled = QPalette.ColorGroup.Disabled
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(disabled, which, QColor(theme.faint))
    palette.setColor(disabled, role.Highlight, QColor(theme.border))
    return palette


def style_sheet(theme: Theme) -> str:
    """The few things that a palette cannot say."""
    hover = QColor(theme.accent).lighter(112).name()
    return f"""
QToolTip {{ color: {theme.text}; background: {theme.raised}; border: 1px solid {theme.border}; padding: 4px; }}
QPushButton {{ min-height: 20px; padding: 2px 12px; background: {theme.raised};
  border: 1px solid {theme.border}; border-radius: 4px; }}
QPushButton:hover, QPushButton:focus {{ border-color: {theme.accent}; }}
QPushButton:pressed, QPushButton:checked {{ background: {theme.border}; }}
QPushButton:disabled {{ color: {theme.faint}; background: {theme.window}; }}
QPushButton[primary="true"] {{ background: {theme.accent}; color: {theme.accent_text}; border-color: {theme.accent};
  font-weight: 600; }}
QPushButton[primary="true"]:hover {{ background: {hover}; }}
QPushButton[primary="true"]:focus {{ border: 2px solid {theme.text}; padding: 1px 11px; }}
QPushButton[primary="true"]:disabled {{ background: {theme.window}; color: {theme.faint};
  border-color: {theme.border}; }}
QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 3px; }}
QToolButton:hover, QToolButton:focus {{ background: {theme.raised}; border-color: {theme.border}; }}
QToolButton:pressed {{ background: {theme.border}; }}
QToolButton:checked {{ background: {theme.accent}; color: {theme.accent_text}; }}
QRadioButton::indicator, QCheckBox::indicator {{ width: 14px; height: 14px; background: {theme.field};
  border: 1px solid {theme.muted}; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator {{ border-radius: 3px; }}
QRadioButton::indicator:disabled, QCheckBox::indicator:disabled {{ border-color: {theme.border}; }}
QRadioButton::indicator:hover, QCheckBox::indicator:hover {{ border-color: {theme.accent}; }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {theme.accent};
  background: {theme.accent_text}; }}
QCheckBox::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent};
  image: url("{_CHECK.as_posix()}"); }}
QLabel[role="caption"] {{ color: {theme.muted}; font-weight: 600; }}
QLabel[role="muted"] {{ color: {theme.muted}; }}
QLabel[role="key"] {{ color: {theme.muted}; }}
QFrame[role="card"] {{ background: {theme.raised}; border: 1px solid {theme.border}; border-radius: 6px; }}
QRangeSlider {{ qproperty-barColor: {theme.accent}; }}
QProgressBar {{ border: none; border-radius: 3px; background: {theme.field}; max-height: 6px; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: 3px; }}
QTreeView {{ border: none; }}
QTreeView::item {{ min-height: 24px; }}
"""


def tabular(font: QFont) -> QFont:
    """The same font with figures of equal width, so that digits do not dance."""
    figures = QFont(font)
    figures.setFeature(QFont.Tag("tnum"), 1)
    return figures


def grade(widget: QWidget, role: str) -> None:
    """Mark a widget for the style sheet: "caption", "muted", "card"."""
    widget.setProperty("role", role)
