"""Colours of the scene: backgrounds, axes, handles, selection."""

AXIS_COLOURS = ("#e5534b", "#4fae5a", "#5f8dff")
"""World or gizmo x, y, z."""
HOVER_COLOUR = "#ffd84d"
BACKGROUNDS = {True: ("#15171b", "#23262c"), False: ("#d9dde3", "#f4f6f8")}
"""Bottom and top of the background, dark (True) and light (False)."""
EMPTY_PICTURE = {True: "#33373e", False: "#c3c8d0"}
SELECTION = {True: "#ffffff", False: "#15171a"}
TEXT = {True: "#d8dce3", False: "#2b2f36"}
