"""The scene drawn without a window: right size, right place, right way up."""

from dataclasses import replace

import numpy as np
import pytest

from app.views.scene import SceneBody, SceneEllipsoid, SceneUnavailableError, render_scene_image
from app.views.scene.image import body_corners_mm, centre_mm, plane_shapes
from app.views.scene.rig import preset_viewpoint
from app.views.scene.stage import Stage
from core.errors import DuoscopeError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from tests.real_data import REAL, needs_real_data

from .scene_samples import bodies, cameras, picture, poses

TRIAD_PX = 95
"""The lower left corner, where the red arrow of the world's x axis stands."""


def red(image):
    """Where the image is clearly red (the femur of the samples)."""
    r, g, b = np.moveaxis(image[..., :3].astype(int), -1, 0)
    found = (r > 60) & (r > 2 * g) & (r > 2 * b)
    found[-TRIAD_PX:, :TRIAD_PX] = False
    return found


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.close()


@pytest.mark.parametrize("size", [(640, 480), (333, 257), (1, 1)])
def test_the_picture_has_exactly_the_size_asked_for(size):
    image = render_scene_image(cameras(), [picture(), None], bodies(), poses(), *size)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8


def test_an_impossible_size_is_refused_in_words():
    with pytest.raises(DuoscopeError, match="1 to 16384"):
        render_scene_image(cameras(), [], bodies(), poses(), 0, 100)


def test_nothing_at_all_can_be_drawn():
    assert np.ptp(render_scene_image([], [], [], {}, 200, 150)) > 0


@pytest.mark.parametrize("preset", ["A", "B"])
def test_from_the_source_bodies_lie_where_the_view_projects_them(preset):
    one = cameras()["AB".index(preset)]
    size = (900, 720)
    image = render_scene_image(cameras(), [None, None], bodies()[:1], poses(), *size, preset=preset)
    rows, columns = np.nonzero(red(image))
    femur = bodies()[0].mesh
    world = poses()["femur"].apply(femur.vertices_mm)
    # the picture's corners on the screen give the scale and shift from pixels to the screen
    viewpoint = preset_viewpoint(preset, cameras(), body_corners_mm(bodies()[:1], poses()), size)
    corners = viewpoint.project(one.view.corners_world_mm(1000.0), size)
    scale = (corners[1, 0] - corners[0, 0]) / one.view.width_px
    expected = (one.view.project(world) + 0.5) * scale + corners[0]
    assert columns.min() == pytest.approx(expected[:, 0].min(), abs=2)
    assert columns.max() == pytest.approx(expected[:, 0].max(), abs=2)
    assert rows.min() == pytest.approx(expected[:, 1].min(), abs=2)
    assert rows.max() == pytest.approx(expected[:, 1].max(), abs=2)


def test_pictures_hang_the_right_way_round():
    quarters = np.zeros((400, 512), dtype=np.uint8)
    quarters[:200, :256] = 250
    quarters[:200, 256:] = 170
    quarters[200:, :256] = 90
    image = render_scene_image(cameras()[:1], [quarters], [], {}, 512, 400, preset="A")
    seen = [int(image[v, u].mean()) for v, u in ((100, 128), (100, 384), (300, 128), (300, 384))]
    assert seen == pytest.approx([250, 170, 90, 0], abs=4)


def test_large_pictures_are_averaged_not_sampled(stage):
    stripes = np.zeros((2048, 2048), dtype=np.uint8)
    stripes[::2] = 200
    stage.set_planes(plane_shapes(cameras()[:1], np.zeros(3)))
    stage.set_pictures([stripes])
    viewpoint = preset_viewpoint("A", cameras()[:1], np.zeros((0, 3)), (400, 320))
    assert stage.render(viewpoint, 400, 320)[160, 200, :3] == pytest.approx(np.full(3, 100), abs=3)


def test_a_new_picture_replaces_the_old_without_building_the_scene_again(stage):
    stage.set_planes(plane_shapes(cameras()[:1], np.zeros(3)))
    viewpoint = preset_viewpoint("A", cameras()[:1], np.zeros((0, 3)), (400, 320))
    seen = []
    for shown in (picture(60), picture(200), picture(30)[:300, :300], None, picture(120)):
        stage.set_pictures([shown])
        seen.append(int(stage.render(viewpoint, 400, 320)[160, 200, 0]))
    assert seen[:3] == pytest.approx([60, 200, 30], abs=2)
    assert seen[3] == pytest.approx(0x33, abs=2)
    assert seen[4] == pytest.approx(120, abs=2)


