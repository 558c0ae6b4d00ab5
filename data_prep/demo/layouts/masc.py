"""MASC: Mandarin, acted, in an office.

``masc.csv`` lists the files, as it does beside the real corpus, whose own names are not publicly documented: these are
made up. 68 speakers say phrases and sentences three times in each state, and two paragraphs neutrally.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen

_EMOTIONS = {"neutral": "neutral", "anger": "angry", "elation": "elated", "panic": "panic", "sadness": "sad"}
_SPEAKERS = {f"{number:02d}": "female" if number <= 23 else "male" for number in range(1, 69)}
_PHRASES = ("在这里", "明天见", "等一下", "知道了", "请进来")
_SENTENCES = (
    "书放在桌子上。",
    "火车六点开。",
    "他住在三楼。",
    "门口有两把椅子。",
    "我们下午去超市。",
    "今天的信到了。",
    "钥匙在我包里。",
    "窗户是开着的。",
    "她在学校工作。",
    "桥的那边是公园。",
    "这条路很长。",
    "杯子里是茶。",
    "我哥哥明天回来。",
    "晚饭七点开始。",
    "你把车停在哪儿？",
    "外面已经天黑了。",
    "他昨天打过电话。",
    "这是最后一张票。",
    "房间在左边。",
    "雨伞放在门后面。",
)
_PARAGRAPHS = (
    "村子旁边有一条小河。春天的时候，河边的树都绿了。人们早上过桥去田里，晚上再走回来。",
    "图书馆在广场的北边，一共有四层。一楼可以看报纸，二楼和三楼是书，四楼是阅览室。",
)


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = []
    for speaker in _SPEAKERS:
        for label, emotion in _EMOTIONS.items():
            said = [
                (f"{number:02d}_{time}", text)
                for number, text in enumerate((*_PHRASES, *_SENTENCES), start=1)
                for time in (1, 2, 3)
            ]
            if label == "neutral":
                said += [(f"paragraph_{number}", text) for number, text in enumerate(_PARAGRAPHS, start=1)]
            turns += [
                Turn(
                    audio=f"audio/{speaker}/{label}_{name}.wav",
                    speaker=speaker,
                    text=text,
                    emotion=emotion,
                    label=label,
                )
                for name, text in said
            ]
    return chosen(turns, _SPEAKERS, size, rng)


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["audio", "speaker", "gender", "emotion", "text"])
    for turn in turns:
        writer.writerow([turn.audio, turn.speaker, _SPEAKERS[turn.speaker], turn.label, turn.text])
    return {"masc.csv": text.getvalue()}


LAYOUT = Layout(
    folder="MASC",
    language="cmn",
    speakers=_SPEAKERS,
    strength=acted_with(1.0),
    channel=Channel(
        sample_rate=22050, band=(80.0, 10000.0), slope=-0.8, ripple=2.0, noise=-3.0, snr=30.0,
        reverberation=0.25, reverberant=-14.0, level=-26.0,
    ),
    script=_script,
    label_files=_label_files,
)  # fmt: skip
