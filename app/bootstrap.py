"""The composition root: makes the window, its presenters and what they need, and wires all of it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

import platformdirs
from PySide6.QtCore import QElapsedTimer, QSize, QTimer
from PySide6.QtCore import Qt as QtCore
from PySide6.QtWidgets import QApplication, QToolButton, QVBoxLayout, QWidget

from app.commands.actions import ACTIONS, MOUSE
from app.presenters.dialogs import Dialogs, WindowDialogs
from app.presenters.mishaps import Mishaps, write_log
from app.presenters.session import Pixels, new_session
from app.presenters.workbench import Parts, Workbench
from app.state.arrays import Arrays
from app.state.preferences import Preferences
from app.state.store import Store
from app.views.fluoroscopy import FluoroscopyView
from app.views.main_window import MainWindow
from app.views.panels import (
    MessageBar,
    PosePanel,
    ProposalBar,
    Severity,
    StatusLine,
    StudyTree,
    Timeline,
    WindowLevelPanel,
    apply_theme,
)
from app.views.scene import SceneView
from app.views.welcome import Welcome
from app.wizards.first_minute import FirstMinute
from app.wizards.help import WindowHelp
from app.wizards.recovery import ask_recovery
from app.workers.warming import Warming
from core.errors import StudyError
from core.io.demo_study import demo_home, ensure_demo_study
from core.study.values import BodyRecord, Study, Trial

DEFAULT_SIZE = QSize(1600, 960)
GIVE_WAY_S = 0.0002
"""How soon a computing thread lets the window's thread run Python: with Python's 5 ms, painting (which gives
the lock away and takes it back many times) was measured three times slower during a registration."""
_PICTURE_PATIENCE_MS = 180_000
_WARM_AFTER_MS = 1500
"""The window is drawn and a study opened before kernels are compiled beside it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A window with its presenters, not shown yet."""

    window: MainWindow
    workbench: Workbench
    welcome: Welcome
    card: FirstMinute


def build_window(
    application: QApplication,
    *,
    preferences: Preferences | None = None,
    dialogs: Dialogs | None = None,
    arrays: Callable[[Callable[[], Study]], Pixels] = Arrays,
    log: Path | None = None,
) -> Built:
    """Make one window with nothing open; tests give their own preferences, answers and arrays."""
    sys.setswitchinterval(GIVE_WAY_S)
    preferences = Preferences() if preferences is None else preferences
    apply_theme(application, dark=preferences.dark)
    window = MainWindow()
    parts = _place_parts(window)
    store = Store(window)
    session = new_session(arrays(lambda: _open_study(store)), preferences, store, window)
    asking = WindowDialogs(window) if dialogs is None else dialogs
    workbench = Workbench(session, parts, asking)
    workbench.files.make_demo = ensure_demo_study
    workbench.files.grab_picture = lambda path: _save_picture(window, path)
    workbench.views.theme_chosen.connect(lambda dark: apply_theme(application, dark=dark))
    parts.scene.set_background(preferences.dark)
    _add_wizards(window, workbench)
    _add_annotator(window, workbench)
    window.resize(DEFAULT_SIZE)
    window.restore_layout([preferences.bytes(name) for name, _ in window.layout_state()])
    welcome = _add_welcome(window, workbench)
    card = _add_help(window, workbench, log)
    return Built(window=window, workbench=workbench, welcome=welcome, card=card)


def open_window(path: Path | None = None, *, demo: bool = False, screenshot: Path | None = None) -> int:
    """Open the window, on a study or on the demo, and run until it is closed; returns the exit code.

    With ``screenshot`` the window is drawn, saved as a picture and closed.
    """
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
    application.setApplicationName("Duoscope")
    log = platformdirs.user_log_path("duoscope", appauthor=False) / "duoscope.log"
    write_log(log)
    built = build_window(application, log=log)
    mishaps = Mishaps(built.window)
    mishaps.happened.connect(
        lambda text, details: built.workbench.parts.messages.show_message(text, Severity.ERROR, details)
    )
    mishaps.install()
    built.window.show()
    QTimer.singleShot(0, lambda: _begin(built, path, demo=demo, may_ask=screenshot is None))
    photographer = None if screenshot is None else _Photographer(built, screenshot, application)
    warming = Warming()
    if screenshot is None:
        QTimer.singleShot(_WARM_AFTER_MS, warming.start)
    code = application.exec()
    warming.close()
    del photographer  # a bound slot does not keep it alive, this name did
    built.workbench.shut()
    mishaps.uninstall()
    return code


def _begin(built: Built, path: Path | None, *, demo: bool, may_ask: bool) -> None:
    """What is open at the start: what was asked for, or what the last session left open."""
    files, preferences = built.workbench.files, built.workbench.session.preferences
    left = preferences.left_open
    if path is not None:
        files.open_path(path)
    elif demo:
        files.open_demo()
    elif left is not None and may_ask and ask_recovery(built.window, left):
        files.open_path(left)


def _place_parts(window: MainWindow) -> Parts:
    area = QtCore.DockWidgetArea
    parts = Parts(
        window=window,
        pictures=(FluoroscopyView(), FluoroscopyView()),
        scene=SceneView(),
        pose=PosePanel(),
        timeline=Timeline(),
        tree=StudyTree(),
        levels=WindowLevelPanel(),
        proposal=ProposalBar(),
        messages=MessageBar(),
        status=StatusLine(),
    )
    for view in (*parts.pictures, parts.scene):
        window.add_view(view)
    window.add_bar(parts.messages)
    window.set_status_line(parts.status)
    kept = parts.proposal.sizePolicy()
    kept.setRetainSizeWhenHidden(True)  # pictures must not jump when a proposal comes
    parts.proposal.setSizePolicy(kept)
    tree = window.add_panel("Study", "dock.study", parts.tree, area.LeftDockWidgetArea)
    levels = window.add_panel("Window and level", "dock.levels", parts.levels, area.LeftDockWidgetArea)
    pose = window.add_panel("Pose", "dock.pose", parts.pose, area.RightDockWidgetArea)
    parts.timeline.setMinimumHeight(112)
    parts.tree.setMinimumWidth(220)
    timeline = window.add_panel(
        "Frames", "dock.frames", _stacked(parts.proposal, parts.timeline), area.BottomDockWidgetArea, titled=False
    )
    window.arrange((tree, levels, pose, timeline))
    return parts


def _stacked(*widgets: QWidget) -> QWidget:
    together = QWidget()
    column = QVBoxLayout(together)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in widgets:
        column.addWidget(widget, 1 if widget is widgets[-1] else 0)
    return together


def _add_welcome(window: MainWindow, workbench: Workbench) -> Welcome:
    welcome = Welcome()
    window.set_empty_page(welcome)
    welcome.action_requested.connect(workbench.binder.run)
    welcome.study_chosen.connect(workbench.files.open_path)

    def show() -> None:
        empty = workbench.session.document is None
        welcome.set_recent(workbench.session.preferences.recent)
        window.show_empty_page(empty=empty)

    workbench.files.opened.connect(show)
    show()
    return welcome


def _add_help(window: MainWindow, workbench: Workbench, log: Path | None) -> FirstMinute:
    """Keys, log, about, and the card of the first minute, which offers itself on the demo study."""
    session, files = workbench.session, workbench.files
    card = FirstMinute(session.preferences, window.centre)
    card.set_hints(workbench.binder.hints())
    card.action_requested.connect(workbench.binder.run)
    workbench.possible_changed.connect(card.set_possible)
    workbench.registered.connect(card.registered)
    session.selector.changed.connect(lambda _before, after: card.set_body(after.body or ""))
    workbench.views.helpers = WindowHelp(window, ACTIONS, MOUSE, card, log)

    def offer() -> None:
        if files.path is not None and files.path.is_relative_to(demo_home()):
            card.offer()
        else:
            card.hide()

    files.opened.connect(offer)
    return card


def _add_wizards(window: MainWindow, workbench: Workbench) -> None:
    """The wizards are imported when they are needed: the window opens sooner."""
    files, session = workbench.files, workbench.session

    def new() -> Path | None:
        from app.wizards.new_study import ask_new_study

        return ask_new_study(window, Path.home() if files.path is None else files.path.parent)

    def trial() -> Trial | None:
        from app.wizards.new_study import ask_trial

        document = session.document
        return ask_trial(window, () if document is None else [known.name for known in document.study.trials])

    def body() -> BodyRecord | None:
        from app.wizards.new_study import ask_body

        return ask_body(window, session.body_names)

    files.ask_new, files.ask_trial, files.ask_body = new, trial, body


def _add_annotator(window: MainWindow, workbench: Workbench) -> None:
    """Whose name goes into the journal, on the right of the menus."""
    preferences = workbench.session.preferences
    button = QToolButton()
    button.setAutoRaise(True)
    button.setStyleSheet("padding: 0 8px; margin: 0 4px;")
    button.setToolTip("Annotator: written beside every change. Click to change it")
    button.clicked.connect(lambda: workbench.binder.run("edit.annotator"))

    def show() -> None:
        button.setText(preferences.author)

    preferences.changed.connect(lambda name: show() if name == "author" else None)
    show()
    window.menuBar().setCornerWidget(button)


def _open_study(store: Store) -> Study:
    if store.document is None:
        raise StudyError("no study is open")
    return store.document.study


def _save_picture(window: MainWindow, path: Path) -> None:
    if not window.centre.grab().save(str(path)):
        raise StudyError(f"the picture could not be written to {path}; is the disk full or the folder read-only?")


@final
class _Photographer:
    """Waits until everything is drawn, saves the window as a picture and closes it."""

    def __init__(self, built: Built, path: Path, application: QApplication) -> None:
        self._built = built
        self._path = path
        self._application = application
        self._clock = QElapsedTimer()
        self._clock.start()
        self._settled = 0
        self._timer = QTimer(built.window)
        self._timer.setInterval(200)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        """Ready for some looks in a row: then everything has had time to be painted."""
        self._settled = self._settled + 1 if self._built.workbench.settled else 0
        late = self._clock.hasExpired(_PICTURE_PATIENCE_MS)
        if self._settled < 4 and not late:
            return
        self._timer.stop()
        saved = self._built.window.grab().save(str(self._path))
        self._application.exit(0 if saved and not late else 1)
