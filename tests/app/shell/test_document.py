"""Edits make new documents, undo restores them, and every change reaches the journal."""

import numpy as np
import pytest

from app.commands.edits import accepted, good_proposals, judged, moved_by_hand, proposed, rejected, without_poses
from app.commands.history import History
from app.presenters.candidates import NUMBER, candidates_of, next_candidate
from app.state.document import Candidate, Document, Proposal, pose_changes, region_changes
from app.state.live import LivePoses, Origin, shown_pose
from app.state.recorder import Recorder
from app.state.store import Store
from core.errors import StorageError
from core.geometry.rigid import Rigid
from core.registration.values import Outcome, Solution
from core.study.values import PoseKey, PoseRecord, PoseStatus, Region

FEMUR_3 = PoseKey("walk", "femur", 3)
FEMUR_4 = PoseKey("walk", "femur", 4)
FEMUR_6 = PoseKey("walk", "femur", 6)
TIBIA_4 = PoseKey("walk", "tibia", 4)


def at(x: float) -> Rigid:
    return Rigid(rotation=np.eye(3), translation_mm=np.array([x, 0.0, 0.0]))


def proposal(x: float, score: float = 0.9, *, trusted: bool = True) -> Proposal:
    record = PoseRecord(world_from_body=at(x), status=PoseStatus.AUTO, score=score, method="gauss-newton")
    return Proposal(record=record, view_scores=(score, score), old_pose=at(0.0), old_scores=(0.2, 0.3), trusted=trusted)


class Disk:
    """A journal that can be told to refuse."""

    def __init__(self):
        self.rows = []
        self.full = False

    def record(self, changes, *, author, action):
        if self.full:
            raise StorageError("the disk is full")
        self.rows.append((dict(changes), author, action))

    def set_regions(self, regions, *, author=""):
        if self.full:
            raise StorageError("the disk is full")
        self.rows.append(([region.corners_px for region in regions], author, "draw"))

    def remove_regions(self, keys, *, author=""):
        if self.full:
            raise StorageError("the disk is full")
        self.rows.append((list(keys), author, "remove"))


@pytest.fixture
def shop(document):
    store, disk = Store(), Disk()
    history, recorder = History(store), Recorder()
    recorder.author = "Ada"
    store.changed.connect(recorder.record)
    store.open(document)
    recorder.attach(disk)
    return store, history, recorder, disk


def test_moving_by_hand_stores_a_manual_pose_and_settles_its_proposal(document):
    waiting = proposed(document, {FEMUR_4: proposal(4.0), TIBIA_4: proposal(5.0)})
    after = moved_by_hand(waiting, {FEMUR_4: at(4.5)}, author="Ada", method="drag")
    record = after.study.poses.get(FEMUR_4)
    assert record.status is PoseStatus.MANUAL
    assert record.author == "Ada"
    assert record.created_at
    assert set(after.proposals) == {TIBIA_4}
    assert document.study.poses.get(FEMUR_4) is None


def test_accepting_keeps_how_the_pose_was_made_and_says_who_accepted_it(document):
    after = accepted(proposed(document, {FEMUR_4: proposal(4.0)}), [FEMUR_4, TIBIA_4], author="Ada")
    record = after.study.poses.get(FEMUR_4)
    assert (record.status, record.method, record.author, record.score) == (
        PoseStatus.ACCEPTED,
        "gauss-newton",
        "Ada",
        0.9,
    )
    assert not after.proposals
    assert TIBIA_4 not in after.study.poses.by_key


def test_rejecting_drops_the_proposal_and_changes_nothing_stored(document):
    after = rejected(proposed(document, {FEMUR_3: proposal(4.0)}), [FEMUR_3])
    assert not after.proposals
    assert pose_changes(document, after) == {}


def test_only_trusted_proposals_above_the_score_are_good(document):
    after = proposed(
        document,
        {
            FEMUR_6: proposal(6.0, 0.8),
            FEMUR_3: proposal(3.0, 0.7),
            FEMUR_4: proposal(4.0, 0.69),
            TIBIA_4: proposal(1.0, 0.99, trusted=False),
        },
    )
    assert good_proposals(after, "walk", 0.7) == (FEMUR_3, FEMUR_6)
    assert good_proposals(after, "run", 0.0) == ()


def test_poses_that_a_person_judged_are_known(document):
    moved = moved_by_hand(document, {FEMUR_4: at(4.0)}, author="Ada", method="drag")
    assert judged(moved, [FEMUR_3, FEMUR_4, TIBIA_4]) == (FEMUR_4,)


def test_changes_between_documents_name_what_was_stored_and_removed(document):
    after = moved_by_hand(without_poses(document, [FEMUR_3]), {FEMUR_4: at(4.0)}, author="Ada", method="drag")
    changes = pose_changes(document, after)
    assert set(changes) == {FEMUR_3, FEMUR_4}
    assert changes[FEMUR_3] is None
    assert changes[FEMUR_4].world_from_body.translation_mm[0] == 4.0


