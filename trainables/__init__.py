"""Methods and the one loop that trains them. Knows tensors; knows no Tune, no MLflow."""
