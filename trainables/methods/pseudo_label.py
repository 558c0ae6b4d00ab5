"""Pseudo-labels (pseudo_label.txt, 3.2): the target's unlabelled utterances are trained on as the model itself labels them.

An utterance encoder and a linear layer (1) are trained on all that is labelled: the source, and what the protocol grants
of the target. Every W epochs the model labels the target's other utterances, and trains on with these too (Algorithm 1).
Target utterances are repeated at random until they are as many as the source's (3.2.3). Training sees 2 s of each
utterance, cut at random; labelling, validation and test see the whole of it (4.2).

- ``hard`` labels: the likeliest class, of the utterances whose class is at least as likely as tau (2); loss (8).
- ``soft`` labels: the class probabilities of every utterance; loss (5), which adds the regularisers (3) and (4) to (8),
  on pairs of utterances that are mixed by (6) and (7).

What the paper leaves open, and what was chosen:

- *Whether a labelling adds to the one before it.* Algorithm 1 writes D = D u K', yet an utterance cannot have two labels
  and be the better for it, and 3.2.2 labels anew to use what was learnt meanwhile: each labelling replaces the last.
- *W.* 30 of the paper's 100 epochs: here a share of the epochs, so that a shorter run labels as often.
- *tau = 1.* No probability is 1, but a rounded one can be: tau = 1 admits nothing, as (2) has it for real numbers.
- *Sums or means.* (4) and (8) sum over the batch, and the text calls (4) an average: both are means here, as they are
  where the regularisers come from, so that the lambdas mean the same at any batch size.
- *When the regularisers and mixup are at work.* With soft labels from the first epoch on; with hard labels never, since
  3.2.2 brings them in for the soft ones. The regularisers see the mixed utterances, the loss's only forward pass.
- *alpha of mixup.* One for each pair; the pair is an utterance and another of its batch, granted or pseudo-labelled alike.
- *Standardisation.* EmotionCNN's cochleagrams by the protocol's statistics. BYOL-S and HuBERT take what they were trained
  on: their features as they are.
- *Selection* (3.2.4) is the protocol's: ``speakers_60_20_20`` selects on both languages.

"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from data_prep import features as feature_types
from data_prep.errors import InputError, unknown
from trainables import ranges
from trainables.game import Batch, Method, Networks, Player, Values
from trainables.methods import cnn
from trainables.networks import byol_s, emotion_cnn, hubert
from trainables.networks.normalisation import BatchMean
from trainables.policies import Decay
from trainables.recipe import Recipe, Relabel

LABELS = ("hard", "soft")

_CROP = 2.0  # seconds


class Encoder(NamedTuple):
    """An utterance encoder.

    Attributes:
        feature: what it takes (:mod:`data_prep.features`).
        width: features that it gives of an utterance.
        build: from where its first weights come from.
        pretrained: words for those, of an encoder that was trained before; empty for one that was not.
        normalisation: as in :class:`~trainables.recipe.Recipe`.
    """

    feature: str
    width: int
    build: Callable[[str], nn.Module]
    pretrained: str = ""
    normalisation: str | None = "none"


_HUBERT = "'hub' to download torchaudio's, or the path of a state dictionary"

ENCODERS: Mapping[str, Encoder] = {
    "emotion_cnn": Encoder(
        "cochleagram", emotion_cnn.FEATURES, lambda weights: emotion_cnn.EmotionCNN(), normalisation=None
    ),
    "byol_s": Encoder(
        "logmel64",
        byol_s.FEATURES,
        lambda weights: byol_s.ByolS(None if weights == "random" else Path(weights)),
        "the path of a state dictionary",
    ),
    "hubert": Encoder("waveform", hubert.FEATURES["base"], hubert.Hubert, _HUBERT),
    # For trying the software.
    "hubert_tiny": Encoder(
        "waveform", hubert.FEATURES["tiny"], functools.partial(hubert.Hubert, size="tiny"), "a state dictionary's path"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(cnn.Hyperparameters):
    """pseudo_label.txt, 4.2.1.

    Attributes:
        learning_rate: of Adam, at the start; 0.95 of it after every 10 epochs.
        batch_size: utterances in a step.
        encoder: one of :data:`ENCODERS`; the task's feature must be the one that it takes. All of its weights are trained.
        weights: where those of an encoder that was trained before come from: a path, which every machine of a cluster must
            reach, or ``hub`` for HuBERT; ``random``, for none, has to be asked for. EmotionCNN needs none.
        labels: ``hard`` or ``soft``.
        threshold: tau of (2), for hard labels; from 0, which admits every label, to 1, which admits none.
        relabel_every: W, as a share of the epochs planned.
        rebalance: whether the target's utterances are repeated until they are as many as the source's.
        uniformity_weight, entropy_weight: lambda_A and lambda_H of (5), for soft labels.
        mixup_least: for soft labels, alpha of (6) and (7) is drawn uniformly from between this and 1; at 1 nothing is
            mixed.
    """

    learning_rate: float = 1e-3
    batch_size: int = 100
    encoder: str = "emotion_cnn"
    weights: str = ""
    labels: str = "hard"
    threshold: float = 0.5
    relabel_every: float = 0.3
    rebalance: bool = True
    uniformity_weight: float = 0.8
    entropy_weight: float = 0.4
    mixup_least: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder not in ENCODERS:
            raise unknown("encoder", self.encoder, ENCODERS)
        pretrained = ENCODERS[self.encoder].pretrained
        if pretrained and not self.weights:
            raise InputError(f"encoder {self.encoder} needs weights: {pretrained}; 'random' for none")
        if not pretrained and self.weights not in ("", "random"):
            raise InputError(
                f"weights is {self.weights!r}; encoder {self.encoder} has none to begin with, leave it out"
            )
        if self.labels not in LABELS:
            raise unknown("labels", self.labels, LABELS)
        ranges.share(threshold=self.threshold, mixup_least=self.mixup_least)
        if not 0 < self.relabel_every <= 1:
            raise InputError(
                f"relabel_every is {self.relabel_every}; it must be above 0, and 1 at most: it is a share of the epochs"
            )
        ranges.not_negative(uniformity_weight=self.uniformity_weight, entropy_weight=self.entropy_weight)


def loss(networks: Networks, batch: Batch, hyperparameters: Hyperparameters, values: Values) -> Tensor:
    """Equation (8) with hard labels, (5) with soft ones."""
    labelled = batch.labelled
    assert labelled.likely is not None, "it is labelled"
    logits = predict(networks, labelled.features, labelled.lengths)
    classified = cross_entropy(logits, labelled.likely)
    if hyperparameters.labels == "hard":
        return classified
    mean = networks["batch_mean"](logits.softmax(dim=1))
    return (
        classified
        + hyperparameters.uniformity_weight * uniformity(mean)
        + hyperparameters.entropy_weight * entropy(logits)
    )


def uniformity(mean: Tensor) -> Tensor:
    """R_A of (3), from each class's mean probability over the batch, (classes,): 0 where all are alike."""
    prior = 1.0 / len(mean)
    return (prior * (prior / mean.clamp(min=torch.finfo(mean.dtype).tiny)).log()).sum()


