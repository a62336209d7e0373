"""What one source file imports and calls, read from its syntax tree."""

import ast
from pathlib import Path

DISK_MODULES = frozenset(
    [
        "os",
        "shutil",
        "tempfile",
        "io",
        "glob",
        "fileinput",
        "mmap",
        "sqlite3",
        "sqlalchemy",
        "filelock",
        "tifffile",
        "imagecodecs",
        "pydicom",
        "h5py",
        "PIL",
        "pickle",
        "csv",
        "zipfile",
        "tarfile",
        "logging.handlers",
    ]
)
DISK_CALLS = frozenset(
    [
        "open",
        "fdopen",
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "mkdir",
        "makedirs",
        "unlink",
        "rmdir",
        "rmtree",
        "touch",
        "iterdir",
        "glob",
        "rglob",
        "is_file",
        "is_dir",
        "exists",
        "stat",
        "lstat",
        "symlink_to",
        "hardlink_to",
        "imread",
        "imwrite",
        "tofile",
        "fromfile",
        "memmap",
        "loadtxt",
        "savetxt",
        "genfromtxt",
        "savez",
        "savez_compressed",
        "load_mesh",
        "export",
        "load",
        "save",
    ]
)


def imported_names(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def disk_accesses(path: Path) -> list[str]:
    """Imports and calls by which a file could read or write the disk, with their lines."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in DISK_CALLS:
                found.append(f"{path.name}:{node.lineno} calls {name}")
    roots = {name.partition(".")[0] for name in imported_names(path)}
    return found + [f"{path.name} imports {name}" for name in sorted(roots & DISK_MODULES)]
