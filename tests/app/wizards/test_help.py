"""The first-minute card, the keys, the recovery offer, the log."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QToolButton, QWidget

from app.commands.actions import ACTIONS, MOUSE
from app.views.panels import ActionHint
from app.wizards.first_minute import FirstMinute, Stage
from app.wizards.help import WindowHelp, about_text, log_dialog
from app.wizards.recovery import RecoveryOffer, Remains, ask_recovery, look_into, sentence_of
from app.wizards.shortcut_overlay import ShortcutOverlay, groups_of
from core.io.study import StudyFile

HINTS = {a.id: ActionHint(label=a.label, keys=a.keys[0] if a.keys else "", tip=a.tip) for a in ACTIONS}


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    with qtbot.waitExposed(window):
        window.show()
    return window


@pytest.fixture
def card(window, preferences):
    card = FirstMinute(preferences, window)
    card.set_hints(HINTS)
    card.set_body("femur")
    return card


def texts(widget):
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def button(widget, text):
    return next(b for b in widget.findChildren(QPushButton) if b.text() == text)


def close(card, qtbot):
    cross = next(b for b in card.findChildren(QToolButton) if b.accessibleName() == "close")
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)


def test_the_card_says_drag_or_press_the_key(card, qtbot):
    card.offer()
    assert "the femur" in texts(card)
    assert "<b>R</b>" in texts(card)
    with qtbot.waitSignal(card.action_requested) as asked:
        qtbot.mouseClick(button(card, "Register this frame"), Qt.MouseButton.LeftButton)
    assert asked.args == ["register.frame"]


def test_after_the_first_registration_it_offers_what_comes_next(card, qtbot):
    card.offer()
    card.registered()
    assert card.stage is Stage.REGISTERED
    assert not button(card, "Register this frame").isVisible()
    with qtbot.waitSignal(card.action_requested) as asked:
        qtbot.mouseClick(button(card, "Track on"), Qt.MouseButton.LeftButton)
    assert asked.args == ["register.track"]
    assert button(card, "Play").isVisible()


def test_once_closed_it_never_comes_back_by_itself(card, window, preferences, qtbot):
    card.offer()
    with qtbot.waitSignal(card.closed):
        close(card, qtbot)
    card.offer()
    assert not card.isVisible()
    later = FirstMinute(preferences, window)
    later.offer()
    assert not later.isVisible()
    later.offer(again=True)
    assert later.isVisible()


def test_the_card_stays_in_the_corner_and_inside(card, window):
    card.offer()
    for width, height in ((1280, 800), (700, 500), (1600, 1000)):
        window.resize(width, height)
        QApplication.processEvents()
        assert window.rect().contains(card.geometry())
        assert card.x() < 40
        assert window.height() - card.geometry().bottom() < 40
        for label in card.findChildren(QLabel):
            assert label.height() >= label.heightForWidth(label.width()) or not label.isVisible()


def test_every_action_with_a_key_is_listed_with_all_its_keys():
    groups = groups_of(ACTIONS, MOUSE)
    listed = [line for group in groups for line in group.lines]
    assert len(listed) == len(MOUSE) + sum(1 for action in ACTIONS if action.keys)
    assert ("Redo", "Ctrl+Shift+Z  or  Ctrl+Y") in listed
    assert [group.title for group in groups][:3] == ["Mouse", "File", "Edit"]


@pytest.fixture
def overlay(window):
    overlay = ShortcutOverlay(groups_of(ACTIONS, MOUSE), window)
    overlay.toggle()
    return overlay


def test_f1_again_esc_and_a_click_beside_put_the_keys_away(overlay, qtbot):
    overlay.toggle()
    assert not overlay.isVisible()
    for away in (Qt.Key.Key_Escape, Qt.Key.Key_F1):
        overlay.toggle()
        QTest.keyClick(overlay.search, away)
        assert not overlay.isVisible()
    overlay.toggle()
    qtbot.mouseClick(overlay, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert not overlay.isVisible()


def test_typing_finds_an_action_by_name_or_key(overlay):
    QTest.keyClicks(overlay.search, "mirror")
    assert overlay.lines_shown() == (("Mirror pose", "M"),)
    overlay.search.clear()
    QTest.keyClicks(overlay.search, "ctrl+shift+s")
    assert overlay.lines_shown() == (("Save study as", "Ctrl+Shift+S"),)
    overlay.search.setText("nothing like this")
    assert overlay.lines_shown() == ()
    assert "Nothing is called that" in texts(overlay)


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (800, 600)])
def test_the_keys_fit_into_the_window(overlay, window, size):
    window.resize(*size)
    QApplication.processEvents()
    assert overlay.size() == window.size()
    assert window.rect().contains(overlay._card.geometry())
    inner = overlay._scroll.widget()
    assert inner.width() <= overlay._scroll.viewport().width()


def test_help_shows_keys_and_brings_the_card_back(window, card, qtbot):
    card.offer()
    close(card, qtbot)
    help_ = WindowHelp(window, ACTIONS, MOUSE, card)
    help_.show_first_minute()
    assert card.isVisible()
    help_.show_shortcuts()
    assert help_.overlay.isVisible()
    assert "Duoscope" in about_text()


def test_the_log_shows_its_end_or_says_that_there_is_none(qtbot, tmp_path):
    log = tmp_path / "duoscope.log"
    for expected in ("Nothing has been written", "last line"):
        dialog = log_dialog(None, log)
        qtbot.addWidget(dialog)
        assert expected in dialog.findChild(QPlainTextEdit).toPlainText()
        log.write_text("first line\nlast line\n")


def remains(tmp_path):
    return Remains(
        path=tmp_path / "knee.study",
        name="Knee 7",
        poses=112,
        last_action="Accept femur in frame 31",
        last_at="2026-03-02T10:12:00+00:00",
        author="Ada",
    )


def test_the_offer_says_what_is_safe(tmp_path):
    said = sentence_of(remains(tmp_path))
    for part in ("Knee 7", "112 poses", "Accept femur in frame 31", "Ada", "2026"):
        assert part in said
    bare = sentence_of(Remains(path=tmp_path, name="Knee 7", poses=0))
    assert "last step was" not in bare


@pytest.mark.parametrize(("answer", "signal"), [("go_on", "accepted"), ("not_now", "rejected")])
def test_the_offer_has_two_answers(qtbot, tmp_path, answer, signal):
    offer = RecoveryOffer(remains(tmp_path))
    qtbot.addWidget(offer)
    offer.show()
    with qtbot.waitSignal(getattr(offer, signal)):
        qtbot.mouseClick(getattr(offer, answer), Qt.MouseButton.LeftButton)


def test_looking_into_a_study_changes_nothing(tmp_path):
    path = tmp_path / "knee.study"
    StudyFile.create(path, "Knee 7", author="Ada").close()
    before = sorted((file.name, file.stat().st_size) for file in path.iterdir() if file.suffix == ".sqlite")
    found = look_into(path)
    assert found.name == "Knee 7"
    assert found.poses == 0
    assert found.author == "Ada"
    after = sorted((file.name, file.stat().st_size) for file in path.iterdir() if file.suffix == ".sqlite")
    assert after == before


def test_a_study_that_another_window_has_open_is_not_offered(tmp_path, monkeypatch):
    monkeypatch.setattr(RecoveryOffer, "exec", lambda _self: pytest.fail("asked all the same"))
    with StudyFile.create(tmp_path / "knee.study", "Knee 7"):
        assert ask_recovery(None, tmp_path / "knee.study") is False


def test_a_study_that_was_left_is_offered_and_not_changed(tmp_path, monkeypatch):
    StudyFile.create(tmp_path / "knee.study", "Knee 7").close()
    monkeypatch.setattr(RecoveryOffer, "exec", lambda _self: 1)
    assert ask_recovery(None, tmp_path / "knee.study") is True
    with StudyFile.open(tmp_path / "knee.study") as study:
        assert study.study.name == "Knee 7"


def test_a_study_that_cannot_be_read_is_not_offered(tmp_path):
    assert ask_recovery(None, tmp_path / "gone.study") is False
