"""Plans, searches, tracks, reports and reproduces. Knows Ray Tune, Optuna and MLflow."""

from pathlib import Path

RUNS = Path("runs")
"""Where launches have their own state, if nothing else is said."""

RECOVERY = "recovery"
"""The folder, in a launch's own, of the states that runs which are cut off go on from."""

MODELS = "models"
"""The folder, in a launch's own, of its runs' models, until it has ended and MLflow has them."""
