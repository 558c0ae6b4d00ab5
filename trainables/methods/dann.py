"""Domain-adversarial training across languages (dann.txt): an encoder that a language classifier cannot read.

An encoder G_f with global attention (equations 1 and 2; :mod:`trainables.networks.attentive`), batch normalisation and
dropout; an emotion classifier G_e and a language classifier G_l, one dense layer each; gradient reversal of scale beta
before G_l (equations 3 and 4). One player moves them all on equation (7), alpha · L_e + (1 - alpha) · L_l: with L_e the
cross-entropy of the source's emotions (5), L_l that of the language over source and target (6), and the reversal, that
is the updates (8) to (10). In a step there are as many utterances of the target as of the source.

``batch_norm`` is one of section 4.2.2's four ways of feeding batch normalisation
(:func:`trainables.networks.normalisation.normalise`), or ``none``. In BN4 a step is two updates by the same optimiser:
(7) of a batch of the source, then (7) of a batch of the target, which has no emotions, so that L_e is 0 in it.

Without ``language_classifier`` this is the paper's *base*, and, trained and tested within one corpus, its *mono*: encoder
and emotion classifier with the same first weights, trained on L_e alone. There is one way to feed batch normalisation
then.

What the paper leaves open, and what was chosen:

- *alpha and beta.* No value is given, and no schedule: 0.5 and 1, so that the encoder hears both losses alike; beta comes
  in as in the source of gradient reversal that the paper cites (Ganin et al. 2016). At 1 from the first step on, it takes
  the emotions out of the encoder before they are learnt (``benchmarks/adaptation.py``).
- *Whether one dense layer can tell languages.* It is what section 2.1 has. It sees no more than a shift of the features' mean; a
  hidden layer (``language_units``) also repairs what leaves the mean where it was (the same benchmark).
- *Where the dropout is.* It is "for the output of encoder": after batch normalisation, as the encoder ends with it. The
  same units are dropped for both classifiers, but in BN2, where the two read different numbers.
- *What is penalised.* All that :class:`~trainables.recipe.Recipe` counts as weights: convolution and both classifiers.
  The penalty is added to (7) as it is, not scaled by alpha: at 0.5 it weighs twice as much beside L_e as in *base*.
- *"A batch size of 32".* 32 utterances of the source, as in *base*, and as many of the target.
- *l1 or l2.* The paper has l1 where it trains on RECOLA and l2 where it trains on IEMOCAP: ``penalty`` says which.
- *Early stopping.* The best of the 50 epochs on the development part is kept; no patience is given, and none taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from data_prep.errors import unknown
from trainables import ranges
from trainables.game import Batch, Method, Networks, Player, Shape, Speech, Values
from trainables.networks.attentive import AttentiveEncoder
from trainables.networks.dense import SharedDropout
from trainables.networks.normalisation import FEEDS, Normalised, SharedBatchNorm, normalise
from trainables.networks.reversal import reverse_gradient
from trainables.policies import Decay
from trainables.recipe import Recipe
from trainables.schedules import check_ramp, schedules_of

SOURCE, TARGET = 0, 1
BATCH_NORMS = (*FEEDS, "none")
PENALTIES = ("l1", "l2")

# Section 4.1: what the learning rate is multiplied by after each epoch, and where it stays.
_DECAY, _FLOOR = 0.93, 5e-5


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The paper's values (4.1), where it gives any.

    Attributes:
        learning_rate: of Adam in the first epoch; it decays by 0.93 an epoch down to 5e-5.
        batch_size: source utterances in a step, and target utterances.
        alpha: weight of the emotions' loss in equation (7), in [0, 1]; the languages' has the rest.
        beta: scale of the reversed gradient in equation (4).
        beta_ramp, beta_gamma, beta_delay: how beta comes in over training (:func:`trainables.schedules.ramp`).
        batch_norm: one of :data:`BATCH_NORMS`.
        dropout: share of the encoder's features that are dropped in training.
        penalty, penalty_weight: which norm of the weights is added to the loss, and its weight.
        language_units: of a hidden layer in the language classifier; 0 for none, as the paper has it.
    """

    learning_rate: float = 1e-3
    batch_size: int = 32
    alpha: float = 0.5
    beta: float = 1.0
    beta_ramp: str = "sigmoid"
    beta_gamma: float = 10.0
    beta_delay: float = 0.0
    batch_norm: str = "BN1"
    dropout: float = 0.7
    penalty: str = "l2"
    penalty_weight: float = 5e-3
    language_units: int = 0

    def __post_init__(self) -> None:
        ranges.positive(learning_rate=self.learning_rate)
        ranges.whole(1, batch_size=self.batch_size)
        ranges.share(alpha=self.alpha)
        check_ramp(self, "beta")
        if self.batch_norm not in BATCH_NORMS:
            raise unknown("batch_norm", self.batch_norm, BATCH_NORMS)
        ranges.below_one(dropout=self.dropout)
        if self.penalty not in PENALTIES:
            raise unknown("penalty", self.penalty, PENALTIES)
        ranges.not_negative(penalty_weight=self.penalty_weight)
        ranges.whole(0, language_units=self.language_units)


