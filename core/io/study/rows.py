"""Study values to rows of the database and back."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, insert, select

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.io.study.as_json import (
    covariance_from_text,
    dumps,
    matrix_as_text,
    matrix_from_text,
    polygon_as_text,
    polygon_from_text,
)
from core.io.study.links import Links
from core.io.study.tables import (
    BODIES,
    EXCLUSIONS,
    FRAMES,
    META,
    PICTURES,
    PLANES,
    POSES,
    REGIONS,
    ROTATION,
    TRANSLATION,
    TRIALS,
    VOLUMES,
)
from core.study.values import (
    BodyRecord,
    Polygon,
    PoseKey,
    PoseRecord,
    Poses,
    PoseStatus,
    Region,
    RegionKey,
    Study,
    Trial,
    TrialView,
    VolumeLink,
    VoxelValues,
)


def read_meta(connection: Connection) -> dict[str, str]:
    """The study's own facts: name, home, writer."""
    return {row.key: row.value for row in connection.execute(select(META))}


def write_meta(connection: Connection, facts: Mapping[str, str]) -> None:
    """Set facts of the study."""
    for key, value in facts.items():
        connection.execute(delete(META).where(META.c.key == key))
        connection.execute(insert(META).values(key=key, value=value))


def read_study(connection: Connection, links: Links) -> Study:
    """The whole study as it is stored."""
    trials = connection.execute(select(TRIALS).order_by(TRIALS.c.id)).all()
    bodies = connection.execute(select(BODIES).order_by(BODIES.c.id)).all()
    volumes = {row.body_id: _volume_from(row, links) for row in connection.execute(select(VOLUMES))}
    trial_names, body_names = {row.id: row.name for row in trials}, {row.id: row.name for row in bodies}
    return Study(
        name=read_meta(connection).get("name", links.folder.stem),
        trials=tuple(_read_trial(connection, links, row) for row in trials),
        bodies=tuple(_body_from(row, links, volumes.get(row.id)) for row in bodies),
        poses=_read_poses(connection, trial_names, body_names),
    ).with_regions(_read_regions(connection, trial_names, body_names))


def add_trial(connection: Connection, links: Links, trial: Trial) -> None:
    """Store a new trial with its frames, views, pictures and exclusions."""
    trial_id = _inserted(connection, insert(TRIALS).values(name=trial.name, world_frame=trial.world_frame))
    connection.execute(
        insert(FRAMES),
        [{"trial_id": trial_id, "position": i, "number": number} for i, number in enumerate(trial.frames)],
    )
    for position, plane in enumerate(trial.views):
        plane_id = _inserted(connection, insert(PLANES).values(_plane_row(trial_id, position, plane, links)))
        connection.execute(
            insert(PICTURES),
            [
                {"plane_id": plane_id, "position": i, "path": links.to_stored(link.path), "sha256": link.sha256}
                for i, link in enumerate(plane.images)
            ],
        )
        write_exclusions(connection, plane_id, plane.exclusions)


def write_exclusions(connection: Connection, plane_id: int, polygons: tuple[Polygon, ...]) -> None:
    """Replace the exclusion polygons of one plane."""
    connection.execute(delete(EXCLUSIONS).where(EXCLUSIONS.c.plane_id == plane_id))
    for position, polygon in enumerate(polygons):
        connection.execute(
            insert(EXCLUSIONS).values(plane_id=plane_id, position=position, corners_px=polygon_as_text(polygon))
        )


def plane_id_of(connection: Connection, trial: str, position: int) -> int:
    """The row of one plane of a trial."""
    joined = PLANES.join(TRIALS, PLANES.c.trial_id == TRIALS.c.id)
    found = connection.execute(
        select(PLANES.c.id).select_from(joined).where(TRIALS.c.name == trial, PLANES.c.position == position)
    )
    return int(found.scalar_one())


def add_body(connection: Connection, links: Links, record: BodyRecord) -> None:
    """Store a new body."""
    mesh = record.mesh
    row = {
        "name": record.name,
        "mesh_path": "" if mesh is None else links.to_stored(mesh.path),
        "mesh_sha256": "" if mesh is None else mesh.sha256,
        "units": record.units,
        "notes": dumps(record.notes),
    }
    body_id = _inserted(connection, insert(BODIES).values(row))
    if record.volume is not None:
        connection.execute(insert(VOLUMES).values(_volume_row(body_id, record.volume, links)))


