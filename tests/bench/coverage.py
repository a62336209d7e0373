"""How often the 90 % interval of each degree of freedom holds the truth, condition by condition.

``python -m tests.bench.coverage KNOWN.npz ... [--fit]``

The results come from ``tests.bench.known_results``; those within 1 mm and 1 deg count.
Along the first view's axes: across, down, depth; turns about them. With ``--fit`` also prints what the procedural
implant asks of the scale of the fit's own covariance and of the terms for calibration and surface.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from tests.bench.scenes_of_conditions import EVERYTHING

DOF = ("across", "down", "depth", "about x", "about y", "about ray")
NINETY = 1.6449
SIMULATED = ("calibration", *EVERYTHING)
OTHERS = ("nominal", "titanium", "background x2", "noise x4")


def in_view(known: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Errors (n, 6) and covariances (n, 6, 6) along the first view's axes."""
    axes = np.zeros((len(known["error"]), 6, 6))
    axes[:, :3, :3] = axes[:, 3:, 3:] = known["axes"]
    error = np.einsum("nij,nj->ni", axes, known["error"])
    return error, axes @ known["covariance"] @ np.swapaxes(axes, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("known", type=Path, nargs="+")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    files = [np.load(path) for path in options.known]
    known = {name: np.concatenate([file[name] for file in files]) for name in files[0]}
    error, covariance = in_view(known)
    right = (np.linalg.norm(error[:, :3], axis=1) < 1) & (np.degrees(np.linalg.norm(error[:, 3:], axis=1)) < 1)
    right &= np.isfinite(covariance).all(axis=(1, 2)) & (known["amplitude"] < 10)
    variance = np.einsum("nii->ni", covariance)
    table(known, error, variance, right, "as stored")
    if options.fit:
        rows = right & (known["source"] == "procedural") & np.isin(known["condition"], SIMULATED)
        found = fitted(error[rows], variance[rows])
        print(
            f"scale of the variance {found[0]:.3f}, added {found[1]:.3f} mm and {np.degrees(found[2]):.3f} deg an axis"
        )
        added = np.array([found[1]] * 3 + [found[2]] * 3) ** 2
        table(known, error, found[0] * variance + added, right, "as fitted")


def fitted(error: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Scale and two added standard deviations of greatest likelihood under Student's t with 5 degrees of freedom."""

    def loss(logs: np.ndarray) -> float:
        scale, mm, rad = np.exp(logs)
        total = scale * variance + np.array([mm] * 3 + [rad] * 3) ** 2
        return float((0.5 * np.log(total) + 3.0 * np.log1p(error**2 / total / 5.0)).mean())

    return np.exp(minimize(loss, np.log([0.3, 0.1, 0.001]), method="Nelder-Mead", options={"maxiter": 4000}).x)


def table(known: dict[str, np.ndarray], error: np.ndarray, variance: np.ndarray, right: np.ndarray, label: str) -> None:
    print(f"90 % intervals {label}: share that holds the truth   ({', '.join(DOF)})")
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
