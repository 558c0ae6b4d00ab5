"""Adversarial dual discriminators (addi.txt, 3.1): a three-player game between a generator and two discriminators.

An encoder E maps an utterance of either domain to a latent code. A generator G, which is the decoder, turns the code
and a one-hot domain code d (d = 0 the source, d = 1 the target) back into an utterance of domain d. Two discriminators
tell real from fake, Ds for the source and Dt for the target. A classifier C reads the emotion from the code. A step:

1. ``autoencoder`` moves E and G on equation (3): each domain's utterances, given back under their own code.
2. ``generator`` moves E and G on equation (1): reconstruction, plus lambda times the adversarial loss (2), for which
   each domain's utterances are generated under the *other* domain's code.
3. ``discriminators`` moves Ds on equation (11) and Dt on equation (12).
4. ``classifier`` moves E and C on the cross-entropy of the source's labels.

How the doubtful points of the text are read:

- *Which fake goes to which discriminator.* The text sets G(E(X), 0), which it names after the target, against the real
  source at Ds; for Dt it then repeats the source where equation (12) has the target. Read: Ds tells the real source
  from target utterances generated under d = 0, Dt the real target from source utterances generated under d = 1.
  A fake is always a translation. So the code must carry what both domains share, or G could not pass the translation
  off as real; a fake of its own domain would reward a good autoencoder whatever its code says of the domain.
- *"Gd", "Gp", "E[log(1 - D(G(X, d)))]".* One generator; it takes the code E(X), not X.
- *Whether the generator's turn moves E.* It must: with E held still, no discriminator would reach it and the code would
  be no more domain-invariant than an autoencoder's.
- *Whether the generator's turn holds the reconstruction again.* Yes: equation (1) as it stands. It also has to, since
  Adam takes steps of the same size for any multiple of a loss: were (2) alone the turn's loss, lambda would do nothing.
- *The sign and form of (2).* As it stands: G minimises log(1 - D(fake)), the saturating form.
- *The norm in (3).* A mean over frames and dimensions, not a sum, so that lambda means the same at any length.
- *lambda.* The paper gives no value and no schedule: 1 and constant by default, both searched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, one_hot, softplus

from trainables.game import Batch, Method, Networks, Player, Shape, Values
from trainables.methods import cnn
from trainables.networks.convolutional import ConvolutionalDecoder
from trainables.networks.dense import Discriminator
from trainables.schedules import check_ramp, schedules_of

SOURCE, TARGET = 0, 1


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(cnn.Hyperparameters):
    """The baseline's, and the adversarial loss's weight.

    Attributes:
        adversarial_weight: lambda of equation (1).
        adversarial_ramp, adversarial_gamma, adversarial_delay: how lambda comes in over training
            (:func:`trainables.schedules.ramp`).
    """

    adversarial_weight: float = 1.0
    adversarial_ramp: str = "constant"
    adversarial_gamma: float = 10.0
    adversarial_delay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ramp(self, "adversarial_weight")


def reconstruction_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equation (3) over both domains, each under its own code."""
    source, target = batch.source.features, batch.adaptation.features
    return 0.5 * (
        mse_loss(_generate(networks, networks["encoder"](source), SOURCE), source)
        + mse_loss(_generate(networks, networks["encoder"](target), TARGET), target)
    )


def generator_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equation (1): reconstruction plus lambda times equation (2)."""
    source, target = networks["encoder"](batch.source.features), networks["encoder"](batch.adaptation.features)
    loss = 0.5 * (
        mse_loss(_generate(networks, source, SOURCE), batch.source.features)
        + mse_loss(_generate(networks, target, TARGET), batch.adaptation.features)
    )
    if "source_discriminator" in networks:
        fake = networks["source_discriminator"](_generate(networks, target, SOURCE))
        loss = loss - values["adversarial_weight"] * softplus(fake).mean()
    if "target_discriminator" in networks:
        fake = networks["target_discriminator"](_generate(networks, source, TARGET))
        loss = loss - values["adversarial_weight"] * softplus(fake).mean()
    return loss


def discriminator_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equations (11) and (12), as far as their discriminators are there: -log D(real) - log(1 - D(fake))."""
    real_source, real_target = batch.source.features, batch.adaptation.features
    loss = real_source.new_zeros(())
    with torch.no_grad():
        source, target = networks["encoder"](real_source), networks["encoder"](real_target)
        as_source, as_target = _generate(networks, target, SOURCE), _generate(networks, source, TARGET)
    if "source_discriminator" in networks:
        discriminate = networks["source_discriminator"]
        loss = loss + softplus(-discriminate(real_source)).mean() + softplus(discriminate(as_source)).mean()
    if "target_discriminator" in networks:
        discriminate = networks["target_discriminator"]
        loss = loss + softplus(-discriminate(real_target)).mean() + softplus(discriminate(as_target)).mean()
    return loss


def _generate(networks: Networks, latent: Tensor, domain: int) -> Tensor:
    code = one_hot(torch.full((len(latent),), domain, device=latent.device), 2).to(latent.dtype)
    return networks["decoder"](latent, code)


def _discriminator(shape: Shape, hyperparameters: Hyperparameters) -> Discriminator:
    return Discriminator(shape.frames, shape.dimensions)


METHOD = Method(
    title="Adversarial dual discriminators (addi.txt, 3.1)",
    hyperparameters=Hyperparameters,
    networks={
        **cnn.METHOD.networks,
        "decoder": lambda shape, hyperparameters: ConvolutionalDecoder(shape.frames, shape.dimensions),
        "source_discriminator": _discriminator,
        "target_discriminator": _discriminator,
    },
    players=(
        Player("autoencoder", ("encoder", "decoder"), reconstruction_loss, adapts=True),
        Player("generator", ("encoder", "decoder"), generator_loss, adapts=True),
        Player("discriminators", ("source_discriminator", "target_discriminator"), discriminator_loss, adapts=True),
        *cnn.METHOD.players,
    ),
    predict=cnn.predict,
    represent=cnn.represent,
    predictors=cnn.METHOD.predictors,
    schedules=schedules_of("adversarial_weight"),
)
