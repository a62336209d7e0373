"""The import contracts hold, and each of them is known to bite."""

import tomllib

import pytest

from tests.architecture.source import imported_names
from tests.architecture.tree import ROOT, copy_sources, lint_imports, sources

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PLANTS = {
    "app-layers": [
        ("app/state/planted.py", "app.presenters"),
        ("app/views/planted.py", "app.commands"),
        ("app/workers/planted.py", "app.views"),
        ("app/cli/planted.py", "app.wizards"),
        ("app/commands/planted.py", "app.cli"),
        ("app/benchmark/planted.py", "app.presenters"),
    ],
    "core-layers": [
        ("core/geometry/planted.py", "core.imaging"),
        ("core/rendering/planted.py", "core.similarity"),
        ("core/registration/planted.py", "core.simulation"),
        ("core/imaging/planted.py", "core.study"),
        ("core/solvers/planted.py", "core.io"),
        ("core/errors.py", "core.geometry"),
    ],
    "core-alone": [
        ("core/imaging/planted.py", "PySide6.QtGui"),
        ("core/rendering/planted.py", "vtkmodules.vtkCommonCore"),
        ("core/geometry/planted.py", "pyvista"),
        ("core/io/planted.py", "app.state"),
    ],
    "views-passive": [
        ("app/views/planted.py", "app.state"),
        ("app/views/planted.py", "core.study"),
        ("app/views/scene/planted.py", "core.registration"),
        ("app/views/planted.py", "core.io"),
    ],
    "scene-only": [
        ("app/views/planted.py", "pyvista"),
        ("app/presenters/planted.py", "vtkmodules.vtkRenderingCore"),
        ("app/state/planted.py", "vtk"),
    ],
    "headless-state": [
        ("app/state/planted.py", "superqt"),
        ("app/workers/planted.py", "pyqtgraph"),
    ],
}
CASES = [(contract, *plant) for contract, plants in PLANTS.items() for plant in plants]


def test_contracts_hold():
    status, report = lint_imports(ROOT)
    assert status == 0, report[report.find("Contracts") :]


def test_every_contract_is_tried():
    assert {contract["id"] for contract in CONTRACTS} == set(PLANTS)


@pytest.fixture
def copied(tmp_path):
    return copy_sources(tmp_path)


@pytest.mark.parametrize(("contract", "file", "imported"), CASES)
def test_a_planted_import_breaks_its_contract(copied, contract, file, imported):
    planted = copied / file
    before = planted.read_text() if planted.exists() else '"""Planted."""\n'
    planted.write_text(f"{before}\nimport {imported}\n")
    status, report = lint_imports(copied)
    importer = file.removesuffix(".py").replace("/", ".")
    broken = report.partition("Broken contracts")[2]
    name = next(item["name"] for item in CONTRACTS if item["id"] == contract)
    assert status == 1
    assert name in broken
    assert f"{importer} -> {_as_reported(imported)}" in broken


def test_a_room_that_no_layer_names_is_refused(copied):
    for room in ("core/utilities", "app/managers"):
        (copied / room).mkdir()
        (copied / room / "__init__.py").write_text('"""Planted."""\n')
    status, report = lint_imports(copied)
    assert status == 1
    assert "core.utilities" in report
    assert "app.managers" in report


def test_nothing_imports_the_entry_point():
    assert [path for path in sources("app", "core") if "main" in imported_names(path)] == []


def _as_reported(module):
    """Other libraries are reported by their top level."""
    return module if module.startswith(("app", "core")) else module.partition(".")[0]
