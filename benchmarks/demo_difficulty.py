"""How hard the demo corpora are: ``python benchmarks/demo_difficulty.py [DIR ...]`` prints a table for each folder.

``DIR`` is what ``python -m data_prep.demo --out DIR`` made; without one, small demo corpora are spoken. emotion4, logistic regression (C = 0.01, balanced), scaler
fitted on the training speakers or the source corpus alone; UAR of the pooled predictions, on openSMILE's IS09
functionals and on the mean and standard deviation over time of 40 logarithmic Mel filter banks (what the networks see
of an utterance). Within a corpus leave-one-speaker-out, else from all of one to all of the other. Chance is .25.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import joblib
import librosa
import numpy as np
import opensmile
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data_prep import corpora, demo, labels
from data_prep.demo import layouts

FEATURES = ("is09", "log-mel")


def main(folders: list[str]) -> None:
    """Prints one table per folder."""
    if not folders:
        with tempfile.TemporaryDirectory() as scratch:
            demo.speak(Path(scratch) / "demo_corpora")
            return main([f"{scratch}/demo_corpora"])
    for folder in folders:
        data = {name: load(name, Path(folder) / layouts.load(name).folder) for name in demo.USUAL}
        print(f"{folder}\n{'source':>12} {'target':>12}  " + "  ".join(f"{feature:>7}" for feature in FEATURES))
        for source in data:
            for target in data:
                scores = [uar(data[source], data[target], feature) for feature in FEATURES]
                print(f"{source:>12} {target:>12}  " + "  ".join(f"{score:7.3f}" for score in scores))


def load(name: str, root: Path) -> dict[str, np.ndarray]:
    """A corpus's utterances of the four classes: both features, classes and speakers, row by row."""
    scheme = labels.load("emotion4")
    known = [(row, scheme.target(name, row.emotion)) for row in corpora.read(name, root)]
    kept = [(row, target) for row, target in known if target is not None]
    paths = [root / row.audio for row, _ in kept]
    return {
        "class": np.array([target for _, target in kept]),
        "speaker": np.array([row.speaker for row, _ in kept]),
        **{feature: _computed(compute, paths) for feature, compute in zip(FEATURES, (_is09, _log_mel), strict=True)},
    }


def uar(source: dict[str, np.ndarray], target: dict[str, np.ndarray], feature: str) -> float:
    """Unweighted average recall on ``target`` after training on ``source``, or on the other speakers of it itself."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000))
    if source is target:
        predicted = cross_val_predict(
            model, source[feature], source["class"], groups=source["speaker"], cv=LeaveOneGroupOut()
        )
    else:
        predicted = model.fit(source[feature], source["class"]).predict(target[feature])
    return float(recall_score(y_true=target["class"], y_pred=predicted, average="macro", labels=range(4)))


def _computed(compute: Callable[[list[Path]], np.ndarray], paths: list[Path]) -> np.ndarray:
    pieces = [paths[start : start + 50] for start in range(0, len(paths), 50)]
    return np.concatenate(joblib.Parallel(-1)(joblib.delayed(compute)(piece) for piece in pieces))


def _is09(paths: list[Path]) -> np.ndarray:
    smile = opensmile.Smile(opensmile.FeatureSet.IS09, opensmile.FeatureLevel.Functionals)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.stack([smile.process_file(str(path)).to_numpy()[0] for path in paths])


def _log_mel(paths: list[Path]) -> np.ndarray:
    rows = []
    for path in paths:
        wave, rate = soundfile.read(path, dtype="float32")
        mel = librosa.feature.melspectrogram(
            y=wave, sr=rate, n_fft=512, win_length=rate // 40, hop_length=rate // 100, n_mels=40, fmin=20
        )
        frames = np.log(mel + 1e-10)
        rows.append(np.concatenate([frames.mean(axis=1), frames.std(axis=1)]))
    return np.stack(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
