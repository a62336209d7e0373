"""Text is readable in both themes, planes and bodies keep apart, icons follow the theme."""

import itertools

import pytest
from PySide6.QtGui import QColor, QFont, QIcon
from PySide6.QtWidgets import QToolButton

from app.commands.actions import ACTIONS
from app.views.panels.colours import BODY_COLOURS, FrameState, plane_colour, state_colour, state_icon
from app.views.panels.icons import icon, known_icons, set_icon
from app.views.panels.theme import DARK, LIGHT, apply_theme, tabular, theme_of

THEMES = [pytest.param(DARK, id="dark"), pytest.param(LIGHT, id="light")]


def luminance(colour):
    parts = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def rgb(colour):
    return QColor(colour).getRgbF()[:3]


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["window", "field", "raised"])
@pytest.mark.parametrize("ink", ["text", "muted", "good", "caution", "bad"])
def test_text_meets_aa(theme, ground, ink):
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_the_primary_button_meets_aa(theme):
    assert contrast(theme.accent_text, theme.accent) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("index", [0, 1])
def test_plane_names_meet_aa(theme, index):
    assert contrast(plane_colour(index, theme), theme.window) >= 4.5
    assert contrast(plane_colour(index, theme), theme.raised) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", [s for s in FrameState if s is not FrameState.UNTOUCHED])
def test_states_stand_out_from_the_strip(theme, state):
    assert contrast(state_colour(state, theme), theme.field) >= 3.0


def test_every_state_has_a_shape_of_its_own(qapp):
    """In one colour the shapes must still differ: a person may not see the colours apart."""
    shapes = {}
    for state in FrameState:
        image = state_icon(state, DARK, 24, 1.0).pixmap(24, 24).toImage()
        shapes[state] = {(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 128}
    for one, other in itertools.combinations(FrameState, 2):
        assert len(shapes[one] ^ shapes[other]) > 12, (one, other)


def test_bodies_differ():
    assert len(set(BODY_COLOURS)) == len(BODY_COLOURS) == 7


def test_the_theme_is_told_from_the_palette(theme):
    assert theme_of() is theme


def test_every_icon_of_the_action_table_is_known(qapp):
    named = {action.icon for action in ACTIONS if action.icon}
    assert named <= set(known_icons())
    assert all(not icon(name).isNull() for name in named)


def test_icons_follow_a_change_of_theme(qapp, qtbot, theme):
    button = QToolButton()
    qtbot.addWidget(button)
    set_icon(button, "register")
    inks = {}
    for dark in (True, False):
        made = apply_theme(qapp, dark=dark)
        image = button.icon().pixmap(32, 32, QIcon.Mode.Normal).toImage()
        solid = [image.pixelColor(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() == 255]
        inks[dark] = solid[0].name()
        assert contrast(inks[dark], made.window) >= 4.5
    assert inks[True] != inks[False]


def test_figures_are_tabular():
    assert tabular(QFont()).featureValue(QFont.Tag("tnum")) == 1
