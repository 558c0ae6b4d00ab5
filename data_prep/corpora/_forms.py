"""The counts of a corpus that people have in more than one form: with other label files, or as another release."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from data_prep.corpora import Expected, Utterance


@dataclass(frozen=True, kw_only=True)
class Form(Expected):
    """What one form of a corpus holds.

    Attributes:
        splits: how many utterances of each official partition; only those that are known.
        at_least: whether there may be more than these utterances, in all and of each kind.
        is_read: of all utterances of a copy, whether they are of this form; asked of ``others``.
        others: the corpus's other forms; of the usual one alone.
    """

    splits: Mapping[str, int] = field(default_factory=dict)
    at_least: bool = False
    is_read: Callable[[Sequence[Utterance]], bool] = lambda utterances: True
    others: tuple[Form, ...] = ()

    def met(self, found: int, wanted: int) -> bool:
        """Whether so many are as wanted."""
        return found == wanted or (self.at_least and found > wanted)


def form_of(expected: Expected, utterances: Sequence[Utterance]) -> Form:
    """The form that all utterances of a copy are of: one of the others, or else the usual one."""
    usual = Form(**{item.name: getattr(expected, item.name) for item in fields(expected)})
    return next((other for other in usual.others if other.is_read(utterances)), usual)
