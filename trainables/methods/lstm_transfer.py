"""Transfer to a small corpus (multilingual.txt, 4.2): an LSTM trained on a large one, part of which is trained further.

The classifier is :mod:`.lstm` with a dense layer before the last. A first run trains all of it on the large corpus
(``trains = "all"``); another starts from that one's weights and trains on the small corpus what the paper leaves
trainable: the penultimate layer alone, says one sentence, and that the LSTM is frozen, says the one before. So the last
layer is held still, too (``"penultimate"``); ``"dense"`` trains both. Two corpora can share it because they share their
classes. With ``"nothing"`` the large corpus's model is tested as it is, on the split of those that are fine-tuned and,
like them, on features standardised by the small corpus's training part.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from data_prep.errors import unknown
from trainables.game import Method, Networks, Player
from trainables.methods import lstm
from trainables.methods._classification import classifying, cross_entropy_of
from trainables.networks.sequence import Penultimate
from trainables.policies import Decay
from trainables.recipe import Recipe

_NETWORKS = ("encoder", "penultimate", "classifier")
# What is held still, by what is trained.
_FROZEN = {
    "all": (),
    "dense": ("encoder",),
    "penultimate": ("encoder", "classifier"),
    "nothing": _NETWORKS,
}


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(lstm.Hyperparameters):
    """The LSTM's, and what is trained.

    Attributes:
        trains: ``all``; ``dense``, both dense layers; ``penultimate``, the first of these (multilingual.txt, 4.2);
            ``nothing``.
    """

    trains: str = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trains not in _FROZEN:
            raise unknown("trains", self.trains, _FROZEN)


def represent(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """What the penultimate layer makes of what the LSTM ends with, (batch, hidden_size)."""
    return networks["penultimate"](lstm.represent(networks, features, lengths))


predict = classifying(represent)
classification_loss = cross_entropy_of(predict)


def _recipe(hyperparameters: Hyperparameters) -> Recipe:
    return Recipe(policy=lambda rate: Decay(rate, patience=lstm.PATIENCE), frozen=_FROZEN[hyperparameters.trains])


METHOD = Method(
    title="LSTM for transfer (multilingual.txt, 4.2)",
    hyperparameters=Hyperparameters,
    networks={
        **lstm.METHOD.networks,
        "penultimate": lambda shape, hyperparameters: Penultimate(hyperparameters.hidden_size),
    },
    players=(Player("classifier", _NETWORKS, classification_loss),),
    predict=predict,
    represent=represent,
    predictors=_NETWORKS,
    recipe=_recipe,
    feature="is09",
)
