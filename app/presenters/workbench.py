"""One window at work: makes all presenters for its parts and lets them hear of each other."""

from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QObject, Signal

from app.commands.action import Situation
from app.commands.actions import ACTIONS
from app.presenters.action_binder import ActionBinder
from app.presenters.automatic import Automatic, Progress
from app.presenters.body_loader import BodyLoader
from app.presenters.comparison import Comparison
from app.presenters.dialogs import Dialogs
from app.presenters.drawing import Drawing
from app.presenters.epipolar import Epipolar
from app.presenters.files import Files
from app.presenters.frames import Frames
from app.presenters.hands import Hands
from app.presenters.keyboard import Keyboard
from app.presenters.method_choice import MethodChoice
from app.presenters.picture_looks import PictureLooks
from app.presenters.pictures import Frame, Pictures
from app.presenters.pose_deeds import PoseDeedsOfWindow, RegisterDeedsOfWindow
from app.presenters.pose_editor import PoseEditor
from app.presenters.pose_numbers import PoseNumbers
from app.presenters.proposals import Proposals
from app.presenters.regions import Regions
from app.presenters.session import Session
from app.presenters.similarity import LiveSimilarity, Similarity
from app.presenters.situation import situation_of
from app.presenters.study_panel import StudyPanel
from app.presenters.uncertainty import SceneUncertainty
from app.presenters.view_deeds import ViewDeedsOfWindow
from app.state.appearance import Appearance
from app.state.selection import Selection
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
    body_colour,
)
from app.views.scene import SceneView


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The widgets of one window."""

    window: MainWindow
    pictures: tuple[FluoroscopyView, FluoroscopyView]
    scene: SceneView
    pose: PosePanel
    timeline: Timeline
    tree: StudyTree
    levels: WindowLevelPanel
    proposal: ProposalBar
    messages: MessageBar
    status: StatusLine


@final
class Workbench(QObject):
    """Owns the presenters of one window and fulfils the action table's deeds.

    Signals:
        registered(): a registration of one frame has ended with a proposal.
        closed(): the window may go; threads have ended.
        possible_changed(frozenset of str): ids of the actions that are possible now.
    """

    registered = Signal()
    closed = Signal()
    possible_changed = Signal(object)

    def __init__(self, session: Session, parts: Parts, dialogs: Dialogs) -> None:
        super().__init__(parts.window)
        self.session = session
        self.parts = parts
        self._follows = False
        self._leading = False
        self._over = False
        self._scores: tuple[float, ...] = ()
        self._make(dialogs)
        self._connect_state()
        self._connect_views()
        self.refresh_all()

    def _make(self, dialogs: Dialogs) -> None:
        session, parts = self.session, self.parts
        self.appearance = Appearance(self)
        self.loader = BodyLoader(session, self)
        self.pictures = Pictures(session, self)
        self.similarity = LiveSimilarity(session, self)
        self.editor = PoseEditor(session, self)
        self.numbers = PoseNumbers(session, self.editor, self.appearance, parts.pose, self)
        self.hands = Hands(session, self.editor, self.numbers, parts.pictures, parts.scene, self)
        self.drawing = Drawing(session, self.appearance, parts.pictures, parts.scene, self)
        self.looks = PictureLooks(session, self.appearance, parts.pictures, parts.levels, self)
        self.proposals = Proposals(session, parts.proposal, dialogs, self)
        self.jobs = Automatic(session, self)
        self.choice = MethodChoice(session, parts.pose.register, self)
        self.regions = Regions(session, self.appearance, parts.pictures, self)
        self.comparison = Comparison(session, self.appearance, parts.pictures, self)
        self.uncertainty = SceneUncertainty(session, self.appearance, parts.scene, self)
        self.study_panel = StudyPanel(session, self.appearance, parts.tree, self)
        self.epipolar = Epipolar(session, parts.pictures, self)
        self.files = Files(session, dialogs, self)
        self.frames = Frames(session, self.appearance, self.pictures, parts.timeline, self)
        self.views = ViewDeedsOfWindow(
            session,
            self.appearance,
            parts.window,
            parts.pictures,
            parts.scene,
            self.looks,
            self.hands,
            self.epipolar,
            self.files,
            self.uncertainty,
            self.comparison,
            dialogs,
        )
        self.pose = PoseDeedsOfWindow(session, self.editor, self.numbers, self.hands)
        self.automatic = RegisterDeedsOfWindow(
            session, self.jobs, self.choice, self.regions, self.proposals, self.editor, dialogs
        )
        self.binder = ActionBinder(ACTIONS, self, self._situation, session.messages, parts.window)
        self.keyboard = Keyboard(parts.window, (*parts.pictures, parts.scene))

    def _connect_state(self) -> None:
        session = self.session
        self.files.opened.connect(self._on_opened)
        self.files.extended.connect(self._on_extended)
        self.files.quit_allowed.connect(self._on_quit)
        session.store.changed.connect(self._on_document)
        session.selector.changed.connect(self._on_selection)
        session.live.changed.connect(self.drawing.soon)
        session.history.refused.connect(
            lambda: session.messages.warn("The study is open to look at only; save it as another one to change it.")
        )
        session.history.stack.indexChanged.connect(self._on_history)
        self.appearance.bodies_changed.connect(self._on_looks)
        self.loader.ready.connect(lambda _name: self._on_bodies())
        self.pictures.shown.connect(self._on_pictures)
        self.pictures.emptied.connect(lambda: self._on_pictures(None))
        self.drawing.drawn.connect(self._on_drawn)
        self.similarity.known.connect(self._on_scores)
        self.similarity.unknown.connect(lambda: self._on_scores(None))
        self.editor.began.connect(self.jobs.touched)
        self.editor.pivot_changed.connect(self.drawing.soon)
        self.numbers.reference_changed.connect(self.drawing.soon)
        self.proposals.gate_changed.connect(self.parts.timeline.set_gate)
        self.frames.risk_limit_changed.connect(self.proposals.refresh)
        self.jobs.progressed.connect(self._on_progress)
        self.jobs.busy_changed.connect(self._on_busy)
        self.jobs.ended.connect(self.registered)

    def _connect_views(self) -> None:
        parts, messages = self.parts, self.session.messages
        self.binder.fill_menus(parts.window)
        hints = self.binder.hints()
        for panel in (parts.pose, parts.timeline, parts.tree, parts.proposal, parts.levels):
            panel.set_hints(hints)
        for asking in (parts.pose, parts.timeline, parts.tree, parts.proposal, parts.messages, parts.status):
            asking.action_requested.connect(self.binder.run)
        messages.said.connect(lambda text, weight: parts.messages.show_message(text, Severity(weight.value)))
        messages.status.connect(self._on_status)
        parts.window.close_requested.connect(self.files.quit)
        parts.timeline.set_gate(self.proposals.gate)
        self.keyboard.hide_overlays.connect(lambda on: self.views.hide_overlays(hidden=on))
        self.views.toggled.connect(lambda name, on: self.binder.action(name).setChecked(on))
        self.binder.action("view.epipolar").setChecked(self.epipolar.on)
        self.binder.action("view.uncertainty").setChecked(self.uncertainty.on)
        self.binder.recent.aboutToShow.connect(self._fill_recent)

    def refresh_all(self) -> None:
        """Show everything anew."""
        self.study_panel.refresh()
        self.numbers.refresh()
        self.frames.refresh()
        self.proposals.refresh()
        self.regions.refresh()
        self.refresh_actions()
        self.drawing.soon()

    def refresh_actions(self) -> None:
        """Enable what is possible now."""
        possible = self.binder.refresh()
        parts = self.parts
        for panel in (parts.pose, parts.timeline, parts.tree, parts.proposal):
            panel.set_possible(possible)
        self.possible_changed.emit(possible)
        chosen, frame = self.session.selection.bodies, self.session.selection.frame
        parts.pose.register.set_target("" if frame is None else f"{' and '.join(chosen)}, frame {frame}")

    def shut(self) -> None:
        """End all threads; the study file is closed too; a second time does nothing."""
        if self._over:
            return
        self._over = True
        self.session.history.stack.indexChanged.disconnect(self._on_history)
        self.jobs.close()
        self.similarity.close()
        self.regions.close()
        self.comparison.close()
        self.pictures.close()
        self.loader.close()
        self.files.shut()
        self.keyboard.close()

    @property
    def settled(self) -> bool:
        """Whether the open study is shown with everything that is loaded in the background."""
        session = self.session
        return (
            session.document is not None
            and all(name in session.bodies for name in session.body_names)
            and self.pictures.frame is not None
            and not self.pictures.loading
            and not self.jobs.busy
        )

    def _situation(self) -> Situation:
        return situation_of(self.session, self.proposals, self.editor, busy=self.jobs.busy)

    def _on_opened(self) -> None:
        self.jobs.cancel()
        self._scores = ()
        names = self.session.body_names
        self.appearance.restart({name: body_colour(index) for index, name in enumerate(names)})
        self.loader.load()
        self._show_title()
        self._show_trial()
        self.refresh_all()

    def _on_extended(self) -> None:
        names = self.session.body_names
        self.appearance.restart({name: body_colour(index) for index, name in enumerate(names)})
        self.loader.load()
        self.drawing.show_trial()
        self.refresh_all()

    def _show_title(self) -> None:
        document, path = self.session.document, self.files.path
        window = self.parts.window
        window.setWindowTitle("Duoscope" if document is None else f"{document.study.name} — Duoscope")
        window.setWindowFilePath("" if path is None else str(path))

    def _show_trial(self) -> None:
        trial = self.session.trial
        self.parts.window.hide_view(1, hidden=trial is not None and len(trial.views) < 2)
        self.looks.restart()
        self.drawing.show_trial()
        self.drawing.show_bodies()
        self.pictures.load()

    def _on_history(self, _index: int) -> None:
        self.refresh_actions()

    def _on_document(self, _before: object, _after: object, _action: str) -> None:
        self.drawing.soon()
        self.frames.refresh()
        self.proposals.refresh()
        self.regions.refresh()
        self.refresh_actions()

    def _on_selection(self, before: Selection, after: Selection) -> None:
        if before.trial != after.trial:
            self._show_trial()
            self.refresh_all()
            return
        if before.frame != after.frame:
            self._follows = self._follows and self._leading
            self.editor.abandon()
            self.frames.refresh_place()
            self.numbers.refresh_numbers()
        else:
            self.drawing.soon()
        if before.bodies != after.bodies:
            self.numbers.refresh()
            self.frames.refresh()
            self.drawing.show_bodies()
        self.study_panel.refresh_choice()
        self.proposals.refresh()
        self.regions.refresh()
        self.refresh_actions()

    def _on_bodies(self) -> None:
        self.drawing.show_bodies()
        self.study_panel.refresh()
        self.refresh_actions()

    def _on_looks(self) -> None:
        self.drawing.show_bodies()
        self.study_panel.refresh()
        self.frames.refresh()
        self.numbers.refresh()
        self.regions.refresh()

    def _on_pictures(self, frame: Frame | None) -> None:
        self.looks.show(frame)
        self.drawing.show_pictures(frame, self.looks.greys())

    def _on_drawn(self) -> None:
        self.numbers.refresh_numbers()
        if not self.jobs.busy:
            self.hands.refresh_gizmo()
        self.hands.refresh_pivot()
        self.uncertainty.refresh()
        self.comparison.refresh()
        self.similarity.ask()

    def _on_scores(self, similarity: Similarity | None) -> None:
        self._scores = () if similarity is None else similarity.view_scores
        self.parts.status.set_scores(self._scores)
        for index, picture in enumerate(self.parts.pictures):
            picture.set_status(f"r {self._scores[index]:.2f}" if index < len(self._scores) else "")

    def _on_progress(self, progress: Progress) -> None:
        self.parts.status.set_activity(progress.title, progress.fraction, progress.left)
        self.parts.pose.register.set_progress(
            progress.fraction, f"{progress.detail}, cost {progress.cost:.3f}", progress.left
        )
        if self._follows and progress.frame != self.session.selection.frame:
            self._leading = True
            self.session.selector.select_frame(progress.frame)
            self._leading = False

    def _on_busy(self, busy: bool) -> None:
        self._follows = busy
        self.drawing.rest_scene(resting=busy)
        self.refresh_actions()
        if busy:
            self.parts.status.set_activity(self.jobs.title, -1.0)
            self.parts.pose.register.set_progress(-1.0, self.jobs.title)
        else:
            self.parts.pose.register.set_progress(None)
            self.parts.status.set_activity("", None)
            self.drawing.soon()

    def _on_status(self, text: str) -> None:
        if not self.jobs.busy:
            self.parts.status.set_activity(text, None)

    def _on_quit(self) -> None:
        preferences = self.session.preferences
        for name, state in self.parts.window.layout_state():
            preferences.put_bytes(name, state)
        self.shut()
        self.parts.window.allow_close()
        self.closed.emit()

    def _fill_recent(self) -> None:
        menu = self.binder.recent
        menu.clear()
        for path in self.session.preferences.recent:
            action = menu.addAction(path.stem)
            action.setToolTip(str(path))
            action.triggered.connect(lambda _checked=False, where=path: self.files.open_path(where))
        if menu.isEmpty():
            menu.addAction("No study opened yet").setEnabled(False)
