"""The installed Qt keeps its hands off None.

PySide6 6.12.0 under Python 3.11 drops one reference to None at each call that returns nothing; after a
few thousand the interpreter aborts. This notices such a release before users do.
"""

import sys

from PySide6.QtCore import QObject

CALLS = 1000


def test_calls_that_return_nothing_keep_none_alive(qapp):
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        thing.setObjectName("name")
        qapp.processEvents()
    assert sys.getrefcount(None) > before - CALLS // 10


def test_constructors_and_signals_keep_none_alive(qapp):
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        child = QObject()
        child.destroyed.connect(_ignore)
        child.destroyed.disconnect(_ignore)
    assert sys.getrefcount(None) > before - CALLS // 10


def _ignore(*_given):
    """Do nothing."""
