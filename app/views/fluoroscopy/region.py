"""A polygon while it is being clicked."""

from typing import final

Pixel = tuple[float, float]


@final
class RegionDrawing:
    """Corners so far, and where the next one would be."""

    def __init__(self) -> None:
        self.corners: list[Pixel] = []
        self.end: Pixel | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it has an area: three corners, not all on one line."""
        return len(self.corners) >= 3 and abs(self._doubled_area()) > 1e-6

    def add(self, corner: Pixel) -> None:
        """Another corner; the same place twice counts once."""
        if not self.corners or self.corners[-1] != corner:
            self.corners.append(corner)

    def remove_last(self) -> None:
        """One corner back."""
        self.corners.pop()

    def hover(self, at: Pixel) -> None:
        """Where the next corner would be."""
        self.end = at

    def closes(self, at: Pixel, reach_px: float) -> bool:
        """Whether a click here is one on the first corner of a complete region."""
        if not self.is_complete:
            return False
        (u, v), (first_u, first_v) = at, self.corners[0]
        return (u - first_u) ** 2 + (v - first_v) ** 2 <= reach_px**2

    def _doubled_area(self) -> float:
        onward = self.corners[1:] + self.corners[:1]
        return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(self.corners, onward, strict=True))
