"""How the active body is drawn: overlay style, opacity, colour."""

from typing import final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QButtonGroup,
    QColorDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)

from app.views.panels.colours import BODY_COLOURS, swatch
from app.views.panels.theme import GRID_PX, grade, tabular

STYLES = (("outline", "Outline"), ("fill", "Fill"), ("xray", "X-ray"), ("off", "Off"))
"""Overlay styles: key and label."""


@final
class Appearance(QWidget):
    """Asks for another look of one body.

    Signals:
        style_chosen(str): outline, fill, xray, off.
        opacity_chosen(float): 0..1.
        colour_chosen(str): #rrggbb.
    """

    style_chosen = Signal(str)
    opacity_chosen = Signal(float)
    colour_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._percent = QLabel(), QLabel()
        grade(self._title, "caption")
        self._percent.setFont(tabular(self._percent.font()))
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._percent.setMinimumWidth(self._percent.fontMetrics().horizontalAdvance("100 %"))
        self._colour = QToolButton()
        self._colour.setToolTip("Colour of the body, in all views and curves")
        self._colour.setAccessibleName("colour")
        self._colour.clicked.connect(self._ask_colour)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(5, 100)
        self._opacity.setToolTip("Opacity of the overlay (%)")
        self._opacity.setAccessibleName("opacity")
        self._opacity.valueChanged.connect(self._on_opacity)
        grid = QGridLayout(self)
        grid.setContentsMargins(GRID_PX, 0, GRID_PX, GRID_PX)
        grid.setSpacing(GRID_PX)
        grid.addWidget(self._title, 0, 0, 1, 2)
        grid.addWidget(self._colour, 0, 2, Qt.AlignmentFlag.AlignRight)
        grid.addLayout(self._make_styles(), 1, 0, 1, 3)
        caption = QLabel("Opacity")
        grade(caption, "muted")
        grid.addWidget(caption, 2, 0)
        grid.addWidget(self._opacity, 2, 1)
        grid.addWidget(self._percent, 2, 2)
        grid.setColumnStretch(1, 1)
        self._shown_colour = BODY_COLOURS[0]

    def _make_styles(self) -> QHBoxLayout:
        self._styles = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        for index, (key, label) in enumerate(STYLES):
            button = QPushButton(label)
            button.setCheckable(True)
            button.setStyleSheet("padding: 2px 4px;")
            button.setToolTip(f"Overlay: {label.lower() if key != 'xray' else 'simulated X-ray'}")
            self._styles.addButton(button, index)
            row.addWidget(button, 1)
        self._styles.idClicked.connect(lambda index: self.style_chosen.emit(STYLES[index][0]))
        return row

    def style_button(self, style: str) -> QPushButton:
        """The button of a style."""
        button = self._styles.button([key for key, _ in STYLES].index(style))
        assert isinstance(button, QPushButton)
        return button

    @property
    def opacity_slider(self) -> QSlider:
        """The slider of the opacity, in percent."""
        return self._opacity

    def show_look(self, name: str, colour: str, style: str, opacity: float) -> None:
        """Whose look, and what it is."""
        self._title.setText(name)
        self._shown_colour = colour
        self._colour.setIcon(swatch(colour, 16))
        self.style_button(style).setChecked(True)
        with QSignalBlocker(self._opacity):
            self._opacity.setValue(round(100 * opacity))
        self._percent.setText(f"{round(100 * opacity)} %")

    def _on_opacity(self, percent: int) -> None:
        self._percent.setText(f"{percent} %")
        self.opacity_chosen.emit(percent / 100)

    def _ask_colour(self) -> None:
        for index, colour in enumerate(BODY_COLOURS):
            QColorDialog.setCustomColor(index, QColor(colour))
        chosen = QColorDialog.getColor(QColor(self._shown_colour), self, "Colour of the body")
        if chosen.isValid():
            self.colour_chosen.emit(chosen.name())
