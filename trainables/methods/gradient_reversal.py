"""Gradient reversal against attributes (attributes.txt, 3.2.1).

The networks of :mod:`~trainables.methods.mtl`, with the gradient reversed between the shared layers and the output layers
of the attributes. How the paper's points are read:

- *R stands before the losses in equation (2), and between the layers in 3.3.* There, which is the same for the shared
  layers, and leaves the attributes' own layers to learn.
- *Alpha weighs the loss, not the reversal.* So it scales what the attributes' layers learn as well: while it is 0 they
  stay as they are.
- *"Increment it linearly with each epoch, ending at 0.5".* By 149 equal steps, one after each of the 150 epochs but the
  last. In a run of other length the steps are as many, and do not fall between epochs. Early stopping (20 epochs without
  improvement) may end a run before alpha has come to 0.5, as the paper's, of which it gives no patience, may.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from trainables.game import Batch, Networks, Player, Values
from trainables.methods import _attributes, cnn_lstm, mtl
from trainables.methods._attributes import attribute_losses
from trainables.networks.reversal import reverse_gradient


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(_attributes.Hyperparameters):
    """Those of all approaches; alpha goes from 0 to 0.5 (section 4)."""

    alpha_ramp: str = "step"
    alpha_gamma: float = 149.0


def reversal_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equation (2): equation (1), in which the attributes' gradient is reversed where it enters the shared layers."""
    represented = cnn_lstm.encode(networks, batch.labelled)
    emotion = cross_entropy(networks["classifier"](represented), batch.labelled.labels)
    attributes = attribute_losses(networks["attribute_classifiers"](reverse_gradient(represented)), batch.labelled)
    return (1 - values["alpha"]) * emotion + values["alpha"] * attributes.mean()


METHOD = replace(
    mtl.METHOD,
    title="Gradient reversal (attributes.txt, 3.2.1)",
    hyperparameters=Hyperparameters,
    players=(Player("classifier", ("encoder", "classifier", "attribute_classifiers"), reversal_loss),),
)
