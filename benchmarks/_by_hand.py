"""Every method's training as its author would write it for that method alone, in plain PyTorch, for ``training_step.py``.

The author has in memory what can be prepared (padded, standardised tensors, the order of all batches), takes fused
optimisers, calls the same network modules, and has gradients go to those weights alone that a turn moves. Random numbers are
drawn in the order in which the project draws them, so that the two can be held against each other bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot, softplus

from trainables.batches import batch_rows
from trainables.loop import Training
from trainables.networks.reversal import reverse_gradient
from trainables.streams import stream


class Data:
    """What the author has in memory: all utterances, padded and standardised, and the batches' order."""

    def __init__(self, training: Training, steps: int) -> None:
        feed, split, config = training.feed, training.granted.split, training.config
        size = config.hyperparameters["batch_size"]
        sides = (feed.source, feed.target)
        self.features, self.lengths = zip(*(side.gather(torch.arange(len(side))) for side in sides), strict=True)
        self.labels, self.crop = feed.source.labels, training.recipe.crop
        self.attributes, self.classes = feed.sides.attributes[0], feed.shape.classes
        parts = ((split.train, "source"), (split.adaptation, "target"))
        self.rows = [
            [torch.from_numpy(batch_rows(rows, size, step, config.seed, name)) for rows, name in parts]
            for step in range(steps)
        ]
        self.where = [
            torch.from_numpy(stream(config.seed, "crop", "source", step).random(size)) for step in range(steps)
        ]

    def source(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Features, lengths and labels of a batch."""
        rows = self.rows[step][0]
        features, lengths, labels = self.features[0], self.lengths[0][rows], self.labels[rows]
        if self.crop is None:
            return features[rows], lengths, labels
        spare = (lengths - self.crop).clamp(min=0)
        starts = (self.where[step] * (spare + 1)).long().clamp(max=spare)
        places = starts.unsqueeze(1) + torch.arange(min(self.crop, features.shape[1]))
        return features[rows.unsqueeze(1), places], lengths.clamp(max=self.crop), labels

    def target(self, step: int) -> tuple[Tensor, Tensor]:
        """Features and lengths of a batch."""
        rows = self.rows[step][1]
        return self.features[1][rows], self.lengths[1][rows]

    def attribute(self, name: str, step: int) -> Tensor:
        """What a batch's utterances have of an attribute."""
        return self.attributes[name][self.rows[step][0]]


# Has what is drawn next drawn as in the turn of a player at a step: "classifier 3".
Seed = Callable[[str], None]
Loop = Callable[[nn.ModuleDict, Data, Iterable[int], Seed, float], None]
Loss = Callable[[nn.ModuleDict, Data, int], Tensor]  # of a step


def weights_of(networks: nn.ModuleDict, *names: str) -> list[nn.Parameter]:
    """The weights of some networks."""
    return [weight for name in names for weight in networks[name].parameters()]


def update(loss: Tensor, weights: list[nn.Parameter], optimiser: torch.optim.Optimizer) -> None:
    """One step of an optimiser."""
    optimiser.zero_grad()
    loss.backward(inputs=weights)
    optimiser.step()


def adam(weights: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """The optimiser of most papers."""
    return torch.optim.Adam(weights, lr=rate, fused=True)


def sgd(weights: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """That of attributes.txt."""
    return torch.optim.SGD(weights, lr=rate, momentum=0.9, fused=True)


def alone(
    *moves: str, player: str = "classifier", optimise: Callable[..., torch.optim.Optimizer] = adam
) -> Callable[[Loss], Loop]:
    """The loop of a method with one player, from its loss: which networks it moves, by which optimiser."""

    def make(loss: Loss) -> Loop:
        @wraps(loss)
        def loop(networks: nn.ModuleDict, data: Data, steps: Iterable[int], seed: Seed, rate: float) -> None:
            weights = weights_of(networks, *moves)
            optimiser = optimise(weights, rate)
            for step in steps:
                seed(f"{player} {step}")
                update(loss(networks, data, step), weights, optimiser)

        return loop

    return make


@alone("encoder", "classifier")
def cnn(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """The baseline."""
    features, _, labels = data.source(step)
    return cross_entropy(networks["classifier"](networks["encoder"](features)), labels)


@alone("encoder", "decoder", player="autoencoder")
def reconstruction(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """An autoencoder."""
    features, _, _ = data.source(step)
    return mse_loss(networks["decoder"](networks["encoder"](features), torch.zeros(len(features), 0)), features)


@alone("encoder", "classifier")
def pseudo_label(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """Hard labels, between two labellings."""
    features, lengths, labels = data.source(step)
    logits = networks["classifier"](networks["encoder"](features, lengths))
    return cross_entropy(logits, one_hot(labels, data.classes).float())


@alone("encoder", "classifier", optimise=sgd)
def cnn_lstm(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """The single-task baseline, under SpecAugment's masks."""
    features, lengths, labels = data.source(step)
    encoded = networks["encoder"](networks["augment"](features, lengths), lengths)
    return cross_entropy(networks["classifier"](encoded), labels)


@alone("encoder", "classifier", "attribute_classifiers", optimise=sgd)
def mtl(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """Emotion and attributes, alpha 0.1."""
    return _with_attributes(networks, data, step, 0.1, lambda encoded: encoded)


@alone("encoder", "classifier", "attribute_classifiers", optimise=sgd)
def gradient_reversal(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """The same with the attributes' gradient reversed, alpha 0.5."""
    return _with_attributes(networks, data, step, 0.5, reverse_gradient)


def _with_attributes(
    networks: nn.ModuleDict, data: Data, step: int, alpha: float, between: Callable[[Tensor], Tensor]
) -> Tensor:
    features, lengths, labels = data.source(step)
    encoded = networks["encoder"](networks["augment"](features, lengths), lengths)
    emotion = cross_entropy(networks["classifier"](encoded), labels)
    told = networks["attribute_classifiers"](between(encoded))
    attributes = [cross_entropy(logits, data.attribute(name, step)) for name, logits in told.items()]
    return (1 - alpha) * emotion + alpha * torch.stack(attributes).mean()


@alone("encoder", "classifier")
def lstm(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """Two recurrent layers and a dense one."""
    features, lengths, labels = data.source(step)
    return cross_entropy(networks["classifier"](networks["encoder"](features, lengths)), labels)


@alone("encoder", "penultimate", "classifier")
def lstm_transfer(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """The first run, which trains all of it."""
    features, lengths, labels = data.source(step)
    encoded = networks["penultimate"](networks["encoder"](features, lengths))
    return cross_entropy(networks["classifier"](encoded), labels)


@alone("encoder", "classifier", "language", player="multitask")
def language_multitask(networks: nn.ModuleDict, data: Data, step: int) -> Tensor:
    """Emotion and language, alpha 1."""
    features, lengths, labels = data.source(step)
    encoded = networks["encoder"](features, lengths)
    emotion = cross_entropy(networks["classifier"](encoded), labels)
    return emotion + cross_entropy(networks["language"](encoded), data.attribute("language", step))


def addi(networks: nn.ModuleDict, data: Data, steps: Iterable[int], seed: Seed, rate: float) -> None:
    """The three-player game, and its classifier."""
    encoder, decoder, classifier = (networks[name] for name in ("encoder", "decoder", "classifier"))
    of_source, of_target = networks["source_discriminator"], networks["target_discriminator"]
    moved = {
        "autoencoder": weights_of(networks, "encoder", "decoder"),
        "generator": weights_of(networks, "encoder", "decoder"),
        "discriminators": weights_of(networks, "source_discriminator", "target_discriminator"),
        "classifier": weights_of(networks, "encoder", "classifier"),
    }
    optimisers = {name: adam(weights, rate) for name, weights in moved.items()}
    codes = [one_hot(torch.full((len(data.rows[0][0]),), domain), 2).float() for domain in (0, 1)]
    for step in steps:
        source, _, labels = data.source(step)
        target, _ = data.target(step)

        seed(f"autoencoder {step}")
        first = mse_loss(decoder(encoder(source), codes[0]), source)
        loss = 0.5 * (first + mse_loss(decoder(encoder(target), codes[1]), target))
        update(loss, moved["autoencoder"], optimisers["autoencoder"])

        seed(f"generator {step}")
        latent, other = encoder(source), encoder(target)
        first = mse_loss(decoder(latent, codes[0]), source)
        loss = 0.5 * (first + mse_loss(decoder(other, codes[1]), target))
        loss = loss - softplus(of_source(decoder(other, codes[0]))).mean()
        loss = loss - softplus(of_target(decoder(latent, codes[1]))).mean()
        update(loss, moved["generator"], optimisers["generator"])

        seed(f"discriminators {step}")
        with torch.no_grad():
            latent, other = encoder(source), encoder(target)
            as_source, as_target = decoder(other, codes[0]), decoder(latent, codes[1])
        loss = softplus(-of_source(source)).mean() + softplus(of_source(as_source)).mean()
        loss = loss + softplus(-of_target(target)).mean() + softplus(of_target(as_target)).mean()
        update(loss, moved["discriminators"], optimisers["discriminators"])

        seed(f"classifier {step}")
        update(cross_entropy(classifier(encoder(source)), labels), moved["classifier"], optimisers["classifier"])


def emotional_gan(networks: nn.ModuleDict, data: Data, steps: Iterable[int], seed: Seed, rate: float) -> None:
    """Discriminator and generator of pseudo-labelled speech."""
    encoder, generator, discriminator = (networks[name] for name in ("encoder", "generator", "discriminator"))
    moved = weights_of(networks, "discriminator"), weights_of(networks, "encoder", "generator")
    optimisers = [adam(weights, rate) for weights in moved]
    fake = torch.full((len(data.rows[0][0]),), data.classes)
    for step in steps:
        real, _, _ = data.source(step)

        seed(f"discriminator {step}")
        with torch.no_grad():
            code = networks["pseudo_labels"](real)
            generated = generator(encoder(real), code)
        loss = cross_entropy(discriminator(real), code.argmax(dim=1))
        loss = loss + 1 / data.classes * cross_entropy(discriminator(generated), fake)
        update(loss, moved[0], optimisers[0])

        seed(f"generator {step}")
        code = networks["pseudo_labels"](real)
        generated = generator(encoder(real), code)
        update(cross_entropy(discriminator(generated), code.argmax(dim=1)), moved[1], optimisers[1])


def dann(networks: nn.ModuleDict, data: Data, steps: Iterable[int], seed: Seed, rate: float) -> None:
    """Domain-adversarial training with BN1, alpha 0.5, beta 1 and the l2 penalty."""
    weights = weights_of(networks, "encoder", "normalisation", "emotion_classifier", "language_classifier")
    optimiser = adam(weights, rate)
    matrices = [weight for weight in weights if weight.ndim > 1]
    encoder, normalise, drop = networks["encoder"], networks["normalisation"], networks["dropout"]
    size = len(data.rows[0][0])
    domains = torch.cat([torch.zeros(size, dtype=torch.int64), torch.ones(size, dtype=torch.int64)])
    for step in steps:
        source, lengths, labels = data.source(step)
        target, others = data.target(step)
        seed(f"dann {step}")
        first, second = normalise(torch.cat([encoder(source, lengths), encoder(target, others)])).split([size, size])
        first, second = drop(first), drop(second)
        emotion = cross_entropy(networks["emotion_classifier"](first), labels)
        told = networks["language_classifier"](reverse_gradient(torch.cat([first, second]), 1.0))
        penalty = sum((5e-3 * weight.square().sum() for weight in matrices), torch.zeros(()))
        update(0.5 * emotion + 0.5 * cross_entropy(told, domains) + penalty, weights, optimiser)


def adversarial_discriminator(
    networks: nn.ModuleDict, data: Data, steps: Iterable[int], seed: Seed, rate: float
) -> None:
    """Discriminators of the attributes, then the classifier against them, alpha 0.5."""
    moved = weights_of(networks, "discriminators"), weights_of(networks, "encoder", "classifier")
    optimisers = [sgd(weights, rate) for weights in moved]

    def read(features: Tensor, lengths: Tensor) -> Tensor:
        return networks["classifier"](networks["encoder"](networks["augment"](features, lengths), lengths))

    def told(emotions: Tensor, step: int) -> Tensor:
        logits = networks["discriminators"](emotions)
        return torch.stack([cross_entropy(values, data.attribute(name, step)) for name, values in logits.items()])

    for step in steps:
        features, lengths, labels = data.source(step)

        seed(f"discriminators {step}")
        with torch.no_grad():
            emotions = read(features, lengths)
        update(told(emotions, step).sum(), moved[0], optimisers[0])

        seed(f"classifier {step}")
        emotions = read(features, lengths)
        against = told(emotions, step).mean()
        update(0.5 * cross_entropy(emotions, labels) - 0.5 * against, moved[1], optimisers[1])


LOOPS: dict[str, Loop] = {
    loop.__name__: loop
    for loop in (
        cnn,
        addi,
        reconstruction,
        emotional_gan,
        pseudo_label,
        dann,
        cnn_lstm,
        mtl,
        gradient_reversal,
        adversarial_discriminator,
        lstm,
        lstm_transfer,
        language_multitask,
    )
}
