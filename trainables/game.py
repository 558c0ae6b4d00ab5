"""The one contract of every method that trains by gradient: a game of players.

A method is a few networks and a few players. A player owns some of the networks and, when it is its turn, moves their
weights downhill on one loss of the batch. It never calls ``backward``, owns an optimiser, moves a tensor to a device
or logs: the loop (:mod:`trainables.loop`) does that, in one way for every method. What else a paper prescribes of
training (optimiser, learning-rate policy, penalties, crops, pseudo-labels) a method says in its
:class:`~trainables.recipe.Recipe`. An ablation removes a player or a network by name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from data_prep.errors import InputError, unknown
from trainables.recipe import Recipe
from trainables.schedules import Schedule
from trainables.streams import stream_seed

# What is known of a source utterance besides its emotion, each a classification of its own (attributes.txt, 3).
ATTRIBUTES = ("corpus", "gender", "speaker", "language")


class Speech(NamedTuple):
    """Utterances of a batch.

    Attributes:
        features: standardised, float32 of shape (batch, frames, dimensions), padded with zeros.
        lengths: frames of each before padding, int64 of shape (batch,).
        labels: class numbers, int64 of shape (batch,); -1 where none is granted.
        likely: probability of each class, float32 of shape (batch, classes): all on the label, or a soft pseudo-label;
            ``None`` where nothing is labelled.
        attributes: by attribute (:data:`ATTRIBUTES`) its class numbers among those of the source, int64 of shape
            (batch,); -1 for one that is unknown or that the source does not have. Empty where nothing is labelled.
    """

    features: Tensor
    lengths: Tensor
    labels: Tensor
    likely: Tensor | None = None
    attributes: Mapping[str, Tensor] = {}


class Batch(NamedTuple):
    """What a player sees of the data at one step.

    Attributes:
        labelled: what is trained on with emotion labels: the source and, where the protocol grants labels of the target
            or the method makes pseudo-labels, those target utterances too.
        source: the source alone, drawn as ``labelled`` is; the same utterances where nothing else is labelled.
        target: the target without labels; ``None`` for a method that does not look at it.
    """

    labelled: Speech
    source: Speech
    target: Speech | None = None

    @property
    def adaptation(self) -> Speech:
        """The target, for a player that adapts to it: the loop gives it to every game with such a player."""
        assert self.target is not None, "the loop gives an adapting method the target's features"
        return self.target


class Shape(NamedTuple):
    """What the networks of a task must fit.

    Attributes:
        frames: of a padded utterance.
        dimensions: of a frame.
        classes: of emotions.
        attributes: how many classes each attribute has in the source.
    """

    frames: int
    dimensions: int
    classes: int
    attributes: Mapping[str, int] = dict.fromkeys(ATTRIBUTES, 2)


# The networks by name, as a loss calls them. A network that the variant removed is not there.
Networks = Mapping[str, Callable[..., Any]]
# Each schedule's value at this step; and, as ``turn``, which update of the step it is, from 0.
Values = Mapping[str, float]
Loss = Callable[[Networks, Batch, Any, Values], Tensor]
Reading = Callable[[Networks, Tensor, Tensor], Tensor]


class Player(NamedTuple):
    """A player: which networks it moves, on which loss.

    Attributes:
        name: ``discriminators``.
        moves: the networks whose weights it updates.
        loss: (networks, batch, hyperparameters, schedule values) to a scalar tensor; a pure function of these and of
            torch's random state.
        adapts: whether its loss looks at the target's features; or a network's name, if it does where that one is there.
    """

    name: str
    moves: tuple[str, ...]
    loss: Loss
    adapts: bool | str = False


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to train a model of speech emotion recognition.

    Attributes:
        title: what it is, with its paper and section.
        hyperparameters: a frozen data class whose defaults are the paper's values; it has ``learning_rate`` and
            ``batch_size``, and raises :class:`~data_prep.errors.InputError` for a value outside its range.
        networks: the networks' constructors by name; each is called with the task's shape and the hyperparameters.
        players: in the order of their turns within a step.
        predict: (networks, features, lengths), as in :class:`Speech`, to logits of shape (batch, classes);
            :func:`no_emotions` for a pretext task.
        represent: likewise to the representation of shape (batch, features) that the emotion is read from.
        predictors: the networks that ``predict`` needs: what is kept as the model.
        schedules: from the hyperparameters, the weights that vary over training, by name.
        recipe: from the hyperparameters, what the paper prescribes of training besides losses.
        feature: the paper's feature (:mod:`data_prep.features`), whose dimensions its networks are made for.
        supervised: whether it learns emotions from labels. A pretext task does not: it needs no labels, has no score
            to be selected by, and leaves its last epoch's weights for another run to start from.
    """

    title: str
    hyperparameters: type
    networks: Mapping[str, Callable[[Shape, Any], nn.Module]]
    players: tuple[Player, ...]
    predict: Reading
    represent: Reading
    predictors: tuple[str, ...]
    schedules: Callable[[Any], Mapping[str, Schedule]] = field(default=lambda hyperparameters: {})
    recipe: Callable[[Any], Recipe] = field(default=lambda hyperparameters: Recipe())
    feature: str = "mfb40"
    supervised: bool = True


