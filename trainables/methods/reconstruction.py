"""Reconstruction as a pretext task (addi.txt, 5.3): an autoencoder of unlabelled speech, whose encoder others start from.

The other pretext of Figure 2, beside :mod:`~trainables.methods.emotional_gan`. Encoder and decoder are those of ADDi
(4.3), the decoder with no code besides the latent one; the loss is equation (3), as a mean over frames and dimensions
like there. The paper says no more of it. Nothing validates, so all epochs are trained and the last one's encoder is kept.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import mse_loss

from trainables.game import Batch, Method, Networks, Player, Values, no_emotions
from trainables.methods import cnn
from trainables.networks.convolutional import ConvolutionalDecoder


def reconstruction_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equation (3): the mean squared error of utterances given back from their latent code."""
    speech = batch.source.features
    latent = networks["encoder"](speech)
    return mse_loss(networks["decoder"](latent, latent.new_zeros(len(latent), 0)), speech)


METHOD = Method(
    title="Reconstruction as pretext task (addi.txt, 5.3)",
    hyperparameters=cnn.Hyperparameters,
    networks={
        "encoder": cnn.METHOD.networks["encoder"],
        "decoder": lambda shape, hyperparameters: ConvolutionalDecoder(shape.frames, shape.dimensions, codes=0),
    },
    players=(Player("autoencoder", ("encoder", "decoder"), reconstruction_loss),),
    predict=no_emotions,
    represent=cnn.represent,
    predictors=("encoder",),
    supervised=False,
)
