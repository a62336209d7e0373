"""After a crash: says what is left of the last session and offers to go on with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from PySide6.QtCore import QDateTime, QLocale, QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.views.panels.icons import icon
from app.views.panels.theme import GRID_PX, grade
from core.errors import DuoscopeError
from core.io.study import StudyFile, writer_lock


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What the last session left in a study."""

    path: Path
    name: str
    poses: int
    last_action: str = ""
    last_at: str = ""
    """ISO 8601; empty where nothing was ever changed."""
    author: str = ""


def look_into(path: Path) -> Remains:
    """Read what is there without changing anything.

    Raises:
        StudyError: it cannot be read.
    """
    with StudyFile.open(path, read_only=True) as study:
        last = study.journal(last=1)
        remains = Remains(path=study.path, name=study.study.name, poses=len(study.study.poses))
        if not last:
            return remains
        entry = last[-1]
        return Remains(
            path=remains.path,
            name=remains.name,
            poses=remains.poses,
            last_action=entry.action,
            last_at=entry.at,
            author=entry.author,
        )


@final
class RecoveryOffer(QDialog):
    """One question with two answers."""

    def __init__(self, remains: Remains, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go on where it ended?")
        self.setMinimumWidth(480)
        shape, said, where = QLabel(), QLabel(sentence_of(remains)), QLabel(str(remains.path))
        shape.setPixmap(icon("recover").pixmap(QSize(32, 32)))
        said.setWordWrap(True)
        said.setTextFormat(Qt.TextFormat.RichText)
        where.setWordWrap(True)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grade(where, "muted")
        self.go_on, self.not_now = QPushButton("Open the study"), QPushButton("Not now")
        self.go_on.setProperty("primary", "true")
        self.go_on.setDefault(True)
        buttons = QDialogButtonBox()
        buttons.addButton(self.go_on, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.not_now, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        texts, row, column = QVBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        texts.setSpacing(GRID_PX)
        texts.addWidget(said)
        texts.addWidget(where)
        texts.addStretch(1)
        row.setSpacing(2 * GRID_PX)
        row.addWidget(shape, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(row)
        column.addWidget(buttons)


def sentence_of(remains: Remains) -> str:
    """What happened, what is safe, and the last thing that is."""
    safe = f"Everything up to the last accepted step is in the study: {remains.poses} poses."
    last = ""
    if remains.last_action:
        who = f" by {remains.author}" if remains.author else ""
        last = f" The last step was “{remains.last_action}”{who}{_when(remains.last_at)}."
    return f"Duoscope ended without closing <b>{remains.name}</b>. {safe}{last}"


def ask_recovery(parent: QWidget | None, path: Path) -> bool:
    """Whether to open a study that was left open.

    No question where it cannot be read, or where another window still has it open.
    """
    try:
        writer_lock.take(path).release()
        remains = look_into(path)
    except DuoscopeError:
        return False
    return RecoveryOffer(remains, parent).exec() == int(QDialog.DialogCode.Accepted)


def _when(at: str) -> str:
    moment = QDateTime.fromString(at, Qt.DateFormat.ISODate).toLocalTime()
    return f", {QLocale().toString(moment, QLocale.FormatType.ShortFormat)}" if moment.isValid() else ""
