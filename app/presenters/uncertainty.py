"""Shows in the 3D scene how sure positions are: an ellipsoid at each pivot, drawn larger by a factor that is said."""

from typing import final

import numpy as np
from PySide6.QtCore import QObject

from app.presenters.session import Session
from app.state.appearance import Appearance
from app.state.live import Origin
from app.views.scene import SceneEllipsoid, SceneView

WITHIN = 2.5003
"""Standard deviations of the ellipsoid that holds a point with 90 % chance (square root of chi2_3(0.9))."""
FACTORS = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0)
"""How much larger than it is an ellipsoid may be drawn: the largest that keeps it within reach."""
_REACH_MM = 90.0
_LONGEST_MM = 400.0
"""Half axes are cut here: a body that one view sees is a needle, not a line through the room."""


@final
class SceneUncertainty(QObject):
    """Follows stored and proposed poses while it is on; what moves by hand or by a job has no ellipsoid."""

    def __init__(
        self, session: Session, appearance: Appearance, scene: SceneView, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._scene = scene
        self._shown: object = ()
        self.on = session.preferences.flag("uncertainty")

    def toggle(self) -> bool:
        """On or off; what it is now."""
        self.on = not self.on
        self._session.preferences.put("uncertainty", self.on)
        self.refresh()
        return self.on

    def refresh(self) -> None:
        """Show what is known; cheap where nothing changed."""
        found = self._found() if self.on else []
        key = tuple((name, id(covariance), tuple(centre)) for name, centre, covariance in found)
        if key == self._shown:
            return
        self._shown = key
        factor = factor_for([covariance for _, _, covariance in found])
        self._scene.set_note(f"Uncertainty: 90 % region, drawn × {factor:g}" if found else self._nothing())
        self._scene.set_ellipsoids(
            [
                SceneEllipsoid(
                    centre_world_mm=centre,
                    covariance_mm2=within_reach(covariance, WITHIN * factor),
                    colour=self._appearance.body(name).colour,
                    deviations=WITHIN * factor,
                )
                for name, centre, covariance in found
            ]
        )

    def _nothing(self) -> str:
        return "Uncertainty: not known for the poses shown" if self.on and self._session.bodies else ""

    def _found(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        found = []
        for name, body in self._session.bodies.items():
            shown, record = self._session.shown(name), self._session.record_here(name)
            if shown is None or record is None or record.covariance is None:
                continue
            known = bool(np.isfinite(record.covariance).all())
            if known and self._appearance.body(name).visible and shown.origin in {Origin.STORED, Origin.PROPOSED}:
                centre = shown.pose.apply(body.pivot_mm[None])[0]
                found.append((name, centre, np.asarray(record.covariance[:3, :3])))
        return found


def factor_for(covariances: list[np.ndarray]) -> float:
    """The largest factor that keeps every ellipsoid within reach; 1 where none does."""
    widest = max((float(np.sqrt(np.linalg.eigvalsh(one)[-1].clip(min=0.0))) for one in covariances), default=0.0)
    return next((factor for factor in FACTORS if WITHIN * factor * widest <= _REACH_MM), 1.0)


def within_reach(covariance_mm2: np.ndarray, deviations: float) -> np.ndarray:
    """The covariance with half axes of its drawn ellipsoid cut to a length that can be drawn."""
    variances, axes = np.linalg.eigh(covariance_mm2)
    most = (_LONGEST_MM / deviations) ** 2
    return np.asarray((axes * np.clip(variances, 0.0, most)) @ axes.T)
