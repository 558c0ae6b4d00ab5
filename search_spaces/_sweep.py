"""What a sweep is made of: variants, searched parameters, published figures, presets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import BaseDistribution

from trainables import methods
from trainables.config import START, TaskConfig


def _as_it_is(task: TaskConfig) -> TaskConfig:
    return task


def _nothing(task: TaskConfig) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Start:
    """The run that a variant's runs start from: trained once for each configuration of it, and shared.

    Attributes:
        method: whose networks the variant's method begins with, where they have the same name.
        task: what it is trained on, from the column's task.
        settings: its hyperparameters that are not the method's defaults; others may be searched, as ``start.<name>``.
    """

    method: str
    task: Callable[[TaskConfig], TaskConfig]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """One row of a table: a method, and what is changed in it.

    Attributes:
        name: of the row.
        method: a module of :mod:`trainables.methods`.
        without: players and networks of its game that are removed.
        title: as the table shows it; the name, if it is empty.
        settings: hyperparameters that this row fixes; they are not searched in it.
        task: what is another task in this row: from the column's task to the row's (another feature, another protocol,
            the target for the source).
        start: the run that its runs start from; ``None`` for none.
        task_settings: from the row's task to further hyperparameters that it fixes there (a penalty that goes with the
            corpus trained on).
        paper: the paper's own values in this row of searched parameters, where they are not the space's.
    """

    name: str
    method: str
    without: tuple[str, ...] = ()
    title: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    task: Callable[[TaskConfig], TaskConfig] = _as_it_is
    start: Start | None = None
    task_settings: Callable[[TaskConfig], Mapping[str, Any]] = _nothing
    paper: Mapping[str, Any] = field(default_factory=dict)

    def in_column(self, column: TaskConfig) -> Variant:
        """The row as it is in one column: with all that it fixes there among its settings."""
        settings = {**self.settings, **self.task_settings(self.on(column))}
        return dataclasses.replace(self, settings=settings, task_settings=_nothing)

    def on(self, column: TaskConfig) -> TaskConfig:
        """The row's task in a column. Frames of another feature are of another length: it is not cut."""
        task = self.task(column)
        return task if task.feature == column.feature else dataclasses.replace(task, max_frames=None)

    def values(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """All hyperparameters of its method, given those that were drawn."""
        own = {name: value for name, value in drawn.items() if not name.startswith(START)}
        return {**_defaults(self.method), **self.settings, **own}

    def start_values(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """All hyperparameters of the run that it starts from, given those that were drawn."""
        assert self.start is not None, "it starts from a run"
        own = {name.removeprefix(START): value for name, value in drawn.items() if name.startswith(START)}
        return {**_defaults(self.start.method), **self.start.settings, **own}


def _defaults(method: str) -> dict[str, Any]:
    return dataclasses.asdict(methods.load(method).hyperparameters())


def fields_of(variant: Variant) -> set[str]:
    """The hyperparameters that a variant may have searched; ``start.<name>`` for those of the run it starts from."""
    own = _defaults(variant.method).keys() - variant.settings.keys()
    if variant.start is None:
        return own
    before = _defaults(variant.start.method).keys() - variant.start.settings.keys()
    return own | {f"{START}{name}" for name in before}


@dataclass(frozen=True)
class Parameter:
    """One searched hyperparameter.

    Attributes:
        distribution: where its values are drawn from.
        paper: the paper's own value, tried first in every cell; what this project chose where the paper gives none.
            A row may have one of its own (:class:`Variant`).
        when: other parameters and the values they must have for this one to mean anything.
        unless_without: it means nothing in a variant that removes one of these players or networks.
    """

    distribution: BaseDistribution
    paper: Any
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    unless_without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """A figure of the paper: its score in per cent, mean and standard deviation over its runs.

    UAR, or what the sweep's ``published_note`` says.
    """

    mean: float
    std: float | None = None


def row_by_row(
    rows: Mapping[str, Sequence[float | tuple[float, float]]], tasks: Sequence[TaskConfig]
) -> dict[tuple[str, str], Published]:
    """What a sweep's ``published`` holds, from figures as they stand in the paper's table.

    Args:
        rows: by variant name, the figure of each task in per cent: a mean, or a mean and a standard deviation.
        tasks: in the order of the figures.

    Raises:
        ValueError: a row has more or fewer figures than there are tasks.
    """
    return {
        (row, task.name): Published(*(figure if isinstance(figure, tuple) else (figure,)))
        for row, figures in rows.items()
        for task, figure in zip(tasks, figures, strict=True)
    }


@dataclass(frozen=True)
class Preset:
    """How much is spent.

    Attributes:
        epochs: of a run, at the most.
        trials: search trials of a cell, the paper's own configuration included.
        replicates: of each cell's best configuration.
        max_frames: where longer utterances are cut to their middle; ``None`` cuts nothing.
        demo: size of the demo corpora, where the user has given no data: ``tiny``, ``small`` or ``full``.
        cells: patterns of the cells that it runs, as ``--cells`` takes them; all of them, if not said otherwise.
    """

    epochs: int
    trials: int
    replicates: int
    max_frames: int | None = None
    demo: str = "small"
    cells: tuple[str, ...] = ("*",)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The cells of a table (variants x tasks), the space searched in each, and what was published.

    Attributes:
        title: what the table shows.
        source: paper and table.
        variants: the table's rows, in its order.
        tasks: the table's columns, in its order.
        space: the searched hyperparameters, in the order in which they are drawn (a parameter's ``when`` names only
            earlier ones).
        published: (variant name, task name) to the paper's figure.
        reference: the variant that the others are compared with.
        presets: by name; ``demo`` is the default.
        published_note: what sets the published figures apart from those that they stand beside (another score, another
            network), a sentence that is printed with the table; empty for nothing.
    """

    title: str
    source: str
    variants: Sequence[Variant]
    tasks: Sequence[TaskConfig]
    space: Mapping[str, Parameter]
    published: Mapping[tuple[str, str], Published]
    reference: str
    presets: Mapping[str, Preset]
    published_note: str = ""


def active(space: Mapping[str, Parameter], variant: Variant) -> dict[str, Parameter]:
    """The parameters of ``space`` that mean something in ``variant``, each with the paper's value in it.

    Those are the hyperparameters of its method and of the run that it starts from, less those that it fixes and those of
    players and networks that it removes.
    """
    known = fields_of(variant)
    return {
        name: dataclasses.replace(parameter, paper=variant.paper.get(name, parameter.paper))
        for name, parameter in space.items()
        if name in known and not set(parameter.unless_without) & set(variant.without)
    }


def applies(parameter: Parameter, drawn: Mapping[str, Any]) -> bool:
    """Whether a conditional parameter is to be drawn, given the values drawn before it."""
    return all(drawn.get(name) in values for name, values in parameter.when.items())


def paper_values(space: Mapping[str, Parameter]) -> dict[str, Any]:
    """The paper's own configuration in a variant's active ``space``, without what does not apply."""
    values: dict[str, Any] = {}
    for name, parameter in space.items():
        if applies(parameter, values):
            values[name] = parameter.paper
    return values
