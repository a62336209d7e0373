"""The adapter that alone knows PyVista and VTK: an off-screen stage that draws the scene into arrays."""

from app.views.scene.stage.actors import PlaneShape
from app.views.scene.stage.window import Stage

__all__ = ["PlaneShape", "Stage"]
