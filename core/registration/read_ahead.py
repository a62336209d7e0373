"""The pictures of the next frames, read and prepared by other threads while a frame is registered."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, final

from core.registration.level import shrink_factor
from core.registration.pictures import Pictures
from core.registration.recipe import Recipe
from core.registration.values import Shot

ShotsOf = Callable[[int], tuple[Shot, ...]]


@final
class ReadAhead:
    """Answers as ``shots_of`` does, frame after frame in their order; with one worker it only passes the question on.

    As many frames wait prepared as there are workers besides the caller, so memory stays flat. What is prepared is
    a function of the pictures alone: results do not depend on the number of workers. A picture that cannot be read
    raises when its frame is asked for.
    """

    def __init__(self, shots_of: ShotsOf, frames: Sequence[int], recipe: Recipe, workers: int) -> None:
        self._shots_of = shots_of
        self._frames = frames
        self._recipe = recipe
        self._pool = ThreadPoolExecutor(workers - 1, "read-ahead") if workers > 1 else None
        self._depth = workers - 1
        self._waiting: deque[Future[tuple[Shot, ...]]] = deque()
        self._begun = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._waiting.clear()

    def __call__(self, frame: int) -> tuple[Shot, ...]:
        """The shots of the next frame.

        Raises:
            ImageError: a picture is missing or damaged.
        """
        if self._pool is None:
            return self._shots_of(frame)
        self._begin(1 + self._depth)
        shots = self._waiting.popleft().result()
        self._begin(self._depth)
        return shots

    def _begin(self, count: int) -> None:
        while self._pool is not None and len(self._waiting) < count and self._begun < len(self._frames):
            self._waiting.append(self._pool.submit(self._prepared, self._frames[self._begun]))
            self._begun += 1

    def _prepared(self, frame: int) -> tuple[Shot, ...]:
        shots = self._shots_of(frame)
        for shot in shots:
            pictures = Pictures.of(shot)
            for stage in self._recipe.stages:
                pictures.mean_of_blocks(shrink_factor(shot.view, stage.picture_px))
        return shots
