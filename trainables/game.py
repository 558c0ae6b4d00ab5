"""The one contract of every method that trains by gradient: a game of players.

A method is a few networks and a few players. A player owns some of the networks and, when it is its turn, moves their
weights downhill on one loss of the batch. It never calls ``backward``, owns an optimiser, moves a tensor to a device
or logs: the loop (:mod:`trainables.loop`) does that, in one way for every method. An ablation removes a player or a
network by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from data_prep.errors import InputError, unknown
from trainables.schedules import Schedule
from trainables.streams import stream_seed


class Batch(NamedTuple):
    """What a player sees of the data at one step.

    Attributes:
        source: standardised features, float32 of shape (batch, frames, dimensions), padded with zeros.
        labels: class numbers of the source, int64 of shape (batch,).
        target: standardised features of the target without labels, shape (batch, frames, dimensions); ``None`` for a
            method that does not look at the target.
    """

    source: Tensor
    labels: Tensor
    target: Tensor | None = None


class Shape(NamedTuple):
    """What the networks of a task must fit: padded frames, dimensions of a frame, and classes."""

    frames: int
    dimensions: int
    classes: int


# The networks by name, as a loss calls them. A network that the variant removed is not there.
Networks = Mapping[str, Callable[..., Tensor]]
# Each schedule's value at this step.
Values = Mapping[str, float]
Loss = Callable[[Networks, Batch, Any, Values], Tensor]


class Player(NamedTuple):
    """A player: which networks it moves, on which loss.

    Attributes:
        name: ``discriminators``.
        moves: the networks whose weights it updates.
        loss: (networks, batch, hyperparameters, schedule values) to a scalar tensor; a pure function of these and of
            torch's random state.
        adapts: whether its loss looks at the target's features.
    """

    name: str
    moves: tuple[str, ...]
    loss: Loss
    adapts: bool = False


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to train a model of speech emotion recognition.

    Attributes:
        title: what it is, with its paper and section.
        hyperparameters: a frozen data class whose defaults are the paper's values; it has ``learning_rate`` and
            ``batch_size``, and raises :class:`~data_prep.errors.InputError` for a value outside its range.
        networks: the networks' constructors by name; each is called with the task's shape.
        players: in the order of their turns within a step.
        predict: (networks, features of shape (batch, frames, dimensions)) to logits of shape (batch, classes).
        predictors: the networks that ``predict`` needs: what is kept as the model.
        schedules: from the hyperparameters, the weights that vary over training, by name.
    """

    title: str
    hyperparameters: type
    networks: Mapping[str, Callable[[Shape], nn.Module]]
    players: tuple[Player, ...]
    predict: Callable[[Networks, Tensor], Tensor]
    predictors: tuple[str, ...]
    schedules: Callable[[Any], Mapping[str, Schedule]] = field(default=lambda hyperparameters: {})


@dataclass(frozen=True)
class Game:
    """A method as one variant plays it: its players and the names of its networks after removals."""

    method: Method
    players: tuple[Player, ...]
    networks: tuple[str, ...]

    @property
    def adapts(self) -> bool:
        """Whether any player that is left looks at the target's features."""
        return any(player.adapts for player in self.players)


def play(method: Method, without: tuple[str, ...] = ()) -> Game:
    """The game of ``method`` with the players and networks named in ``without`` removed.

    A network that is removed leaves every player's moves; a player with nothing left to move leaves the game.

    Raises:
        InputError: a name is neither a player nor a network of the method, or is a network that predicting needs.
    """
    names = {player.name for player in method.players} | set(method.networks)
    for name in without:
        if name not in names:
            raise unknown("player or network", name, names)
        if name in method.predictors:
            raise InputError(f"{name} cannot be removed: without it nothing predicts")
    networks = tuple(name for name in method.networks if name not in without)
    players = []
    for player in method.players:
        moves = tuple(name for name in player.moves if name in networks)
        if moves and player.name not in without:
            players.append(player._replace(moves=moves))
    return Game(method, tuple(players), networks)


def rehearse(game: Game, hyperparameters: Any) -> None:
    """Computes every player's loss once, on noise, so that a variant that cannot be played is noticed beforehand.

    Raises:
        InputError: a loss calls for a network that was removed, or depends on no network that its player moves.
    """
    shape, generator = Shape(64, 40, 4), torch.Generator().manual_seed(0)
    networks = build(game, shape, seed=0).eval()
    features = torch.randn(2, 4, shape.frames, shape.dimensions, generator=generator)
    batch = Batch(features[0], torch.arange(4) % shape.classes, features[1] if game.adapts else None)
    values = {name: schedule(0.0) for name, schedule in game.method.schedules(hyperparameters).items()}
    for player in game.players:
        try:
            loss = player.loss(dict(networks.items()), batch, hyperparameters, values)
        except KeyError as error:
            raise InputError(f"player {player.name} cannot do without network {error}; remove the player too") from None
        weights = [weight for name in player.moves for weight in networks[name].parameters()]
        learnt = torch.autograd.grad(loss, weights, allow_unused=True) if loss.requires_grad else ()
        if all(gradient is None for gradient in learnt):
            raise InputError(f"player {player.name} has nothing left to learn; remove it too")


def build(game: Game, shape: Shape, seed: int) -> nn.ModuleDict:
    """The game's networks with their first weights.

    Each network draws from a random stream of its own, so that removing one leaves the others' first weights as they
    are, and variants of a method can be compared replicate by replicate.
    """
    networks = nn.ModuleDict()
    for name in game.networks:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "initialisation", name))
            networks[name] = game.method.networks[name](shape)
    return networks
