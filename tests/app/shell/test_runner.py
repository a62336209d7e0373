"""The runner: progress, prompt cancelling, the newest job wins, errors are told."""

import threading
import time

import pytest

from app.workers.newest import Newest
from app.workers.runner import Runner
from app.workers.time_left import TimeLeft
from core.errors import RegistrationError


@pytest.fixture
def runner(qapp):
    made = Runner()
    yield made
    made.close()


def counting(limit, pause=0.0):
    def work():
        for index in range(limit):
            time.sleep(pause)
            yield index
        return "end"

    return work


def test_a_job_reports_and_returns(runner, qtbot):
    reports = []
    runner.reported.connect(reports.append)
    with qtbot.waitSignal(runner.finished) as finished:
        runner.start("count", counting(5), keep=lambda _report: True)
        assert runner.busy
    assert finished.args == ["end"]
    assert reports == [0, 1, 2, 3, 4]
    assert not runner.busy


def test_reports_come_at_most_ten_times_a_second_and_none_that_is_kept_is_lost(runner, qtbot):
    reports = []
    runner.reported.connect(reports.append)
    began = time.monotonic()
    with qtbot.waitSignal(runner.finished):
        runner.start("count", counting(300, 0.001), keep=lambda report: report % 100 == 7)
    most = (time.monotonic() - began) * 10 + 2 + 3
    assert len(reports) <= most
    assert {7, 107, 207} <= set(reports)


def test_cancelling_is_heard_at_once_and_the_job_is_closed(runner, qtbot):
    closed = threading.Event()

    def work():
        try:
            while True:
                time.sleep(0.01)
                yield 1
        finally:
            closed.set()

    answers = []
    runner.finished.connect(answers.append)
    with qtbot.waitSignal(runner.reported):
        runner.start("endless", work)
    began = time.monotonic()
    with qtbot.waitSignal(runner.cancelled, timeout=1000):
        runner.cancel()
    assert time.monotonic() - began < 0.05
    assert not runner.busy
    assert closed.wait(1.0)
    qtbot.wait(50)
    assert answers == []


def test_the_newest_job_wins(runner, qtbot):
    results = []
    runner.finished.connect(results.append)
    slow = threading.Event()

    def old():
        yield 0
        slow.wait(1.0)
        return "old"

    def new():
        yield 0
        return "new"

    runner.start("old", old)
    with qtbot.waitSignal(runner.finished):
        runner.start("new", new)
    slow.set()
    qtbot.wait(100)
    assert results == ["new"]


def test_an_error_for_people_is_told(runner, qtbot):
    def work():
        yield 0
        raise RegistrationError("no pictures")

    with qtbot.waitSignal(runner.failed) as failed:
        runner.start("failing", work)
    assert str(failed.args[0]) == "no pictures"
    assert not runner.busy


def test_an_unforeseen_error_is_told_and_still_reaches_the_log(runner, qtbot):
    def work():
        yield 0
        raise ZeroDivisionError("oops")

    with qtbot.captureExceptions() as caught:
        with qtbot.waitSignal(runner.failed) as failed:
            runner.start("failing", work)
        qtbot.waitUntil(lambda: len(caught) == 1)
    assert isinstance(failed.args[0], ZeroDivisionError)
    assert caught[0][0] is ZeroDivisionError


def test_closing_waits_for_running_threads(qapp):
    made = Runner()
    ended = threading.Event()

    def work():
        try:
            while True:
                time.sleep(0.02)
                yield 0
        finally:
            ended.set()

    made.start("endless", work)
    time.sleep(0.1)
    made.close()
    assert ended.is_set()


def test_only_the_newest_question_is_answered(qtbot):
    newest = Newest()
    gate, asked, answers = threading.Event(), [], []
    newest.answered.connect(answers.append)

    def question(name):
        def ask():
            asked.append(name)
            gate.wait(2.0)
            return name

        return ask

    newest.ask(question(0))
    qtbot.waitUntil(lambda: asked == [0])
    for name in range(1, 6):
        newest.ask(question(name))
    assert newest.waiting
    gate.set()
    qtbot.waitUntil(lambda: 5 in answers)
    assert asked == [0, 5]
    assert not newest.waiting
    newest.close()


def test_a_question_that_fails_does_not_end_the_answering(qtbot):
    newest = Newest()

    def wrong():
        raise RegistrationError("no")

    with qtbot.waitSignal(newest.refused):
        newest.ask(wrong)
    with qtbot.waitSignal(newest.answered) as answer:
        newest.ask(lambda: 42)
    assert answer.args == [42]
    newest.close()


def test_the_time_left_follows_from_the_share_done():
    clock = [100.0]
    left = TimeLeft(lambda: clock[0])
    assert left.words(0.5) == ""
    clock[0] = 110.0
    assert left.seconds(0.25) == pytest.approx(30.0)
    assert left.words(0.25) == "about 30 s left"
    assert left.seconds(0.0) is None