def total_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equation (7); equation (5) alone where there is no language classifier."""
    alpha, beta = hyperparameters.alpha, values["beta"]
    if "language_classifier" not in networks:
        return _emotion_loss(networks, _one_domain(networks, batch.labelled), batch.labelled)
    if hyperparameters.batch_norm == "BN4":
        if values["turn"] == TARGET:
            return (1 - alpha) * _language_loss(networks, beta, target=_one_domain(networks, batch.adaptation))
        emotion = source = _one_domain(networks, batch.labelled)
        if batch.source is not batch.labelled:
            source = _one_domain(networks, batch.source)
        return alpha * _emotion_loss(networks, emotion, batch.labelled) + (1 - alpha) * _language_loss(
            networks, beta, source=source
        )
    read = told = _both_domains(networks, batch.labelled, batch.adaptation, hyperparameters.batch_norm)
    if batch.source is not batch.labelled:
        told = _both_domains(networks, batch.source, batch.adaptation, hyperparameters.batch_norm)
    return alpha * _emotion_loss(networks, read.emotion, batch.labelled) + (1 - alpha) * _language_loss(
        networks, beta, source=told.source, target=told.target
    )


def represent(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """f, the normalised output of the encoder (2.1), without dropout: (batch, 1,800) at 750 frames."""
    return networks["normalisation"](networks["encoder"](features, lengths))


def predict(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """Logits (batch, classes) of padded features (batch, frames, dimensions)."""
    return networks["emotion_classifier"](represent(networks, features, lengths))


def _one_domain(networks: Networks, speech: Speech) -> Tensor:
    """f of a batch that is normalised by itself, with dropout."""
    return networks["dropout"](represent(networks, speech.features, speech.lengths))


def _both_domains(networks: Networks, source: Speech, target: Speech, feed: str) -> Normalised:
    """f of both domains, as each classifier reads it, with dropout."""
    first, second = (networks["encoder"](speech.features, speech.lengths) for speech in (source, target))
    read = Normalised(first, first, second)
    if feed != "none":
        read = normalise(networks["normalisation"], first, second, feed)
    # In this order the emotions' units are dropped as in a game without languages, at the same seed.
    emotion = networks["dropout"](read.emotion)
    told = emotion if read.source is read.emotion else networks["dropout"](read.source)
    return Normalised(emotion, told, networks["dropout"](read.target))


def _emotion_loss(networks: Networks, features: Tensor, speech: Speech) -> Tensor:
    """Equation (5)."""
    return cross_entropy(networks["emotion_classifier"](features), speech.labels)


def _language_loss(
    networks: Networks, beta: float, *, source: Tensor | None = None, target: Tensor | None = None
) -> Tensor:
    """Equation (6), behind the gradient reversal, over what there is of both domains."""
    there = [(features, domain) for features, domain in ((source, SOURCE), (target, TARGET)) if features is not None]
    features = torch.cat([features for features, _ in there])
    languages = torch.cat([torch.full((len(each),), domain, device=each.device) for each, domain in there])
    return cross_entropy(networks["language_classifier"](reverse_gradient(features, beta)), languages)


def _recipe(hyperparameters: Hyperparameters) -> Recipe:
    weight = {hyperparameters.penalty: hyperparameters.penalty_weight}
    return Recipe(
        l1=weight.get("l1", 0.0),
        l2=weight.get("l2", 0.0),
        policy=partial(Decay, factor=_DECAY, minimum=_FLOOR),
        turns=2 if hyperparameters.batch_norm == "BN4" else 1,
    )


def _language_classifier(shape: Shape, hyperparameters: Hyperparameters) -> nn.Module:
    units = hyperparameters.language_units
    if not units:
        return nn.Linear(_features(shape), 2)
    return nn.Sequential(nn.Linear(_features(shape), units), nn.ReLU(), nn.Linear(units, 2))


def _features(shape: Shape) -> int:
    """How many features the encoder gives."""
    return AttentiveEncoder(shape.frames, shape.dimensions).features


METHOD = Method(
    title="Domain-adversarial neural network (dann.txt)",
    hyperparameters=Hyperparameters,
    networks={
        "encoder": lambda shape, hyperparameters: AttentiveEncoder(shape.frames, shape.dimensions),
        "normalisation": lambda shape, hyperparameters: (
            nn.Identity() if hyperparameters.batch_norm == "none" else SharedBatchNorm(_features(shape))
        ),
        "dropout": lambda shape, hyperparameters: SharedDropout(hyperparameters.dropout),
        "emotion_classifier": lambda shape, hyperparameters: nn.Linear(_features(shape), shape.classes),
        "language_classifier": _language_classifier,
    },
    players=(
        Player(
            "dann",
            ("encoder", "normalisation", "emotion_classifier", "language_classifier"),
            total_loss,
            adapts="language_classifier",
        ),
    ),
    predict=predict,
    represent=represent,
    predictors=("encoder", "normalisation", "emotion_classifier"),
    schedules=schedules_of("beta"),
    recipe=_recipe,
    feature="logmel26",
)