def test_a_plane_seen_from_behind_lets_the_bodies_through(stage):
    one = cameras()[0]
    stage.set_planes(plane_shapes([one], np.zeros(3)))
    stage.set_pictures([picture(255)])
    stage.set_bodies(bodies()[:1])
    stage.set_poses(poses())
    front = preset_viewpoint("A", [one], np.zeros((0, 3)), (400, 320))
    behind = replace(front, world_from_eye=front.world_from_eye @ np.diag([-1.0, 1, -1]), distance_mm=2500.0)
    image = stage.render(behind, 400, 320)
    assert (stage.render(front, 400, 320)[..., :3].min(axis=-1) > 250).mean() > 0.3
    assert (image[..., :3].min(axis=-1) > 200).sum() < 20
    r, g, _ = np.moveaxis(image[..., :3].astype(int), -1, 0)
    assert (r > g + 30).sum() > 100


def test_bodies_move_hide_and_go(stage):
    stage.set_bodies(bodies())
    size = (300, 240)
    viewpoint = preset_viewpoint("front", cameras(), body_corners_mm(bodies(), poses()), size)
    stage.set_poses(poses())
    here = red(stage.render(viewpoint, *size))
    assert here.sum() > 500
    stage.set_poses({**poses(), "femur": poses()["femur"].shifted(10.0 * viewpoint.right)})
    moved = red(stage.render(viewpoint, *size))
    assert np.nonzero(moved)[1].mean() > np.nonzero(here)[1].mean() + 10
    stage.set_poses({"tibia": poses()["tibia"]})
    assert red(stage.render(viewpoint, *size)).sum() == 0
    stage.set_poses(poses())
    stage.set_bodies([replace(bodies()[0], visible=False), bodies()[1]])
    assert red(stage.render(viewpoint, *size)).sum() == 0
    stage.set_bodies(bodies()[1:])
    assert red(stage.render(viewpoint, *size)).sum() == 0
    stage.set_bodies(bodies())
    stage.set_poses(poses())
    assert red(stage.render(viewpoint, *size)).sum() == pytest.approx(here.sum(), rel=0.02)


def test_a_selected_body_gets_a_rim_and_a_ghost_is_pale(stage):
    size = (300, 240)
    femur = bodies()[0]
    viewpoint = preset_viewpoint("front", cameras(), body_corners_mm([femur], poses()), size)

    def look(body):
        stage.set_bodies([body])
        stage.set_poses(poses())
        return stage.render(viewpoint, *size)[..., :3].astype(int)

    plain, selected, ghost = look(femur), look(replace(femur, selected=True)), look(replace(femur, ghost=True))
    assert (plain.min(axis=-1) > 240).sum() < 40
    assert (selected.min(axis=-1) > 240).sum() > 300
    middle = ghost[100:140, 130:170, 0].mean(), plain[100:140, 130:170, 0].mean()
    assert 40 < middle[0] < 0.7 * middle[1]


