"""Opens, copies and closes studies; brings poses in and out; nothing is lost on the way."""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import final

from PySide6.QtCore import QObject, Signal

from app.presenters.dialogs import Dialogs
from app.presenters.session import Session
from app.state.document import Document
from app.workers.runner import Runner
from core.errors import DuoscopeError, PoseError, StudyLockedError
from core.io.poses_csv import read_poses, write_poses
from core.io.simulated_study import Progress as DemoProgress
from core.io.software import SOFTWARE
from core.io.study.file import SUFFIX, StudyFile
from core.study.values import BodyRecord, PoseKey, PoseRecord, Trial


@final
class Files(QObject):
    """Owns the open study file.

    Signals:
        opened(): another study, or none, is open now.
        extended(): the study got a trial or a body.
        quit_allowed(): nothing keeps the window open any more.
    """

    opened = Signal()
    extended = Signal()
    quit_allowed = Signal()

    def __init__(self, session: Session, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._dialogs = dialogs
        self._file: StudyFile | None = None
        self.ask_new: Callable[[], Path | None] = lambda: None
        self.ask_trial: Callable[[], Trial | None] = lambda: None
        self.ask_body: Callable[[], BodyRecord | None] = lambda: None
        self.make_demo: Callable[[], Generator[DemoProgress, None, Path]] | None = None
        self.grab_picture: Callable[[Path], None] = lambda _path: None
        self._maker = Runner(self)
        self._maker.reported.connect(self._on_demo_progress)
        self._maker.finished.connect(self.open_path)
        self._maker.failed.connect(lambda error: session.messages.error(f"The demo study cannot be made: {error}"))
        session.recorder.refused.connect(self._on_refused)
        session.recorder.caught_up.connect(self._on_caught_up)

    @property
    def path(self) -> Path | None:
        """Where the open study is."""
        return None if self._file is None else self._file.path

    @property
    def file(self) -> StudyFile | None:
        """The open study file."""
        return self._file

    def new(self) -> None:
        """Ask for a new study and open it."""
        path = self.ask_new()
        if path is not None:
            self.open_path(path)

    def open(self) -> None:
        """Ask for a study and open it."""
        path = self._dialogs.existing_study(self._start())
        if path is not None:
            self.open_path(path)

    def open_demo(self) -> None:
        """Make the demo study afresh in the background, and open it."""
        if self.make_demo is None or not self._may_leave():
            return
        self._swap(None)
        self._session.messages.status.emit("Making the demo study…")
        self._maker.start("Making the demo study", self.make_demo)

    def open_path(self, path: Path) -> bool:
        """Open a study; the one that is open stays where this fails. Returns whether it worked."""
        if self._file is not None and self._file.path == path.absolute():
            return True
        if not self._may_leave():
            return False
        try:
            opened = self._open_file(path)
        except DuoscopeError as error:
            self._session.messages.error(str(error))
            return False
        if opened is None:
            return False
        self._swap(opened)
        self._say_what_was_recovered(opened)
        return True

    def save_as(self) -> None:
        """Copy the study to another place and go on there."""
        if self._file is None:
            return
        place = self._dialogs.new_study_place(self._file.path.with_name(f"{self._file.path.stem} copy{SUFFIX}"))
        if place is None:
            return
        self._session.recorder.flush()
        copy = StudyFile.open(self._file.copy_to(place), author=self._session.preferences.author)
        missed = self._session.recorder.take_waiting()
        if missed:
            missed.author, missed.action = self._session.preferences.author, "save as"
            missed.write_into(copy)
        proposals = None if self._session.document is None else self._session.document.proposals
        self._swap(copy, same=True)
        if proposals and self._session.document is not None:
            self._session.store.replace(self._session.document.with_proposals(proposals), "save as")
        self._session.messages.info(f"Saved as {copy.path}; changes go there from now on.")

    def add_trial(self) -> None:
        """Ask for a trial and add it."""
        trial = self.ask_trial() if self._file is not None else None
        if trial is not None and self._file is not None:
            self._file.add_trial(trial, author=self._session.preferences.author)
            self._extend(f"Add trial {trial.name}")
            self._session.selector.select_trial(trial)

    def add_body(self) -> None:
        """Ask for a body and add it."""
        record = self.ask_body() if self._file is not None else None
        if record is not None and self._file is not None:
            self._file.add_body(record, author=self._session.preferences.author)
            self._extend(f"Add body {record.name}")
            self._session.selector.select_body(record.name)

    def set_exclusions(self, view_index: int, polygons: list[tuple[tuple[float, float], ...]]) -> None:
        """Replace the excluded regions of a view of the selected trial."""
        trial = self._session.trial
        if self._file is None or trial is None:
            return
        author = self._session.preferences.author
        self._file.set_exclusions(trial.name, view_index, polygons, author=author)
        self._session.arrays.forget()
        self._extend("Exclude a region")

    def import_poses(self) -> None:
        """Read poses of the active body from a CSV file, as one undoable edit."""
        trial, body, document = self._session.trial, self._session.selection.body, self._session.document
        if trial is None or body is None or document is None:
            return
        path = self._dialogs.file_to_read(f"Import poses of {body}", "Poses (*.csv);;All files (*)", self._start())
        if path is None:
            return
        records = read_poses(path)
        known = {frame: record for frame, record in records.items() if frame in trial.frames}
        if not known:
            raise PoseError(
                f"{path.name} holds frames {min(records)} to {max(records)}, but trial {trial.name!r} has frames "
                f"{trial.frames[0]} to {trial.frames[-1]}; is this the file of another trial?"
            )
        changes: dict[PoseKey, PoseRecord | None] = {
            PoseKey(trial.name, body, frame): record for frame, record in known.items()
        }
        self._session.history.do(f"Import poses of {body} from {path.name}", document.with_poses(changes))
        left = len(records) - len(known)
        skipped = f"; {left} frames are not in the trial and were left out" if left else ""
        self._session.messages.info(
            f"{len(known)} poses of {body} imported (world_from_body, mm){skipped}. Check the overlay before going on."
        )

    def export_poses(self) -> None:
        """Write the active body's poses into a CSV file."""
        trial, body, document = self._session.trial, self._session.selection.body, self._session.document
        if trial is None or body is None or document is None:
            return
        records = document.study.poses.of(trial.name, body)
        if not records:
            raise PoseError(f"{body} has no poses in trial {trial.name!r} yet, so there is nothing to export")
        start = self._start() / f"{trial.name}_{body}.csv"
        path = self._dialogs.file_to_write(f"Export poses of {body}", "Poses (*.csv)", start)
        if path is not None:
            path = path if path.suffix else path.with_suffix(".csv")
            header = {"study": document.study.name, "trial": trial.name, "body": body, "software": SOFTWARE}
            write_poses(path, records, header)
            self._session.messages.info(f"{len(records)} poses of {body} written to {path}.")

    def save_picture(self) -> None:
        """Save the views as they are."""
        frame = self._session.selection.frame
        start = self._start() / f"{self._session.selection.trial}_{frame}.png"
        path = self._dialogs.file_to_write("Save picture", "Pictures (*.png)", start)
        if path is not None:
            self.grab_picture(path if path.suffix else path.with_suffix(".png"))

    def close_study(self) -> None:
        """Close the study and show the empty window."""
        if self._may_leave():
            self._swap(None)

    def quit(self) -> None:
        """Close the window, unless something would be lost."""
        if self._may_leave():
            self.shut()
            self.quit_allowed.emit()

    def shut(self) -> None:
        """Close the study file properly."""
        self._maker.close()
        self._session.recorder.attach(None)
        if self._file is not None:
            self._file.close()
            self._file = None
        self._session.preferences.mark_open(None)

    def _open_file(self, path: Path) -> StudyFile | None:
        author = self._session.preferences.author
        try:
            return StudyFile.open(path, author=author)
        except StudyLockedError as error:
            answer = self._dialogs.choose("The study is open elsewhere", str(error), ("Open to look at only",))
            return None if answer is None else StudyFile.open(path, read_only=True, author=author)

    def _swap(self, opened: StudyFile | None, *, same: bool = False) -> None:
        """Another study takes the place; ``same`` content keeps its prepared bodies."""
        before, self._file = self._file, opened
        self._session.recorder.attach(None if opened is None or opened.read_only else opened)
        if before is not None:
            before.close()
        self._session.history.locked = opened is not None and opened.read_only
        self._session.arrays.forget()
        if not same:
            self._session.bodies.clear()
        self._session.store.open(None if opened is None else Document(study=opened.study))
        self._session.selector.fit_to(None if opened is None else opened.study)
        self._session.preferences.mark_open(None if opened is None or opened.read_only else opened.path)
        if opened is not None:
            self._session.preferences.add_recent(opened.path)
        self.opened.emit()

    def _extend(self, action: str) -> None:
        """Take trials and bodies from the file, and keep poses, proposals and undo."""
        document = self._session.document
        if self._file is None or document is None:
            return
        stored = self._file.study
        study = replace(document.study, trials=stored.trials, bodies=stored.bodies)
        self._session.store.replace(replace(document, study=study), action)
        if self._session.trial is None or self._session.selection.body is None:
            self._session.selector.fit_to(study)
        self.extended.emit()

    def _may_leave(self) -> bool:
        """Whether the open study may be closed: everything is on the disk, or the person gives it up."""
        recorder = self._session.recorder
        if self._file is None or recorder.flush():
            return True
        answer = self._dialogs.choose(
            "Changes are not on the disk yet",
            f"{recorder.behind} changes could not be written. Save the study in another place to keep them.",
            ("Save as…", "Close and lose them"),
        )
        if answer == 0:
            self.save_as()
            return recorder.behind == 0
        return answer == 1

    def _say_what_was_recovered(self, opened: StudyFile) -> None:
        if opened.read_only:
            self._session.messages.warn("The study is open to look at only: it is being changed in another window.")
        elif opened.interrupted is not None:
            self._session.messages.info(
                "The last session ended without closing this study. Everything up to the last accepted step is here."
            )

    def _on_demo_progress(self, progress: DemoProgress) -> None:
        self._session.messages.status.emit(f"Making the demo study: {progress.done} of {progress.count} pictures")

    def _on_refused(self, reason: str) -> None:
        self._session.messages.error(
            f"{reason} Your changes stay in this window and are tried again every few seconds."
        )

    def _on_caught_up(self) -> None:
        self._session.messages.info("Everything is on the disk again.")

    def _start(self) -> Path:
        return Path.home() if self._file is None else self._file.path.parent
