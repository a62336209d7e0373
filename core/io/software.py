"""The program's name and version, as written into every file that leaves it."""

NAME = "Duoscope"
VERSION = "0.1.0"
SOFTWARE = f"{NAME} {VERSION}"