def test_undo_and_redo_restore_and_are_journalled(shop, qapp):
    store, history, _, disk = shop
    before = store.document
    history.do("Move femur", moved_by_hand(before, {FEMUR_3: at(9.0)}, author="Ada", method="drag"))
    history.undo()
    assert store.document.study.poses.get(FEMUR_3) is before.study.poses.get(FEMUR_3)
    history.redo()
    assert store.document.study.poses.get(FEMUR_3).world_from_body.translation_mm[0] == 9.0
    assert [action for _, _, action in disk.rows] == ["Move femur", "undo: Move femur", "redo: Move femur"]
    assert disk.rows[1][0][FEMUR_3].world_from_body.translation_mm[0] == 1.0
    assert {author for _, author, _ in disk.rows} == {"Ada"}


def test_undoing_an_acceptance_brings_the_proposal_back(shop, qapp):
    store, history, _, disk = shop
    history.do("Register", proposed(store.document, {FEMUR_4: proposal(4.0)}))
    assert disk.rows == []
    history.do("Accept", accepted(store.document, [FEMUR_4], author="Ada"))
    history.undo()
    assert FEMUR_4 in store.document.proposals
    assert store.document.study.poses.get(FEMUR_4) is None
    assert disk.rows[-1][0] == {FEMUR_4: None}


def test_edits_of_one_gesture_are_one_step_of_undo(shop, qapp):
    store, history, _, _ = shop
    for x in (1.5, 2.0, 2.5):
        after = moved_by_hand(store.document, {FEMUR_3: at(x)}, author="Ada", method="keys")
        history.do("Nudge femur", after, merge="nudge 1")
    after = moved_by_hand(store.document, {FEMUR_3: at(7.0)}, author="Ada", method="keys")
    history.do("Nudge femur", after, merge="nudge 2")
    history.undo()
    assert store.document.study.poses.get(FEMUR_3).world_from_body.translation_mm[0] == 2.5
    history.undo()
    assert store.document.study.poses.get(FEMUR_3).world_from_body.translation_mm[0] == 1.0
    assert not history.stack.canUndo()


def test_a_full_disk_loses_nothing_and_is_tried_again_in_order(shop, qtbot):
    store, history, recorder, disk = shop
    disk.full = True
    with qtbot.waitSignal(recorder.refused) as refusal:
        history.do("One", moved_by_hand(store.document, {FEMUR_3: at(2.0)}, author="Ada", method="drag"))
    assert "full" in refusal.args[0]
    history.do("Two", moved_by_hand(store.document, {FEMUR_3: at(3.0)}, author="Ada", method="drag"))
    assert store.document.study.poses.get(FEMUR_3).world_from_body.translation_mm[0] == 3.0
    assert recorder.behind == 2
    disk.full = False
    with qtbot.waitSignal(recorder.caught_up):
        recorder.flush()
    assert [action for _, _, action in disk.rows] == ["One", "Two"]
    assert recorder.behind == 0


@pytest.mark.parametrize(
    ("frame", "x", "origin"), [(3, 1.0, Origin.STORED), (4, 1.0, Origin.BORROWED), (5, 6.0, Origin.BORROWED)]
)
def test_a_frame_without_a_pose_shows_the_nearest_one(document, qapp, frame, x, origin):
    shown = shown_pose(document, LivePoses(), PoseKey("walk", "femur", frame), centre_mm=np.zeros(3))
    assert shown.origin is origin
    assert shown.pose.translation_mm[0] == x


def test_a_body_without_any_pose_is_placed_in_the_middle_of_every_view(document, qapp):
    centre = np.array([10.0, -20.0, 30.0])
    shown = shown_pose(document, LivePoses(), TIBIA_4, centre_mm=centre)
    assert shown.origin is Origin.PLACED
    for plane in document.study.trials[0].views:
        pixel = plane.view.project(shown.pose.apply(centre[None]))[0]
        np.testing.assert_allclose(pixel, [127.5, 127.5], atol=1e-6)


def test_what_moves_wins_over_a_proposal_and_that_over_what_is_stored(document: Document, qapp):
    live = LivePoses()
    waiting = proposed(document, {FEMUR_3: proposal(4.0)})
    shown = shown_pose(waiting, live, FEMUR_3, centre_mm=np.zeros(3))
    assert (shown.origin, shown.pose.translation_mm[0], shown.ghost.translation_mm[0]) == (Origin.PROPOSED, 4.0, 0.0)
    live.put({FEMUR_3: at(8.0)}, Origin.RUNNING)
    shown = shown_pose(waiting, live, FEMUR_3, centre_mm=np.zeros(3))
    assert (shown.origin, shown.pose.translation_mm[0], shown.ghost.translation_mm[0]) == (Origin.RUNNING, 8.0, 1.0)
    live.clear(Origin.BY_HAND)
    assert live.get(FEMUR_3) is not None
    live.clear(Origin.RUNNING)
    assert live.get(FEMUR_3) is None


REGION = Region(trial="walk", plane=1, frame=4, body="femur", corners_px=((1.0, 2.0), (30.0, 2.0), (9.0, 40.0)))


