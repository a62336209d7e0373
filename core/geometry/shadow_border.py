"""The border of what closed loops cover: the pieces of their edges that have the outside on one side.

Loops of a silhouette cross each other and run through the shadow's inside. Each edge is cut where others cross it,
and a piece is on the border when the winding number just beside it is zero on exactly one side. Edges are sorted
into rows, so that only those that can meet are compared.
"""

from collections.abc import Sequence

import numba as nb
import numpy as np
from jaxtyping import Float

_BESIDE_PX = 1e-5
"""How far beside a piece the winding number is asked for."""
_SHORTEST = 1e-9
"""Pieces shorter than this share of their edge are dropped."""


def shadow_border(loops_px: Sequence[Float[np.ndarray, "k 2"]]) -> Float[np.ndarray, "n 2 2"]:
    """Directed segments (start, end) of the border of the loops' nonzero-winding fill, in the loops' order.

    About a millisecond for 1500 edges.
    """
    loops = [loop for loop in loops_px if len(loop) > 1]
    if not loops:
        return np.empty((0, 2, 2))
    start = np.concatenate(loops)
    lasts = np.cumsum([len(loop) for loop in loops]) - 1
    onward = np.arange(1, len(start) + 1)
    onward[lasts] = np.concatenate([[0], lasts[:-1] + 1])
    end = start[onward]
    top, height = float(start[:, 1].min()), float(np.ptp(start[:, 1]))
    if height == 0.0:
        return np.empty((0, 2, 2))
    rows = int(np.clip(len(start) // 4, 8, 1024))
    first, last = (_row(bound(start[:, 1], end[:, 1]), top, height, rows) for bound in (np.minimum, np.maximum))
    members, begins = _sorted_into_rows(first, last, rows)
    edges = np.concatenate([start, end], axis=1)
    return np.asarray(_border(edges, first, last, members, edges[members], begins, top, height))


def _row(y: Float[np.ndarray, " n"], top: float, height: float, rows: int) -> np.ndarray:
    return np.clip(((y - top) * (rows / height)).astype(np.int64), 0, rows - 1)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _sorted_into_rows(first: np.ndarray, last: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    begins = np.zeros(rows + 1, dtype=np.int64)
    for i in range(len(first)):
        for row in range(first[i], last[i] + 1):
            begins[row + 1] += 1
    begins = np.cumsum(begins)
    members, filled = np.empty(begins[-1], dtype=np.int64), begins.copy()
    for i in range(len(first)):
        for row in range(first[i], last[i] + 1):
            members[filled[row]] = i
            filled[row] += 1
    return members, begins


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _border(
    edges: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    members: np.ndarray,
    sorted_edges: np.ndarray,
    begins: np.ndarray,
    top: float,
    height: float,
) -> np.ndarray:
    rows = len(begins) - 1
    kept = np.empty((2 * len(edges) + 16, 2, 2))
    cuts = np.empty(64)
    count = 0
    for i in range(len(edges)):
        found, cuts = _cuts(i, edges, first, last, members, sorted_edges, begins, cuts)
        ax, ay = edges[i, 0], edges[i, 1]
        bx, by = edges[i, 2] - ax, edges[i, 3] - ay
        x, y = ax, ay
        for k in range(1, found):
            if cuts[k] - cuts[k - 1] < _SHORTEST:
                continue
            to_x, to_y = ax + cuts[k] * bx, ay + cuts[k] * by
            if k == found - 1:
                to_x, to_y = edges[i, 2], edges[i, 3]
            if _is_border(x, y, to_x, to_y, sorted_edges, begins, rows, top, height):
                if count == len(kept):
                    kept = np.concatenate((kept, np.empty_like(kept)))
                kept[count, 0, 0], kept[count, 0, 1] = x, y
                kept[count, 1, 0], kept[count, 1, 1] = to_x, to_y
                count += 1
            x, y = to_x, to_y
    return kept[:count].copy()


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _cuts(
    i: int,
    edges: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    members: np.ndarray,
    sorted_edges: np.ndarray,
    begins: np.ndarray,
    cuts: np.ndarray,
) -> tuple[int, np.ndarray]:
    """Where others cross edge i, as rising shares of its length, with 0 and 1 at the ends; how many."""
    ax, ay = edges[i, 0], edges[i, 1]
    bx, by = edges[i, 2] - ax, edges[i, 3] - ay
    left, right = min(ax, ax + bx), max(ax, ax + bx)
    low, high = min(ay, ay + by), max(ay, ay + by)
    cuts[0], cuts[1], count = 0.0, 1.0, 2
    for row in range(first[i], last[i] + 1):
        for k in range(begins[row], begins[row + 1]):
            cx, cy, ex, ey = sorted_edges[k, 0], sorted_edges[k, 1], sorted_edges[k, 2], sorted_edges[k, 3]
            if max(cx, ex) < left or min(cx, ex) > right or max(cy, ey) < low or min(cy, ey) > high:
                continue
            if members[k] == i or max(first[i], first[members[k]]) != row:
                continue
            dx, dy = ex - cx, ey - cy
            across = bx * dy - by * dx
            if across == 0.0:
                continue
            share = ((cx - ax) * dy - (cy - ay) * dx) / across
            other = ((cx - ax) * by - (cy - ay) * bx) / across
            if 0.0 < share < 1.0 and 0.0 <= other <= 1.0:
                if count == len(cuts):
                    cuts = np.concatenate((cuts, np.empty_like(cuts)))
                place = count
                while cuts[place - 1] > share:
                    cuts[place] = cuts[place - 1]
                    place -= 1
                cuts[place] = share
                count += 1
    return count, cuts


@nb.njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _is_border(
    from_x: float,
    from_y: float,
    to_x: float,
    to_y: float,
    sorted_edges: np.ndarray,
    begins: np.ndarray,
    rows: int,
    top: float,
    height: float,
) -> bool:
    along_x, along_y = to_x - from_x, to_y - from_y
    length = np.hypot(along_x, along_y)
    if length == 0.0:
        return False
    aside = min(_BESIDE_PX, 0.1 * length) / length
    x, y = 0.5 * (from_x + to_x), 0.5 * (from_y + to_y)
    outside = 0
    for side in (-aside, aside):
        px, py = x + side * along_y, y - side * along_x
        row = int((py - top) * (rows / height))
        winding = 0
        if 0.0 <= py - top <= height:
            winding = _winding(px, py, sorted_edges, begins, min(max(row, 0), rows - 1))
        outside += winding == 0
    return outside == 1


@nb.njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _winding(x: float, y: float, sorted_edges: np.ndarray, begins: np.ndarray, row: int) -> int:
    total = 0
    for k in range(begins[row], begins[row + 1]):
        ax, ay, bx, by = sorted_edges[k, 0], sorted_edges[k, 1], sorted_edges[k, 2], sorted_edges[k, 3]
        below, onward = ay <= y, by <= y
        if below != onward and ax + (y - ay) / (by - ay) * (bx - ax) > x:
            total += 1 if below else -1
    return total