def write_regions(connection: Connection, changes: Mapping[RegionKey, Region | None]) -> None:
    """Replace (a region) or remove (None) what was drawn around shadows."""
    trials = {row.name: row.id for row in connection.execute(select(TRIALS))}
    bodies = {row.name: row.id for row in connection.execute(select(BODIES))}
    for key, region in changes.items():
        row = {"trial_id": trials[key.trial], "plane": key.plane, "frame": key.frame, "body_id": bodies[key.body]}
        connection.execute(delete(REGIONS).where(*(REGIONS.c[name] == value for name, value in row.items())))
        if region is not None:
            connection.execute(insert(REGIONS).values(**row, corners_px=polygon_as_text(region.corners_px)))


def write_poses(connection: Connection, changes: Mapping[PoseKey, PoseRecord | None]) -> None:
    """Replace (a record) or remove (None) poses."""
    trials = {row.name: row.id for row in connection.execute(select(TRIALS))}
    bodies = {row.name: row.id for row in connection.execute(select(BODIES))}
    for key, record in changes.items():
        trial_id, body_id = trials[key.trial], bodies[key.body]
        connection.execute(
            delete(POSES).where(POSES.c.trial_id == trial_id, POSES.c.body_id == body_id, POSES.c.frame == key.frame)
        )
        if record is not None:
            row = {"trial_id": trial_id, "body_id": body_id, "frame": key.frame, **_pose_row(record)}
            connection.execute(insert(POSES).values(row))


def rewrite_links(connection: Connection, old: Links, to_stored: Callable[[Path], str]) -> None:
    """Store every path anew, as ``to_stored`` writes it."""
    for table, column, key in (
        (PLANES, PLANES.c.calibration_path, (PLANES.c.id,)),
        (PICTURES, PICTURES.c.path, (PICTURES.c.plane_id, PICTURES.c.position)),
        (BODIES, BODIES.c.mesh_path, (BODIES.c.id,)),
        (VOLUMES, VOLUMES.c.path, (VOLUMES.c.body_id,)),
        (VOLUMES, VOLUMES.c.mask_path, (VOLUMES.c.body_id,)),
    ):
        # Without a surface or a mask there is no path.
        for row in connection.execute(select(column, *key).where(column.is_not(None), column != "")).all():
            path = to_stored(old.from_stored(row[0]))
            if path != row[0]:
                same = [part == value for part, value in zip(key, row[1:], strict=True)]
                connection.execute(table.update().where(*same).values({column.name: path}))


def _inserted(connection: Connection, statement: Any) -> int:  # noqa: ANN401 - SQLAlchemy's Insert of any table
    key = connection.execute(statement).inserted_primary_key
    return int(key[0]) if key is not None else 0


def _plane_row(trial_id: int, position: int, plane: TrialView, links: Links) -> dict[str, Any]:
    view = plane.view
    return {
        "trial_id": trial_id,
        "position": position,
        "name": view.name,
        "camera_from_world": matrix_as_text(view.camera_from_world),
        "focal_x_px": float(view.focal_px[0]),
        "focal_y_px": float(view.focal_px[1]),
        "principal_x_px": float(view.principal_px[0]),
        "principal_y_px": float(view.principal_px[1]),
        "width_px": int(view.width_px),
        "height_px": int(view.height_px),
        "pixel_spacing_mm": None if view.pixel_spacing_mm is None else float(view.pixel_spacing_mm),
        "calibration_path": links.to_stored(plane.calibration.path),
        "calibration_sha256": plane.calibration.sha256,
    }


def _read_trial(connection: Connection, links: Links, row: Row[Any]) -> Trial:
    frames = connection.execute(select(FRAMES.c.number).where(FRAMES.c.trial_id == row.id).order_by(FRAMES.c.position))
    planes = connection.execute(select(PLANES).where(PLANES.c.trial_id == row.id).order_by(PLANES.c.position)).all()
    return Trial(
        name=row.name,
        frames=tuple(frames.scalars()),
        views=tuple(_read_plane(connection, links, plane) for plane in planes),
        world_frame=row.world_frame,
    )