def test_a_region_is_journalled_undone_and_redone(shop):
    store, disk = shop[0], shop[3]
    history = shop[1]
    history.do("Draw", store.document.with_regions({REGION.key: REGION}))
    assert disk.rows == [([REGION.corners_px], "Ada", "draw")]
    history.undo()
    assert store.document.study.regions == ()
    assert disk.rows[-1] == ([REGION.key], "Ada", "remove")
    history.redo()
    assert store.document.study.region(*REGION.key) == REGION
    assert len(disk.rows) == 3


def test_a_region_that_the_disk_refused_is_written_later_and_once(shop):
    store, history, recorder, disk = shop
    disk.full = True
    history.do("Draw", store.document.with_regions({REGION.key: REGION}))
    assert recorder.behind == 1
    disk.full = False
    assert recorder.flush()
    assert recorder.flush()
    assert disk.rows == [([REGION.corners_px], "Ada", "draw")]


def test_poses_alone_are_no_change_of_regions(document):
    drawn = document.with_regions({REGION.key: REGION})
    moved = drawn.with_poses({FEMUR_3: None})
    assert region_changes(drawn, moved) == {}
    assert region_changes(document, moved) == {REGION.key: REGION}


def rival_solution(rivals: int) -> Solution:
    return Solution(
        poses=(at(1.0), at(2.0)),
        covariance=np.eye(12),
        outcome=Outcome.AMBIGUOUS,
        cost=0.2,
        view_scores=(0.9, 0.8),
        trace=(),
        evaluations=1,
        seconds=0.0,
        rivals=tuple((at(10.0 + k), at(20.0 + k)) for k in range(rivals)),
    )


def test_candidates_are_the_fit_and_its_rivals_without_the_certainty_of_the_fit():
    record = PoseRecord(
        world_from_body=at(2.0), status=PoseStatus.AUTO, score=0.85, covariance=np.eye(6), details={"risk": 0.02}
    )
    fit, rival = candidates_of(rival_solution(1), 1, record, [(0.88, 0.78)])
    assert fit.record.world_from_body.close_to(at(2.0))
    assert fit.record.covariance is not None
    assert rival.record.world_from_body.close_to(at(20.0))
    assert rival.record.score == pytest.approx(0.83)
    assert rival.record.covariance is None
    assert rival.record.risk is None
    assert (fit.record.details[NUMBER], rival.record.details[NUMBER]) == ("1 of 2", "2 of 2")
    assert candidates_of(rival_solution(0), 0, record, []) == ()


def ambiguous(document):
    def candidate(x):
        record = PoseRecord(world_from_body=at(x), status=PoseStatus.AUTO, score=0.8)
        return Candidate(record=record, view_scores=(0.8, x))

    def offered(x):
        ones = tuple(candidate(x + k) for k in range(3))
        return Proposal(
            record=ones[0].record,
            view_scores=ones[0].view_scores,
            old_pose=at(0.0),
            old_scores=(),
            trusted=False,
            candidates=ones,
        )

    return proposed(document, {FEMUR_4: offered(10.0), TIBIA_4: offered(20.0)})


def test_stepping_through_candidates_moves_all_bodies_together_and_comes_round(document):
    waiting = ambiguous(document)
    second = next_candidate(waiting, [FEMUR_4, TIBIA_4], 1)
    shown = shown_pose(second, LivePoses(), FEMUR_4, centre_mm=np.zeros(3))
    assert shown.pose.close_to(at(11.0))
    assert shown.ghost is None
    assert [round(pose.translation_mm[0]) for pose in shown.others] == [10, 12]
    assert second.proposals[TIBIA_4].record.world_from_body.close_to(at(21.0))
    last = next_candidate(waiting, [FEMUR_4, TIBIA_4], -1)
    assert last.proposals[FEMUR_4].view_scores == (0.8, 12.0)
    assert next_candidate(last, [FEMUR_4], 1).proposals[FEMUR_4].chosen == 0
    assert next_candidate(document, [], 1) is None


def test_accepting_takes_the_candidate_that_is_shown(document):
    second = next_candidate(ambiguous(document), [FEMUR_4, TIBIA_4], 1)
    stored = accepted(second, [FEMUR_4], author="Ada").study.poses.get(FEMUR_4)
    assert stored.world_from_body.close_to(at(11.0))
    assert stored.status is PoseStatus.ACCEPTED


def test_a_proposal_above_the_risk_is_not_accepted_with_the_others(document):
    def risky(x, risk):
        record = PoseRecord(world_from_body=at(x), status=PoseStatus.AUTO, score=0.9, details={"risk": risk})
        return Proposal(record=record, view_scores=(0.9,), old_pose=at(0.0), old_scores=(), trusted=True)

    waiting = proposed(document, {FEMUR_3: risky(3.0, 0.05), FEMUR_4: risky(4.0, 0.3), TIBIA_4: proposal(5.0)})
    assert good_proposals(waiting, "walk", 0.7, 0.1) == (FEMUR_3, TIBIA_4)
    assert good_proposals(waiting, "walk", 0.7) == (FEMUR_3, FEMUR_4, TIBIA_4)
