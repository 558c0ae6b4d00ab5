"""Fully connected networks: the emotion classifier and the discriminators."""

from __future__ import annotations

from torch import Tensor, nn

from trainables.networks.shared import SharedNoise


class SharedDropout(SharedNoise):
    """Dropout that drops the same units when a batch is split over several data-parallel workers as on one."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, values: Tensor) -> Tensor:
        """Drops units of ``values``, shape (batch, units), and scales the others up; nothing in evaluation."""
        if not self.training or self.probability == 0:
            return values
        kept = self.draw(*values.shape, device=values.device) >= self.probability
        return values * kept / (1 - self.probability)


class Classifier(nn.Sequential):
    """Emotion classifier: hidden layers of 256 and 128 units with dropout 0.3 between them (addi.txt, 4.3).

    From (batch, features) to logits (batch, classes).
    """

    def __init__(self, features: int, classes: int, dropout: float = 0.3) -> None:
        super().__init__(
            nn.Linear(features, 256),
            nn.ReLU(),
            SharedDropout(dropout),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, classes),
        )


class Discriminator(nn.Sequential):
    """Real or fake: hidden layers of 256 and 128 units over a whole padded utterance (addi.txt, 4.3).

    From features (batch, frames, dimensions) to one logit each, (batch,); positive means real. With more than one
    output to logits (batch, outputs): of sADDi's pretext (3.2), the emotions and, the last, fake.
    """

    def __init__(self, frames: int, dimensions: int, outputs: int = 1) -> None:
        super().__init__(
            nn.Flatten(),
            nn.Linear(frames * dimensions, 256),
            nn.ReLU(),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, outputs),
            nn.Flatten(0) if outputs == 1 else nn.Identity(),
        )
