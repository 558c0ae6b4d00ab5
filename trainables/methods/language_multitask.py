"""Emotion and spoken language, learnt jointly (multilingual.txt, 4.3 and Figure 2).

The LSTM of :mod:`.lstm` reads the utterance; two dense layers side by side read the emotion and the language from what
it ends with. The loss is

    cross-entropy of the emotion + alpha * cross-entropy of the language.

The paper leaves alpha open: 1 by default, both tasks alike, and searched. At 0 it is :mod:`.lstm`, bit for bit.
Languages are those of the source's training part. An utterance in none of them counts in the mean over the batch with a
loss of 0: a mean over the others would depend on how many of them each data-parallel worker has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from trainables.game import Batch, Method, Networks, Player, Values
from trainables.methods import lstm
from trainables.methods._attributes import attribute_losses
from trainables.schedules import check_ramp, schedules_of


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(lstm.Hyperparameters):
    """The LSTM's, and the language's weight.

    Attributes:
        alpha: weight of the language's loss.
        alpha_ramp, alpha_gamma, alpha_delay: how it comes in over training (:func:`trainables.schedules.ramp`).
    """

    alpha: float = 1.0
    alpha_ramp: str = "constant"
    alpha_gamma: float = 10.0
    alpha_delay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ramp(self, "alpha")


def multitask_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Cross-entropy of the emotion, and alpha times that of the language."""
    encoded = lstm.represent(networks, batch.labelled.features, batch.labelled.lengths)
    emotion = cross_entropy(networks["classifier"](encoded), batch.labelled.labels)
    language = attribute_losses({"language": networks["language"](encoded)}, batch.labelled)
    return emotion + values["alpha"] * language.squeeze(0)


METHOD = Method(
    title="Multi-task LSTM of emotion and language (multilingual.txt, 4.3)",
    hyperparameters=Hyperparameters,
    networks={
        **lstm.METHOD.networks,
        "language": lambda shape, hyperparameters: nn.Linear(hyperparameters.hidden_size, shape.attributes["language"]),
    },
    players=(Player("multitask", ("encoder", "classifier", "language"), multitask_loss),),
    predict=lstm.predict,
    represent=lstm.represent,
    predictors=lstm.METHOD.predictors,
    schedules=schedules_of("alpha"),
    recipe=lstm.METHOD.recipe,
    feature=lstm.METHOD.feature,
)
