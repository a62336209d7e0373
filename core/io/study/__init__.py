"""The study file: a folder NAME.study with one SQLite database, journalled and locked for one writer."""

from core.io.study.file import SUFFIX, StudyFile
from core.io.study.journal import JournalEntry
from core.io.study.sessions import Interrupted

__all__ = ["SUFFIX", "Interrupted", "JournalEntry", "StudyFile"]
