"""What the program remembers of a person's habits, kept by QSettings."""

import getpass
from pathlib import Path
from typing import final

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

_RECENT_KEPT = 10


@final
class Preferences(QObject):
    """Typed access to the settings; a corrupt or missing entry falls back to its default.

    Signals:
        changed(str): the name of what changed.
    """

    changed = Signal(str)

    def __init__(self, settings: QSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = QSettings("Duoscope", "Duoscope") if settings is None else settings

    def text(self, name: str, default: str = "") -> str:
        """A remembered text."""
        value = self._settings.value(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: float) -> float:
        """A remembered number."""
        try:
            return float(str(self._settings.value(name, default)))
        except ValueError:
            return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A remembered yes or no."""
        return str(self._settings.value(name, default)).lower() in {"true", "1"}

    def put(self, name: str, value: str | float | bool) -> None:
        """Remember something."""
        self._settings.setValue(name, value)
        self.changed.emit(name)

    def bytes(self, name: str) -> QByteArray:
        """A remembered layout."""
        value = self._settings.value(name)
        return value if isinstance(value, QByteArray) else QByteArray()

    def put_bytes(self, name: str, value: QByteArray) -> None:
        """Remember a layout."""
        self._settings.setValue(name, value)

    @property
    def author(self) -> str:
        """The annotator's name: who is written into the journal."""
        return self.text("author") or _login_name()

    @property
    def dark(self) -> bool:
        """Whether the dark theme is on."""
        return self.flag("dark", default=True)

    @property
    def recent(self) -> tuple[Path, ...]:
        """Studies opened lately that still exist, newest first."""
        lines = self.text("recent").splitlines()
        return tuple(path for path in map(Path, lines) if path.exists())

    def add_recent(self, path: Path) -> None:
        """Put a study in front of the recent ones."""
        path = path.absolute()
        kept = [path, *(other for other in self.recent if other != path)][:_RECENT_KEPT]
        self.put("recent", "\n".join(map(str, kept)))

    @property
    def left_open(self) -> Path | None:
        """The study that was open when the program ended without closing it."""
        text = self.text("left_open")
        return Path(text) if text and Path(text).exists() else None

    def mark_open(self, path: Path | None) -> None:
        """Remember which study is open, or that it was closed properly."""
        self.put("left_open", "" if path is None else str(path.absolute()))
        self._settings.sync()


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