def entropy(logits: Tensor) -> Tensor:
    """R_H of (4), the mean entropy of an utterance's class probabilities, in nats, from logits (batch, classes)."""
    return -(logits.softmax(dim=1) * logits.log_softmax(dim=1)).sum(dim=1).mean()


def hard_labels(probabilities: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest class of each utterance, (2) saying of which ones (:class:`~trainables.recipe.Relabel`)."""
    admitted = (probabilities.max(axis=1) >= threshold) & (threshold < 1)
    return admitted, np.eye(probabilities.shape[1], dtype=np.float32)[probabilities.argmax(axis=1)]


def soft_labels(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class probabilities of every utterance (:class:`~trainables.recipe.Relabel`)."""
    return np.ones(len(probabilities), dtype=bool), probabilities


def represent(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """What the encoder makes of utterances, (batch, width)."""
    return networks["encoder"](features, lengths)


def predict(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """Logits (batch, classes) of (1), before the softmax, of padded features (batch, frames, dimensions)."""
    return networks["classifier"](represent(networks, features, lengths))


def _recipe(hyperparameters: Hyperparameters) -> Recipe:
    encoder = ENCODERS[hyperparameters.encoder]
    shift = feature_types.load(encoder.feature).frame_shift
    assert shift is not None, "an encoder's feature has frames"
    soft = hyperparameters.labels == "soft"
    label = soft_labels if soft else functools.partial(hard_labels, threshold=hyperparameters.threshold)
    return Recipe(
        policy=lambda learning_rate: Decay(learning_rate, factor=0.95, every=10),
        crop=round(_CROP / shift),
        relabel=Relabel(every=hyperparameters.relabel_every, label=label),
        rebalance=hyperparameters.rebalance,
        mixup=hyperparameters.mixup_least if soft else None,
        normalisation=encoder.normalisation,
    )


def _classifier(shape: Any, hyperparameters: Hyperparameters) -> nn.Module:
    return nn.Linear(ENCODERS[hyperparameters.encoder].width, shape.classes)


METHOD = Method(
    title="Pseudo-labels (pseudo_label.txt, 3.2)",
    hyperparameters=Hyperparameters,
    networks={
        "encoder": lambda shape, hyperparameters: ENCODERS[hyperparameters.encoder].build(hyperparameters.weights),
        "classifier": _classifier,
        "batch_mean": lambda shape, hyperparameters: BatchMean(),
    },
    players=(Player("classifier", ("encoder", "classifier"), loss),),
    predict=predict,
    represent=represent,
    predictors=("encoder", "classifier"),
    recipe=_recipe,
    feature="cochleagram",
)
