"""CREMA-D (Cao et al., 2014): US English, 91 actors, twelve sentences in six emotional states.

A name such as ``1001_DFA_ANG_XX.wav`` is actor, sentence, emotion and level (LO, MD, HI; XX where none was asked for).
The repository has the recordings as ``AudioWAV`` and as ``AudioMP3``; where both are there, the wav files are read.
Copies call one file ``1040_ITH_SAD_X.wav``: it is ``1040_ITH_SAD_XX``. Names do not tell the actors' genders, and most
copies lack ``VideoDemographics.csv``, which does: they stand here.

The label is the emotion that the actor was asked for, as the file name has it. It is what papers call the corpus's
label, it exists in every copy, and there is one for every file. What listeners heard is another matter: it is in
``processedResults/summaryTable.csv``, differs for many files, and is a tie between emotions for 644 of the 7,442 by
voice alone. To train on votes, list the files with them in a manifest.

Three actors have one recording under two emotions (``1006_TIE_HAP_XX`` and ``1006_TIE_NEU_XX``, ``1013_WSI_DIS_XX`` and
``1013_WSI_SAD_XX``, ``1017_IWW_ANG_XX`` and ``1017_IWW_FEA_XX``), and ``1076_MTI_SAD_XX`` holds no signal; they are
utterances all the same, and a build leaves out what is silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import named_files

_ACTORS = tuple(str(actor) for actor in range(1001, 1092))
_FEMALE = frozenset(
    """
    1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 1047 1049
    1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091
    """.split()
)
_SENTENCE = "DFA|IEO|IOM|ITH|ITS|IWL|IWW|MTI|TAI|TIE|TSI|WSI"
_NAME = re.compile(
    rf"(?P<utterance>(?P<actor>{'|'.join(_ACTORS)})_(?P<sentence>{_SENTENCE})_(?P<emotion>[A-Z]{{3}}))"
    r"_(?P<level>LO|MD|HI|XX?)"
)


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    example = "AudioWAV/1001_DFA_ANG_XX.wav"
    files, misnamed = named_files("crema_d", root, _NAME, example, CORPUS.layout, ((".wav",), (".mp3",)))
    yield from misnamed
    for file, name in files:
        yield Utterance(
            utterance_id=f"{name['utterance']}_{'XX' if name['level'] == 'X' else name['level']}",
            audio=file.relative_to(root).as_posix(),
            speaker=name["actor"],
            gender="female" if name["actor"] in _FEMALE else "male",
            language="en-US",
            emotion=name["emotion"],
        )


CORPUS = Corpus(
    title="CREMA-D, crowd-sourced emotional multimodal actors dataset (Cao et al., 2014)",
    licence="ODbL 1.0 and DbCL 1.0",
    layout="a folder with AudioWAV/1001_DFA_ANG_XX.wav and so on, or AudioMP3/1001_DFA_ANG_XX.mp3 (or the files alone)",
    labels={
        "ANG": "angry",
        "DIS": "disgusted",
        "FEA": "fear",
        "HAP": "happy",
        "NEU": "neutral",
        "SAD": "sad",
    },
    read=_read,
    expected=Expected(
        source="SentenceFilenames.csv of the corpus's repository",
        utterances=7442,
        labels={"ANG": 1271, "DIS": 1271, "FEA": 1271, "HAP": 1271, "NEU": 1087, "SAD": 1271},
        speakers=dict.fromkeys(_ACTORS, 82) | {"1002": 81, "1008": 76, "1009": 76, "1019": 76, "1076": 81},
    ),
)
