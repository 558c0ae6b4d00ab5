"""Table 4 of multilingual.txt: does learning the language beside the emotion help one model of all corpora?

One model is trained on all five corpora (four languages) without the speakers that its seed leaves out of each, and
tested on those of each corpus in turn. Cells of a row differ in what is tested alone; each has its own search, as every
cell has. The table's figures stand row by row in the text, in the order of the corpora; they are accuracies on one
speaker or two (58.14 % is 25 of 43 utterances of EMO-DB; see :mod:`.single_corpus`). The paper leaves alpha open: 1 is
tried first. What of an utterance of each language is heard cannot be told from what corpus it is of: of the four
languages only English is in two corpora, so the task is largely to tell microphones apart.
"""

from __future__ import annotations

from optuna.distributions import FloatDistribution

from search_spaces import Parameter, Preset, Sweep, Variant, row_by_row
from search_spaces.single_corpus import CORPORA, PUBLISHED_NOTE
from trainables.config import TaskConfig

_VARIANTS = (
    Variant("lstm", "lstm", title="LSTM (only predict emotion)"),
    Variant("multitask", "language_multitask", title="Multi-task LSTM (emotion and language ID)"),
)
_TASKS = tuple(
    TaskConfig(sources=CORPORA, targets=(corpus,), scheme="emotion5", protocol="leave_speakers_out", feature="mfcc13")
    for corpus in CORPORA
)
_PUBLISHED = {
    "lstm": (58.14, 21.43, 34.44, 50.80, 43.37),
    "multitask": (53.48, 28.0, 33.30, 50.69, 43.10),
}

SWEEP = Sweep(
    title="Language identification as a second task",
    source="multilingual.txt, Table 4",
    variants=_VARIANTS,
    tasks=_TASKS,
    space={
        "learning_rate": Parameter(FloatDistribution(1e-4, 1e-2, log=True), paper=1e-3),
        "alpha": Parameter(FloatDistribution(1e-2, 10.0, log=True), paper=1.0),
    },
    published=row_by_row(_PUBLISHED, _TASKS),
    published_note=PUBLISHED_NOTE,
    reference="lstm",
    presets={
        "smoke": Preset(epochs=2, trials=2, replicates=2, demo="tiny", cells=("*-emodb-*",)),
        "demo": Preset(epochs=6, trials=2, replicates=3),
        "paper": Preset(epochs=100, trials=30, replicates=10, demo="full"),
    },
)
