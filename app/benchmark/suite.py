"""Which work is measured, in which order, by whom."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import final

from app.benchmark import ours
from app.benchmark.peers_run import Peer, measure
from app.benchmark.registering import RegisterWork, mesh_to_register, register_ours, volume_to_register
from app.benchmark.results import Row, with_ratios
from app.benchmark.work import MeshWork, VolumeWork, Work, mesh_work, volume_work


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured."""

    mesh_px: tuple[int, ...] = (256, 512, 1024)
    mesh_edge_mm: float = 2.0
    """About 20 000 faces."""
    volumes: tuple[tuple[int, int], ...] = ((128, 256), (128, 512), (256, 256), (256, 512))
    """Voxels a side and picture size."""
    register_px: int = 512
    register_volume_px: int = 128
    register_voxels: int = 128
    seeds: int = 5
    repeats: int = 5


QUICK = Extent(
    mesh_px=(256,),
    mesh_edge_mm=3.0,
    volumes=((64, 128),),
    register_px=256,
    register_volume_px=64,
    register_voxels=64,
    seeds=2,
    repeats=3,
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One report: what was just measured and what share is done."""

    fraction: float
    row: Row


def run(
    extent: Extent,
    peers: Sequence[Peer] = (),
    pythons: Mapping[str, Path] | None = None,
) -> Generator[Measured, None, list[Row]]:
    """Measure all work by us and by the peers; yields each row, returns all with their ratios to ours."""
    pythons = {} if pythons is None else pythons
    tasks: list[Callable[[], Row]] = []
    for make, kind in _works(extent):
        work = cache(make)
        tasks.append(partial(_ours, work, extent.repeats))
        tasks += [
            partial(_theirs, peer, work, extent.repeats, pythons.get(peer.name)) for peer in peers if peer.kind == kind
        ]
    tasks.append(partial(_register_mesh, extent))
    bone = cache(partial(volume_to_register, extent.register_voxels, extent.register_volume_px, extent.seeds))
    tasks.append(partial(_register_bone, bone))
    tasks += [
        partial(_registered, peer, bone, pythons.get(peer.name)) for peer in peers if peer.kind == RegisterWork.kind
    ]
    rows: list[Row] = []
    while tasks:
        rows.append(tasks.pop(0)())
        yield Measured(fraction=len(rows) / (len(rows) + len(tasks)), row=rows[-1])
    return with_ratios(rows)


def _works(extent: Extent) -> list[tuple[Callable[[], Work], str]]:
    """What makes each piece of work, and its kind."""
    meshes: list[tuple[Callable[[], Work], str]] = [
        (partial(mesh_work, size, extent.mesh_edge_mm), MeshWork.kind) for size in extent.mesh_px
    ]
    return meshes + [(partial(volume_work, voxels, size), VolumeWork.kind) for voxels, size in extent.volumes]


def _ours(work: Callable[[], Work], repeats: int) -> Row:
    return ours.draw(work(), repeats)


def _theirs(peer: Peer, work: Callable[[], Work], repeats: int, python: Path | None) -> Row:
    return measure(peer, work(), repeats, python=python)


def _register_mesh(extent: Extent) -> Row:
    return register_ours(mesh_to_register(extent.register_px, extent.mesh_edge_mm, extent.seeds))


def _register_bone(work: Callable[[], RegisterWork]) -> Row:
    return register_ours(work())


def _registered(peer: Peer, work: Callable[[], RegisterWork], python: Path | None) -> Row:
    return measure(peer, work(), 1, python=python)
