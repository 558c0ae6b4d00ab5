"""Generation of emotional speech as a pretext task (addi.txt, 3.2): what makes ADDi sADDi, and a CNN the CNN-SSL.

An encoder E maps unlabelled speech to a latent code. A generator G turns the code and a one-hot pseudo-label y, one of N
emotions drawn uniformly for each utterance, into speech. A discriminator D has N + 1 outputs, the emotions and, last,
"fake" (balancing GAN, Mariani et al. 2018). A step:

1. ``discriminator`` moves D: cross-entropy of real speech with its pseudo-label, and of G(E(X), y) with "fake".
2. ``generator`` moves E and G: cross-entropy of D(G(E(X), y)) with y, so that it is taken neither for a fake nor for
   another emotion.

E is what remains: ADDi, or the CNN, starts from it. How the doubtful points of the text are read:

- *What real speech is to be for D.* The text has D tell "real samples to their class labels", and says in the same breath
  that the speech belongs to no class. Read to the letter: its class is the pseudo-label that it was given. A pseudo-label
  is drawn anew whenever the utterance is seen, since one that stays would be learnt by heart and would mean nothing else.
  In expectation over the draw the loss of real speech x is then

      -log(1 - D_fake(x)) + KL(uniform || D(emotion | x, not fake)) + log N,

  which is a semi-supervised GAN's loss of unlabelled data (Salimans et al. 2016, section 5: real is whatever is not fake)
  and a term that keeps D from putting all real speech into one class, as that loss by itself allows.
- *What an emotion is, then.* A number that G is given. No label of an emotion comes in anywhere, so nothing ties class 2
  to anger; whether such an encoder helps is for the table to say.
- *Equation (4), or the sentence after it.* G "tries to avoid the fake label and matches the desired emotional class":
  cross-entropy with y, not the saturating form of (4), which has but two classes.
- *How many fakes.* A balancing GAN shows D as many fakes as it shows utterances of one class, B / N of a batch of B. Here
  all B are generated and weigh 1 / N, times ``fake_weight``: the same in expectation, with less noise.
- *Whether G also reconstructs.* The text names the game alone, and the first trial plays that. A balancing GAN begins as
  an autoencoder; without anything of the kind G may pass noise off as speech and leave E with nothing to encode.
  ``reconstruction_weight`` adds equation (3) to G's turn.
- *Padding.* "To the length of the longest emotional utterance" (4.2): here to that of the unlabelled speech. E, which
  alone is handed on, is of no length.
- *When it ends.* Nothing validates: all epochs are trained, at one learning rate, and the last one's E is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from trainables import ranges
from trainables.game import Batch, Method, Networks, Player, Values, no_emotions
from trainables.methods import cnn
from trainables.networks.convolutional import ConvolutionalDecoder
from trainables.networks.dense import Discriminator
from trainables.networks.shared import SharedNoise


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(cnn.Hyperparameters):
    """The baseline's, and the weights of the losses.

    Attributes:
        fake_weight: what all fakes weigh in the discriminator's loss, as a multiple of what one emotion's real speech
            does: 1 in a balancing GAN, N in a GAN that sees as many fakes as real utterances.
        reconstruction_weight: of equation (3) in the generator's turn.
    """

    fake_weight: float = 1.0
    reconstruction_weight: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        ranges.positive(fake_weight=self.fake_weight)
        ranges.not_negative(reconstruction_weight=self.reconstruction_weight)


class PseudoLabels(SharedNoise):
    """Draws one of ``classes`` for every utterance, uniformly."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, features: Tensor) -> Tensor:
        """One-hot pseudo-labels (batch, classes) of utterances (batch, frames, dimensions)."""
        numbers = (self.draw(len(features), device=features.device) * self.classes).long()
        return one_hot(numbers, self.classes).to(features.dtype)


def discriminator_loss(networks: Networks, batch: Batch, hyperparameters: Hyperparameters, values: Values) -> Tensor:
    """Cross-entropy of real speech with its pseudo-labels, and, weighted, of generated speech with "fake"."""
    real = batch.source.features
    with torch.no_grad():
        code = networks["pseudo_labels"](real)
        generated = networks["generator"](networks["encoder"](real), code)
    classes = code.shape[1]
    fake = torch.full((len(real),), classes, device=real.device)
    of_real = cross_entropy(networks["discriminator"](real), code.argmax(dim=1))
    of_fake = cross_entropy(networks["discriminator"](generated), fake)
    return of_real + hyperparameters.fake_weight / classes * of_fake


def generator_loss(networks: Networks, batch: Batch, hyperparameters: Hyperparameters, values: Values) -> Tensor:
    """Cross-entropy of generated speech with the pseudo-labels it was generated from, and, weighted, equation (3)."""
    real = batch.source.features
    code = networks["pseudo_labels"](real)
    generated = networks["generator"](networks["encoder"](real), code)
    loss = cross_entropy(networks["discriminator"](generated), code.argmax(dim=1))
    return loss + hyperparameters.reconstruction_weight * mse_loss(generated, real)


METHOD = Method(
    title="Generation of emotional speech as pretext task (addi.txt, 3.2)",
    hyperparameters=Hyperparameters,
    networks={
        "encoder": cnn.METHOD.networks["encoder"],
        "generator": lambda shape, hyperparameters: ConvolutionalDecoder(
            shape.frames, shape.dimensions, codes=shape.classes
        ),
        "discriminator": lambda shape, hyperparameters: Discriminator(
            shape.frames, shape.dimensions, outputs=shape.classes + 1
        ),
        "pseudo_labels": lambda shape, hyperparameters: PseudoLabels(shape.classes),
    },
    players=(
        Player("discriminator", ("discriminator",), discriminator_loss),
        Player("generator", ("encoder", "generator"), generator_loss),
    ),
    predict=no_emotions,
    represent=cnn.represent,
    predictors=("encoder",),
    supervised=False,
)
