"""How often the 90 % interval of each degree of freedom holds the truth, condition by condition.

``python -m tests.bench.coverage KNOWN.npz ...``

The results come from ``tests.bench.known_results``; those within 1 mm and 1 deg count.
Along the first view's axes: across, down, depth; turns about them.
"""

import argparse
from pathlib import Path

import numpy as np

from tests.bench.scenes_of_conditions import EVERYTHING

DOF = ("across", "down", "depth", "about x", "about y", "about ray")
NINETY = 1.6449
SIMULATED = ("calibration", *EVERYTHING)
OTHERS = ("nominal", "titanium", "background x2", "noise x4")


def in_view(known: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Errors (n, 6) and variances (n, 6) along the first view's axes."""
    axes = np.zeros((len(known["error"]), 6, 6))
    axes[:, :3, :3] = axes[:, 3:, 3:] = known["axes"][:, 0]
    error = np.einsum("nij,nj->ni", axes, known["error"])
    return error, np.einsum("nij,njk,nik->ni", axes, known["covariance"], axes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("known", type=Path, nargs="+")
    options = parser.parse_args()
    files = [np.load(path) for path in options.known]
    known = {name: np.concatenate([file[name] for file in files]) for name in files[0]}
    error, variance = in_view(known)
    right = (np.linalg.norm(error[:, :3], axis=1) < 1) & (np.degrees(np.linalg.norm(error[:, 3:], axis=1)) < 1)
    right &= np.isfinite(variance).all(axis=1) & (known["amplitude"] < 10)
    table(known, error, variance, right)


def table(known: dict[str, np.ndarray], error: np.ndarray, variance: np.ndarray, right: np.ndarray) -> None:
    print(f"90 % intervals: share that holds the truth   ({', '.join(DOF)})")
    held = np.abs(error) <= NINETY * np.sqrt(variance)
    for source in np.unique(known["source"]):
        for condition in [*OTHERS, *SIMULATED, "all with calibration"]:
            chosen = known["condition"] == condition
            if condition.startswith("all"):
                chosen = np.isin(known["condition"], SIMULATED)
            rows = right & (known["source"] == source) & chosen
            if rows.any():
                shares = "  ".join(f"{share:6.1%}" for share in held[rows].mean(axis=0))
                half = NINETY * np.sqrt(np.median(variance[rows], axis=0))
                half[3:] = np.degrees(half[3:])
                print(f"  {source:10s} {condition:26s} n {rows.sum():4d}  {shares}   half widths {half.round(2)}")


if __name__ == "__main__":
    main()