def dense_sphere(count=160):
    """A sphere of 2 * count * (count - 1) triangles."""
    polar = np.linspace(0, np.pi, count + 1)[1:-1]
    around = np.linspace(0, 2 * np.pi, count, endpoint=False)
    ring = np.stack(
        [
            np.outer(np.sin(polar), np.cos(around)),
            np.outer(np.sin(polar), np.sin(around)),
            np.outer(np.cos(polar), np.ones(count)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    rows, columns = np.meshgrid(np.arange(count - 2), np.arange(count), indexing="ij")
    a = (rows * count + columns).ravel()
    b = (rows * count + (columns + 1) % count).ravel()
    faces = np.concatenate([np.stack([a, a + count, b], 1), np.stack([b, a + count, b + count], 1)])
    return TriangleMesh(vertices_mm=30 * ring, faces=faces)


def test_the_coarse_surface_looks_like_the_fine_one(stage):
    body = SceneBody(name="femur", mesh=dense_sphere(), colour="#ff0000")
    here = {"femur": Rigid.identity()}
    stage.set_bodies([body])
    stage.set_poses(here)
    viewpoint = preset_viewpoint("front", cameras(), body_corners_mm([body], here), (300, 300))
    fine, coarse = (stage.render(viewpoint, 300, 300, moving=moving)[..., :3] for moving in (False, True))
    assert (red(fine) != red(coarse)).mean() < 0.01
    assert np.abs(fine.astype(int) - coarse).mean() < 4


def test_less_resolution_is_the_same_picture_smaller(stage):
    stage.set_bodies(bodies())
    stage.set_poses(poses())
    viewpoint = preset_viewpoint("front", cameras(), body_corners_mm(bodies(), poses()), (400, 300))
    full, half = stage.render(viewpoint, 400, 300), stage.render(viewpoint, 400, 300, scale=0.5)
    assert half.shape == (150, 200, 4)
    small = full.reshape(150, 2, 200, 2, 4).astype(float).mean(axis=(1, 3))
    assert np.abs(small[30:, 60:] - half[30:, 60:]).mean() < 4


def test_an_ellipsoid_is_as_large_as_its_deviations_say(stage):
    spread = SceneEllipsoid(centre_world_mm=np.zeros(3), covariance_mm2=np.diag([4.0, 25.0, 100.0]), colour="#ff0000")
    stage.set_ellipsoids([spread])
    corners = np.array([[-50.0, -50, -50], [50, 50, 50]])
    viewpoint = preset_viewpoint("front", cameras()[:1], corners, (400, 400))
    image = stage.render(viewpoint, 400, 400)[..., :3].astype(int)
    image[-TRIAD_PX:, :TRIAD_PX] = 0
    rows, columns = np.nonzero(image[..., 0] > image[..., 2] + 40)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    mm_per_px = viewpoint.mm_per_px(np.zeros(3), (400, 400))
    assert tall * mm_per_px == pytest.approx(40, abs=2)
    assert wide * mm_per_px == pytest.approx(20, abs=2)
    stage.set_ellipsoids([])
    assert (stage.render(viewpoint, 400, 400)[..., 0].astype(int) > 150).sum() < 200


def test_light_and_dark_backgrounds(stage):
    viewpoint = preset_viewpoint("fit", cameras(), np.zeros((0, 3)), (200, 150))
    stage.set_background(dark=True)
    dark = stage.render(viewpoint, 200, 150)[..., :3].mean()
    stage.set_background(dark=False)
    assert stage.render(viewpoint, 200, 150)[..., :3].mean() > dark + 150


def test_the_triad_is_drawn_in_the_lower_left_corner(stage):
    viewpoint = preset_viewpoint("fit", cameras(), np.zeros((0, 3)), (400, 300))
    corner = stage.render(viewpoint, 400, 300)[-92:, :92, :3].astype(int)
    saturation = corner.max(axis=-1) - corner.min(axis=-1)
    assert (saturation > 60).sum() > 150


def test_vtk_says_nothing_on_the_terminal(capfd):
    Stage().close()
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""


def test_without_opengl_a_clear_error_is_raised(monkeypatch):
    monkeypatch.setattr("app.views.scene.stage.window.offers_opengl", lambda _: False)
    with pytest.raises(SceneUnavailableError, match=r"OpenGL 3\.2"):
        Stage()


@needs_real_data
def test_the_real_knee_is_drawn():
    trimesh = pytest.importorskip("trimesh")
    loaded = trimesh.load(REAL / "biplane_tka" / "models" / "femur0.stl")
    femur = SceneBody(
        name="femur", mesh=TriangleMesh(vertices_mm=loaded.vertices, faces=loaded.faces), colour="#ff0000"
    )
    here = {"femur": Rigid(rotation=np.eye(3), translation_mm=-femur.mesh.centre_mm)}
    assert centre_mm(body_corners_mm([femur], here)) == pytest.approx(np.zeros(3), abs=1e-6)
    image = render_scene_image(cameras(), [picture(), picture()], [femur], here, 400, 300, preset="model")
    assert red(image).mean() > 0.1
