"""Two labelled utterances whose losses are worked by hand, for the equations of attributes.txt."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from trainables.game import Batch, Speech


class Worked(NamedTuple):
    """Utterances of three emotions, with a gender and a speaker, and what networks say of them whatever they hear.

    The right emotion has probability 2/4 and 1/3, the right gender 1/4 and 1/2, the right speaker 1/5 twice.
    """

    batch: Batch
    emotions: Tensor
    attributes: Mapping[str, Tensor]
    emotion_loss: float
    gender_loss: float
    speaker_loss: float

    def networks(self, attributes: str, listen: Callable[[Tensor], Any] = lambda values: None) -> dict[str, Any]:
        """The baseline's, and one called ``attributes`` that tells ``listen`` what it is given."""

        def tell(values: Tensor) -> Mapping[str, Tensor]:
            listen(values)
            return self.attributes

        return {
            "augment": lambda features, lengths: features,
            "encoder": lambda features, lengths: features.mean(dim=1),
            "classifier": lambda represented: self.emotions,
            attributes: tell,
        }


@pytest.fixture
def worked() -> Worked:
    labelled = Speech(
        torch.zeros(2, 4, 1),
        torch.tensor([4, 4]),
        torch.tensor([0, 2]),
        attributes={"gender": torch.tensor([1, 0]), "speaker": torch.tensor([4, 2])},
    )
    return Worked(
        batch=Batch(labelled, labelled),
        emotions=torch.tensor([[math.log(2.0), 0.0, 0.0], [0.0, 0.0, 0.0]]),
        attributes={"gender": torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]]), "speaker": torch.zeros(2, 5)},
        emotion_loss=(math.log(2) + math.log(3)) / 2,
        gender_loss=(math.log(4) + math.log(2)) / 2,
        speaker_loss=math.log(5),
    )
