"""Several generators of reports run at the same time, each in a thread of its own."""

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, final

Report = TypeVar("Report")
Result = TypeVar("Result")

_PATIENCE_S = 0.05
"""How soon a thread whose reports nobody takes notices that it is to stop."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Said(Generic[Report, Result]):
    """A report of one of the generators, or how it ended."""

    index: int
    report: Report | None = None
    result: Result | None = None
    fault: BaseException | None = None
    over: bool = False


def together(
    works: Sequence[Callable[[], Generator[Report, None, Result]]],
) -> Generator[tuple[int, Report], None, tuple[Result | None, ...]]:
    """Run generators side by side; yields (which, report) as they come and returns their results in order.

    Each is made, run and closed in its own thread and waits while its last report is not taken, so a slow listener
    holds all of them. Closing this generator stops them at their next report. The first exception of one stops the
    others and is raised here.
    """
    said: queue.Queue[_Said[Report, Result]] = queue.Queue(maxsize=1)
    stop = threading.Event()
    threads = [
        threading.Thread(target=_run, args=(index, work, said, stop), name=f"together-{index}", daemon=True)
        for index, work in enumerate(works)
    ]
    results: list[Result | None] = [None] * len(works)
    try:
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            now = said.get()
            if now.fault is not None:
                raise now.fault
            if now.over:
                results[now.index] = now.result
                running -= 1
            elif now.report is not None:
                yield now.index, now.report
    finally:
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    return tuple(results)


def _run(
    index: int,
    work: Callable[[], Generator[Report, None, Result]],
    said: "queue.Queue[_Said[Report, Result]]",
    stop: threading.Event,
) -> None:
    try:
        generator = work()
        try:
            while not stop.is_set():
                try:
                    report = next(generator)
                except StopIteration as end:
                    _say(_Said(index=index, result=end.value, over=True), said, stop)
                    return
                _say(_Said(index=index, report=report), said, stop)
        finally:
            generator.close()
    except BaseException as fault:  # noqa: BLE001 - it is raised again by who listens
        _say(_Said(index=index, fault=fault), said, stop)


def _say(what: "_Said[Report, Result]", said: "queue.Queue[_Said[Report, Result]]", stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            said.put(what, timeout=_PATIENCE_S)
        except queue.Full:
            continue
        return
