"""Plans, searches, tracks, reports and reproduces. Knows Ray Tune, Optuna and MLflow."""
