"""What methods share whose emotions are read by a network ``classifier`` from one representation of the utterance."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from trainables.game import Batch, Loss, Networks, Reading, Values


def classifying(represent: Reading) -> Reading:
    """Logits (batch, classes), as ``classifier`` reads them from what ``represent`` gives of padded features."""

    def predict(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
        return networks["classifier"](represent(networks, features, lengths))

    return predict


def cross_entropy_of(predict: Reading) -> Loss:
    """Cross-entropy of the emotions of all that is labelled, from the logits that ``predict`` gives."""

    def loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
        labelled = batch.labelled
        return cross_entropy(predict(networks, labelled.features, labelled.lengths), labelled.labels)

    return loss