def _read_plane(connection: Connection, links: Links, row: Row[Any]) -> TrialView:
    pictures = connection.execute(
        select(PICTURES.c.path, PICTURES.c.sha256).where(PICTURES.c.plane_id == row.id).order_by(PICTURES.c.position)
    )
    polygons = connection.execute(
        select(EXCLUSIONS.c.corners_px).where(EXCLUSIONS.c.plane_id == row.id).order_by(EXCLUSIONS.c.position)
    )
    view = View(
        name=row.name,
        camera_from_world=matrix_from_text(row.camera_from_world),
        focal_px=(row.focal_x_px, row.focal_y_px),
        principal_px=(row.principal_x_px, row.principal_y_px),
        width_px=row.width_px,
        height_px=row.height_px,
        pixel_spacing_mm=row.pixel_spacing_mm,
    )
    return TrialView(
        view=view,
        images=tuple(links.link(picture.path, picture.sha256) for picture in pictures),
        calibration=links.link(row.calibration_path, row.calibration_sha256),
        exclusions=tuple(polygon_from_text(corners) for corners in polygons.scalars()),
    )


def _body_from(row: Row[Any], links: Links, volume: VolumeLink | None) -> BodyRecord:
    return BodyRecord(
        name=row.name,
        mesh=links.link(row.mesh_path, row.mesh_sha256) if row.mesh_path else None,
        units=row.units,
        notes=tuple(json.loads(row.notes)),
        volume=volume,
    )


def _volume_row(body_id: int, volume: VolumeLink, links: Links) -> dict[str, Any]:
    mask = volume.mask
    return {
        "body_id": body_id,
        "path": links.to_stored(volume.file.path),
        "sha256": volume.file.sha256,
        "mask_path": None if mask is None else links.to_stored(mask.path),
        "mask_sha256": None if mask is None else mask.sha256,
        "voxel_values": volume.values.value,
        "series": volume.series,
        "spacing_mm": None if volume.spacing_mm is None else dumps(volume.spacing_mm),
        "flips": volume.flips,
        "labels": dumps(volume.labels),
        "threshold": None if volume.threshold is None else float(volume.threshold),
        "slope_per_mm": float(volume.slope_per_mm),
        "offset_per_mm": float(volume.offset_per_mm),
    }


def _volume_from(row: Row[Any], links: Links) -> VolumeLink:
    spacing = None if row.spacing_mm is None else tuple(map(float, json.loads(row.spacing_mm)))
    return VolumeLink(
        file=links.link(row.path, row.sha256),
        values=VoxelValues(row.voxel_values),
        series=row.series,
        spacing_mm=None if spacing is None else (spacing[0], spacing[1], spacing[2]),
        flips=row.flips,
        mask=None if row.mask_path is None else links.link(row.mask_path, row.mask_sha256 or ""),
        labels=tuple(map(int, json.loads(row.labels))),
        threshold=row.threshold,
        slope_per_mm=row.slope_per_mm,
        offset_per_mm=row.offset_per_mm,
    )


def _read_regions(
    connection: Connection, trials: Mapping[int, str], bodies: Mapping[int, str]
) -> dict[RegionKey, Region | None]:
    found = [
        Region(
            trial=trials[row.trial_id],
            plane=row.plane,
            frame=row.frame,
            body=bodies[row.body_id],
            corners_px=polygon_from_text(row.corners_px),
        )
        for row in connection.execute(select(REGIONS))
    ]
    return {region.key: region for region in found}


def _pose_row(record: PoseRecord) -> dict[str, Any]:
    pose = record.world_from_body
    numbers = (*pose.rotation.ravel().tolist(), *pose.translation_mm.tolist())
    return {
        **dict(zip((*ROTATION, *TRANSLATION), numbers, strict=True)),
        "status": record.status.value,
        "author": record.author,
        "method": record.method,
        "score": None if record.score is None else float(record.score),
        "outcome": record.outcome,
        "covariance": None if record.covariance is None else dumps(np.asarray(record.covariance).tolist()),
        "details": dumps(record.details),
        "created_at": record.created_at,
    }


def _read_poses(connection: Connection, trials: Mapping[int, str], bodies: Mapping[int, str]) -> Poses:
    ordered = select(POSES).order_by(POSES.c.trial_id, POSES.c.body_id, POSES.c.frame)
    return Poses().with_changes(
        {
            PoseKey(trials[row.trial_id], bodies[row.body_id], row.frame): _pose_from(row)
            for row in connection.execute(ordered)
        }
    )


def _pose_from(row: Row[Any]) -> PoseRecord:
    numbers = row._mapping
    return PoseRecord(
        world_from_body=Rigid(
            rotation=np.array([numbers[name] for name in ROTATION]).reshape(3, 3),
            translation_mm=np.array([numbers[name] for name in TRANSLATION]),
        ),
        status=PoseStatus(row.status),
        author=row.author,
        method=row.method,
        score=row.score,
        outcome=row.outcome,
        covariance=covariance_from_text(row.covariance),
        details=json.loads(row.details),
        created_at=row.created_at,
    )
