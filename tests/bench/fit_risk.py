"""Fit the risk of ``core.registration.risk`` to known results, and check it on others.

``python -m tests.bench.fit_risk KNOWN.npz ...`` (from ``tests.bench.known_results``)

Fitted: the procedural implant and every other frame of the real knee. Checked: two implants that nothing was tuned
on, and the other real frames.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

from core.registration.risk import FEATURES

RIDGE = 1e-2


def fit(features: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Means, scales, weights and offset of a ridge logistic regression."""
    means, scales = features.mean(axis=0), features.std(axis=0) + 1e-9
    scaled = (features - means) / scales
    signs = np.where(wrong, 1.0, -1.0)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        margin = signs * (scaled @ parameters[:-1] + parameters[-1])
        value = np.logaddexp(0, -margin).mean() + RIDGE * (parameters[:-1] ** 2).sum()
        pull = -signs / (1 + np.exp(np.clip(margin, -50, 50))) / len(signs)
        return value, np.append(scaled.T @ pull + 2 * RIDGE * parameters[:-1], pull.sum())

    found = minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return means, scales, found[:-1], float(found[-1])


def area_under(risk: np.ndarray, wrong: np.ndarray) -> float:
    """Of the ROC curve (Mann-Whitney)."""
    ranks = rankdata(risk)
    count = int(wrong.sum())
    others = len(wrong) - count
    return (
        float((ranks[wrong].sum() - count * (count + 1) / 2) / (count * others)) if count and others else float("nan")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("known", type=Path, nargs="+")
    files = [np.load(path) for path in parser.parse_args().known]
    known = {name: np.concatenate([file[name] for file in files]) for name in files[0]}
    mm = np.linalg.norm(known["error"][:, :3], axis=1)
    deg = np.degrees(np.linalg.norm(known["error"][:, 3:], axis=1))
    real = known["condition"] == "real"
    # the real reference itself is off by half a millimetre and degree: what lies beyond 2 is wrong beyond doubt
    wrong = np.where(real, (mm > 2) | (deg > 2), (mm > 1) | (deg > 1))
    features = known["features"]
    fitted = (known["source"] == "procedural") | (known["source"] == "real 0")
    means, scales, weights, offset = fit(features[fitted], wrong[fitted])
    risk = 1 / (1 + np.exp(-np.clip((features - means) / scales @ weights + offset, -50, 50)))
    for name, value in (("MEANS", means), ("SCALES", scales), ("WEIGHTS", weights)):
        print(f"{name} = ({', '.join(f'{one:.5g}' for one in value)})")
    print(f"OFFSET = {offset:.5g}")
    for feature, weight in zip(FEATURES, weights, strict=True):
        print(f"  {feature:36s} {weight:+.2f}")
    for label, rows in (
        ("fitted", fitted),
        ("held out: cams", known["source"] == "cams"),
        ("held out: kneeling", known["source"] == "kneeling"),
        ("held out: real frames", known["source"] == "real 1"),
    ):
        if not rows.any():
            continue
        flagged, bad = risk[rows] > 0.5, wrong[rows]
        cost = area_under(known["cost"][rows], bad)
        print(
            f"  {label:22s} {rows.sum():5d} results, {bad.sum():4d} wrong   AUC {area_under(risk[rows], bad):.3f} "
            f"(cost alone {cost:.3f})   wrong and flagged {flagged[bad].mean():6.1%}   "
            f"right and flagged {flagged[~bad].mean():6.1%}"
        )
        for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.01)):
            within = (risk[rows] >= low) & (risk[rows] < high)
            if within.any():
                print(f"      risk {low:.1f}-{min(high, 1):.1f}: {within.sum():5d}, wrong {bad[within].mean():6.1%}")


if __name__ == "__main__":
    main()
