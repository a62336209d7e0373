"""The tables of the newest schema, for queries; migrations.py is what makes them."""

from sqlalchemy import Column, Float, Integer, MetaData, Table, Text

METADATA = MetaData()

META = Table("meta", METADATA, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("opened_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("author", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("process", Integer, nullable=False),
)

TRIALS = Table(
    "trials",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("world_frame", Text, nullable=False),
)

FRAMES = Table(
    "frames",
    METADATA,
    Column("trial_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)

PLANES = Table(
    "planes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("trial_id", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("camera_from_world", Text, nullable=False),
    Column("focal_x_px", Float, nullable=False),
    Column("focal_y_px", Float, nullable=False),
    Column("principal_x_px", Float, nullable=False),
    Column("principal_y_px", Float, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("pixel_spacing_mm", Float),
    Column("calibration_path", Text, nullable=False),
    Column("calibration_sha256", Text, nullable=False),
)

PICTURES = Table(
    "pictures",
    METADATA,
    Column("plane_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False),
)

EXCLUSIONS = Table(
    "exclusions",
    METADATA,
    Column("plane_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("corners_px", Text, nullable=False),
)

BODIES = Table(
    "bodies",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("mesh_path", Text, nullable=False),
    Column("mesh_sha256", Text, nullable=False),
    Column("units", Text, nullable=False),
    Column("notes", Text, nullable=False),
)

VOLUMES = Table(
    "volumes",
    METADATA,
    Column("body_id", Integer, primary_key=True),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("mask_path", Text),
    Column("mask_sha256", Text),
    Column("voxel_values", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("spacing_mm", Text),
    Column("flips", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("threshold", Float),
    Column("slope_per_mm", Float, nullable=False),
    Column("offset_per_mm", Float, nullable=False),
)

REGIONS = Table(
    "regions",
    METADATA,
    Column("trial_id", Integer, primary_key=True),
    Column("plane", Integer, primary_key=True),
    Column("frame", Integer, primary_key=True),
    Column("body_id", Integer, primary_key=True),
    Column("corners_px", Text, nullable=False),
)

ROTATION = tuple(f"r{row}{column}" for row in range(3) for column in range(3))
TRANSLATION = ("tx_mm", "ty_mm", "tz_mm")

POSES = Table(
    "poses",
    METADATA,
    Column("trial_id", Integer, primary_key=True),
    Column("body_id", Integer, primary_key=True),
    Column("frame", Integer, primary_key=True),
    *(Column(name, Float, nullable=False) for name in (*ROTATION, *TRANSLATION)),
    Column("status", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("score", Float),
    Column("outcome", Text, nullable=False),
    Column("covariance", Text),
    Column("details", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("session_id", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("calibration", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("trial", Text),
    Column("body", Text),
    Column("frame", Integer),
    Column("before", Text),
    Column("after", Text),
)
