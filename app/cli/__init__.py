"""Headless commands: the same core calls as the window, the same numbers."""

from app.cli.application import run

__all__ = ["run"]