def no_emotions(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """What a pretext task predicts: nothing, and nothing asks it."""
    raise AssertionError("a pretext task learns no emotions; what starts from it does")


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
            adapts = player.adapts in networks if isinstance(player.adapts, str) else player.adapts
            players.append(player._replace(moves=moves, adapts=adapts))
    return Game(method, tuple(players), networks)


def rehearse(game: Game, hyperparameters: Any, shape: Shape) -> None:
    """Computes every player's loss once, on noise, so that a variant that cannot be played is noticed beforehand.

    Args:
        game: the variant's.
        hyperparameters: its configuration.
        shape: of an utterance of the feature that it is to be trained on.

    Raises:
        InputError: a loss calls for a network that was removed, or depends on no network that its player moves.
    """
    with _one_thread():
        networks = build(game, shape, hyperparameters, seed=0).eval()
        batch = noise(shape, utterances=4)
        values = {name: schedule(0.0) for name, schedule in game.method.schedules(hyperparameters).items()}
        for player, turn in itertools.product(game.players, range(game.method.recipe(hyperparameters).turns)):
            try:
                loss = player.loss(dict(networks.items()), batch, hyperparameters, {**values, "turn": turn})
            except KeyError as error:
                raise InputError(
                    f"player {player.name} cannot do without network {error}; remove the player too"
                ) from None
            weights = [weight for name in player.moves for weight in networks[name].parameters()]
            learnt = torch.autograd.grad(loss, weights, allow_unused=True) if loss.requires_grad else ()
            if all(gradient is None for gradient in learnt):
                raise InputError(f"player {player.name} has nothing left to learn; remove it too")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Lets torch calculate on one core while the block runs.

    What is rehearsed is tiny. Threads wait for each other longer than they calculate, and the more so the busier the
    machine is: on two cores with other work a sweep's check took twenty times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def noise(shape: Shape, utterances: int, seed: int = 0) -> Batch:
    """A batch of noise with labels and attributes: what a game can be rehearsed, timed and tested with."""
    generator = torch.Generator().manual_seed(seed)
    source, target = torch.randn(2, utterances, shape.frames, shape.dimensions, generator=generator)
    numbers, lengths = torch.arange(utterances), torch.full((utterances,), shape.frames)
    labels = numbers % shape.classes
    likely = torch.nn.functional.one_hot(labels, shape.classes).float()
    attributes = {name: numbers % count for name, count in shape.attributes.items()}
    labelled = Speech(source, lengths, labels, likely, attributes)
    return Batch(labelled, labelled, Speech(target, lengths, torch.full_like(labels, -1)))


def build(game: Game, shape: Shape, hyperparameters: Any, seed: int) -> nn.ModuleDict:
    """The game's networks with their first weights.

    Each network draws from a random stream of its own, so that removing one leaves the others' first weights as they
    are, and variants of a method can be compared replicate by replicate.
    """
    networks = nn.ModuleDict()
    for name in game.networks:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "initialisation", name))
            networks[name] = game.method.networks[name](shape, hyperparameters)
    return networks


def begin_with(networks: nn.ModuleDict, start: Mapping[str, Tensor]) -> None:
    """Gives those of the networks that are in the state dictionary ``start`` the weights that they have there.

    Raises:
        InputError: none of them is there, or one is of another shape.
    """
    shared = [name for name in networks if any(key.split(".")[0] == name for key in start)]
    if not shared:
        there = sorted({key.split(".")[0] for key in start})
        raise InputError(
            f"what it starts from has {', '.join(there)}, and it has {', '.join(networks)}: none in common"
        )
    for name in shared:
        weights = {key.partition(".")[2]: value for key, value in start.items() if key.split(".")[0] == name}
        try:
            networks[name].load_state_dict(weights)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"what it starts from has another {name}: {reason}") from error
