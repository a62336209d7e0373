"""The wizards that make a study, a trial or a body; each asks, checks, shows, and only then writes."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, final

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget, QWizard

from app.wizards.bodies_page import BodiesPage
from app.wizards.files import DiskSources
from app.wizards.parts import Weight
from app.wizards.place_page import PlacePage
from app.wizards.preview_page import PreviewPage
from app.wizards.sources import BodyFile, BoneFile, Sources, TrialFiles
from app.wizards.trial_page import TrialPage
from app.workers.runner import Runner
from core.study.values import BodyRecord, Trial


class WritingWizard(QWizard):
    """A wizard whose Finish does slow work in the background and closes when that has succeeded.

    ``result_value`` is what came of it, or None.
    """

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWizardStyle(QWizard.WizardStyle.ModernStyle)
        self.setOption(QWizard.WizardOption.NoBackButtonOnStartPage)
        self.setMinimumSize(QSize(720, 560))
        self.resize(860, 680)
        self.result_value: Any = None
        self._runner = Runner(self)
        self._title = title
        self.currentIdChanged.connect(self._show_step)
        self._runner.reported.connect(self._on_report)
        self._runner.finished.connect(self._on_finished)
        self._runner.failed.connect(self._on_failed)

    def work(self) -> Generator[str, None, Any]:
        """What Finish does; says what it is doing and returns the result."""
        raise NotImplementedError

    def accept(self) -> None:
        """Begin the work; the wizard stays until it is done."""
        if self._runner.busy:
            return
        self._set_busy("Working")
        self._runner.start(self._title, self.work, keep=lambda _report: True)

    def reject(self) -> None:
        """Cancel the work that runs, else the wizard."""
        if self._runner.busy:
            self._runner.cancel()
            self._set_busy(None)
            return
        super().reject()

    def done(self, result: int) -> None:
        """End all threads before the wizard goes."""
        self._runner.close()
        for page in self.pageIds():
            close = getattr(self.page(page), "close_threads", None)
            if close is not None:
                close()
        super().done(result)

    def _show_step(self, page: int) -> None:
        pages = self.pageIds()
        if page in pages and len(pages) > 1:
            self.setWindowTitle(f"{self._title} – step {pages.index(page) + 1} of {len(pages)}")

    def _set_busy(self, text: str | None) -> None:
        for which in (QWizard.WizardButton.BackButton, QWizard.WizardButton.FinishButton):
            self.button(which).setEnabled(text is None)
        page = self.currentPage()
        if isinstance(page, PreviewPage):
            page.set_busy(text)
        elif isinstance(page, BodiesPage):
            page.setEnabled(text is None)

    def _on_report(self, text: object) -> None:
        self._set_busy(str(text))

    def _on_finished(self, result: object) -> None:
        self.result_value = result
        super().accept()

    def _on_failed(self, error: object) -> None:
        self._set_busy(None)
        page = self.currentPage()
        verdict = getattr(page, "verdict", None)
        if verdict is not None:
            verdict.say(f"{error}\nNothing was written.", Weight.PROBLEM)


@final
class NewStudyWizard(WritingWizard):
    """Name and place, trial, bodies, preview."""

    def __init__(self, start: Path, sources: Sources | None = None, parent: QWidget | None = None) -> None:
        super().__init__("New study", parent)
        self._sources: Sources = DiskSources() if sources is None else sources
        self.place_page = PlacePage(start)
        self.trial_page = TrialPage(self._sources)
        self.bodies_page = BodiesPage(self._sources)
        self.preview_page = PreviewPage(self._sources, lambda: self.trial_page.report, lambda: self.bodies_page.reports)
        for page in (self.place_page, self.trial_page, self.bodies_page, self.preview_page):
            self.addPage(page)

    def work(self) -> Generator[str, None, Path]:
        """Make the study; the path it is at."""
        return _make_study(
            self._sources,
            self.place_page.place,
            self.place_page.name,
            self.trial_page.files,
            self.bodies_page.files,
        )


@final
class AddTrialWizard(WritingWizard):
    """A trial and its preview."""

    def __init__(self, taken: Sequence[str], sources: Sources | None = None, parent: QWidget | None = None) -> None:
        super().__init__("Add a trial", parent)
        self._sources: Sources = DiskSources() if sources is None else sources
        self.trial_page = TrialPage(self._sources, taken)
        self.preview_page = PreviewPage(self._sources, lambda: self.trial_page.report, lambda: ())
        self.preview_page.setSubTitle("Nothing has been written yet. Finish adds the trial.")
        self.addPage(self.trial_page)
        self.addPage(self.preview_page)

    def work(self) -> Generator[str, None, Trial]:
        """Make the trial."""
        return _make_trial(self._sources, self.trial_page.files)


@final
class AddBodyWizard(WritingWizard):
    """One body."""

    def __init__(self, taken: Sequence[str], sources: Sources | None = None, parent: QWidget | None = None) -> None:
        super().__init__("Add a body", parent)
        self._sources: Sources = DiskSources() if sources is None else sources
        self.bodies_page = BodiesPage(self._sources, taken, only_one=True)
        self.addPage(self.bodies_page)

    def work(self) -> Generator[str, None, BodyRecord]:
        """Make the record."""
        return _make_body(self._sources, self.bodies_page.files[0])


def ask_new_study(parent: QWidget | None, start: Path) -> Path | None:
    """Ask for a new study and make it; where it is, or None."""
    return _asked(NewStudyWizard(start, parent=parent))


def ask_trial(parent: QWidget | None, taken: Sequence[str]) -> Trial | None:
    """Ask for a trial whose name is not taken; it is not stored yet."""
    return _asked(AddTrialWizard(taken, parent=parent))


def ask_body(parent: QWidget | None, taken: Sequence[str]) -> BodyRecord | None:
    """Ask for a body whose name is not taken; it is not stored yet."""
    return _asked(AddBodyWizard(taken, parent=parent))


def _asked(wizard: WritingWizard) -> Any:  # noqa: ANN401
    wizard.exec()
    result = wizard.result_value
    wizard.deleteLater()
    return result


def _make_study(
    sources: Sources, place: Path, name: str, trial: TrialFiles, bodies: tuple[BodyFile | BoneFile, ...]
) -> Generator[str, None, Path]:
    made_trial = yield from _make_trial(sources, trial)
    made_bodies: list[BodyRecord] = []
    for body in bodies:
        yield f"Reading {body.name}"
        made_bodies.append(sources.body(body))
    return (yield from sources.write_study(place, name, made_trial, tuple(made_bodies)))


def _make_trial(sources: Sources, files: TrialFiles) -> Generator[str, None, Trial]:
    yield f"Reading every picture of {files.name} once, for its checksum"
    return sources.trial(files)


def _make_body(sources: Sources, file: BodyFile | BoneFile) -> Generator[str, None, BodyRecord]:
    yield f"Reading {file.name}"
    return sources.body(file)
