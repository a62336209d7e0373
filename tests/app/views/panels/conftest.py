"""The panels dressed in each theme."""

import pytest
from PySide6.QtWidgets import QApplication

from app.commands.actions import ACTIONS
from app.views.panels import ActionHint, apply_theme


@pytest.fixture(params=[True, False], ids=["dark", "light"])
def theme(request, qapp):
    before = qapp.palette(), qapp.styleSheet(), qapp.style().objectName()
    yield apply_theme(qapp, dark=request.param)
    qapp.setPalette(before[0])
    qapp.setStyleSheet(before[1])
    qapp.setStyle(before[2])


@pytest.fixture
def hints():
    return {
        action.id: ActionHint(label=action.label, keys=action.keys[0] if action.keys else "", tip=action.tip)
        for action in ACTIONS
    }


@pytest.fixture
def shown(qtbot):
    def show(widget, width=None, height=None):
        qtbot.addWidget(widget)
        widget.resize(width or widget.sizeHint().width(), height or widget.sizeHint().height())
        with qtbot.waitExposed(widget):
            widget.show()
        QApplication.processEvents()
        return widget

    return show
