"""Each corpus's own ways: names, label files, traps; and the real corpora where they are at hand."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from data_prep import corpora, labels
from data_prep.errors import InputError


def by_id(name: str, path: Path) -> dict[str, corpora.Utterance]:
    return {utterance.utterance_id: utterance for utterance in corpora.read(name, path)}


def test_iemocaps_speaker_is_who_speaks_and_its_ratings_are_valence_activation_dominance(lay_out):
    turns = by_id("iemocap", lay_out("iemocap"))
    assert set(turns) == {"Ses01F_impro01_F000", "Ses01F_impro01_M001"}, "audio without a label is no utterance"
    woman, man = turns["Ses01F_impro01_F000"], turns["Ses01F_impro01_M001"]
    assert (woman.speaker, woman.gender, man.speaker, man.gender) == ("Ses01F", "female", "Ses01M", "male")
    assert (woman.valence, woman.arousal, woman.dominance) == (2.5, 2.0, 3.5)
    assert man.dominance is None and man.emotion == "exc"
    assert woman.audio == "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"


def test_iemocap_is_found_below_the_folder_that_holds_the_release(lay_out, tmp_path):
    path = lay_out("iemocap")
    outer = tmp_path / "outer"
    outer.mkdir()
    path.rename(outer / "IEMOCAP_full_release")
    assert len(corpora.read("iemocap", outer)) == 2


def test_an_unknown_label_of_iemocap_names_the_file_and_the_line(lay_out):
    path = lay_out("iemocap")
    file = path / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    file.write_text(file.read_text().replace("\tneu\t", "\tAngray\t"))
    with pytest.raises(InputError, match=rf"{file}:3 has the unknown label 'Angray'; .*ang, dis, exc"):
        corpora.read("iemocap", path)


def test_a_line_of_iemocap_that_is_no_summary_names_the_file_and_the_line(lay_out):
    path = lay_out("iemocap")
    file = path / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    file.write_text(file.read_text().replace("[2.5000, 2.0000, 3.5000]", "[2.5000"))
    with pytest.raises(InputError, match=rf"{file}:3 is no summary line"):
        corpora.read("iemocap", path)


IEMOCAP = {
    "neu": 1708, "hap": 595, "exc": 1041, "ang": 1103, "sad": 1084,
    "fru": 1849, "sur": 107, "fea": 40, "dis": 2, "oth": 3, "xxx": 2507,
}  # fmt: skip


def test_emotion4_of_iemocap_is_the_papers_5531_utterances_by_rule(tmp_path):
    raw = [label for label, count in IEMOCAP.items() for _ in range(count)]
    for session in range(1, 6):
        folder = tmp_path / f"Session{session}/dialog/EmoEvaluation"
        folder.mkdir(parents=True)
        for dialogue, part in (("impro01", 0), ("script01_1b", 1)):
            name = f"Ses0{session}F_{dialogue}"
            share = raw[2 * (session - 1) + part :: 10]
            rows = [
                f"[{n}.0 - {n}.9]\t{name}_{'FM'[n % 2]}{n:03d}\t{label}\t[3.0, 3.0, 3.0]\n"
                for n, label in enumerate(share)
            ]
            (folder / f"{name}.txt").write_text("% header\n\n" + "".join(rows))
    scheme = labels.load("emotion4")
    utterances = corpora.read("iemocap", tmp_path)
    classes = Counter(scheme.target("iemocap", utterance.emotion) for utterance in utterances)
    named = {name: classes[number] for number, name in enumerate(scheme.classes)}
    assert named == {"happy": 1636, "neutral": 1708, "sad": 1084, "angry": 1103}
    assert sum(named.values()) == 5531 and len(utterances) == 10039


def test_emotion4_of_msp_improv_has_the_papers_counts_by_rule(tmp_path):
    counts = {"A": 792, "H": 2644, "S": 885, "N": 3477, "X": 400, "O": 240}
    lines = []
    for number, label in enumerate(label for label, count in counts.items() for _ in range(count)):
        speaker, turn = ("F01", "M01", "F02", "M02")[number % 4], number // 4
        lines.append(f"UTD-IMPROV-S01A-{speaker}-S-FM{turn:04d}.avi; {label}; A:2.5; V:3.0; D:3.0 ; N:4.0;\n")
    (tmp_path / "Evaluation.txt").write_text("".join(lines))
    scheme = labels.load("emotion4")
    utterances = corpora.read("msp_improv", tmp_path)
    classes = Counter(scheme.target("msp_improv", utterance.emotion) for utterance in utterances)
    named = {name: classes[number] for number, name in enumerate(scheme.classes)}
    assert named == {"angry": 792, "happy": 2644, "sad": 885, "neutral": 3477}


def test_msp_improvs_session_ratings_and_missing_ratings(lay_out):
    turns = by_id("msp_improv", lay_out("msp_improv"))
    woman = turns["MSP-IMPROV-S01A-F01-P-FM01"]
    assert (woman.session, woman.speaker, woman.emotion) == ("01", "F01", "N")
    assert (woman.arousal, woman.valence, woman.dominance) == (2.5, 3.0, None)


def test_msp_improv_is_found_in_an_outer_audio_folder_and_a_missing_file_is_still_an_utterance(lay_out):
    path = lay_out("msp_improv")
    (path / "Audio").mkdir()
    (path / "session1").rename(path / "Audio/session1")
    turns = by_id("msp_improv", path)
    assert turns["MSP-IMPROV-S01A-F01-P-FM01"].audio.startswith("Audio/session1/")
    (path / turns["MSP-IMPROV-S01A-F01-P-FM01"].audio).unlink()
    assert len(by_id("msp_improv", path)) == 2


@pytest.mark.parametrize(
    "line", ["UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.5", "UTD-IMPROV-nonsense.avi; N; A:1; V:1; D:1;"]
)
def test_a_line_of_msp_improv_that_is_no_label_names_the_file_and_the_line(line, lay_out):
    path = lay_out("msp_improv")
    file = path / "Evalution.txt"
    file.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=rf"{file}:2 is no label line"):
        corpora.read("msp_improv", path)


def test_emodbs_letters_are_german_words(lay_out):
    meanings = corpora.load("emodb").labels
    assert (meanings["A"], meanings["F"], meanings["E"], meanings["W"]) == ("fear", "happy", "disgusted", "angry")
    assert by_id("emodb", lay_out("emodb"))["08b10Wb"].gender == "female"


@pytest.mark.parametrize("folder", ["wav", "wav_corpus", "."])
def test_emodb_is_read_from_any_of_its_usual_folders(folder, tmp_path):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "03a01Fa.wav").write_bytes(b"")
    assert [utterance.emotion for utterance in corpora.read("emodb", tmp_path)] == ["F"]


def test_a_file_with_an_unknown_letter_is_named(lay_out):
    path = lay_out("emodb")
    (path / "wav/03a01Qa.wav").write_bytes(b"")
    with pytest.raises(InputError, match=r"03a01Qa\.wav has the unknown label 'Q'"):
        corpora.read("emodb", path)


def test_ravdess_counts_the_doubled_copy_once_and_leaves_songs_and_strays_out(lay_out):
    found = by_id("ravdess", lay_out("ravdess"))
    assert set(found) == {"03-01-05-01-02-01-01", "03-01-01-01-01-01-02"}
    assert found["03-01-05-01-02-01-01"].audio == "Actor_01/03-01-05-01-02-01-01.wav"
    assert [found[name].gender for name in sorted(found)] == ["female", "male"], "even actors are women"


def manifest(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_manifest_takes_defaults_numbers_and_windows_line_ends(tmp_path):
    text = "audio,speaker,emotion,arousal,start,end\r\nx/ä.wav,ana,,3.5,1.0,2.5\r\n"
    (utterance,) = corpora.read("manifest", manifest(tmp_path, text, "utf-8-sig"))
    assert (utterance.utterance_id, utterance.gender, utterance.language) == ("x/ä", "unknown", "und")
    assert (utterance.emotion, utterance.arousal, utterance.start, utterance.end) == (None, 3.5, 1.0, 2.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("audio\na.wav\n", r":1 has no column 'speaker'"),
        ("audio,speaker,emoton\n", r":1 has the unknown column 'emoton'; known, nearest first: emotion"),
        ("audio,speaker\na.wav,\n", r":2 has no speaker"),
        ("audio,speaker,emotion\na.wav,x,angy\n", r":2 has the unknown label 'angy'; known, nearest first: angry"),
        ("audio,speaker,gender\na.wav,x,F\n", r":2 has gender 'F'; it must be female, male or unknown"),
        ("audio,speaker,arousal\nb.wav,y,2\na.wav,x,high\n", r":3 has arousal 'high'; it must be a number"),
        ("audio,speaker,emotion\na.wav,x\n", r":2 has not as many fields"),
        ("audio,speaker\na.wav,x,y\n", r":2 has not as many fields"),
        ("audio,speaker\na.wav,x\na.wav,y\n", r"utterance 'a' is there twice"),
    ],
)
def test_a_mistake_in_a_manifest_names_the_file_and_the_line(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        corpora.read("manifest", manifest(tmp_path, text))


def test_a_manifest_in_another_encoding_is_said(tmp_path):
    with pytest.raises(InputError, match="is not CSV in UTF-8"):
        corpora.read("manifest", manifest(tmp_path, "audio,speaker\nä.wav,x\n", "latin-1"))


def test_the_real_corpora_have_their_counts(real_corpora):
    found = {name: corpora.read(name, real_corpora / name) for name in ("emodb", "emovo", "ravdess")}
    classes = {name: Counter(u.emotion for u in utterances) for name, utterances in found.items()}
    assert classes["emodb"] == {"W": 127, "F": 71, "N": 79, "T": 62}
    assert set(classes["emovo"].values()) == {84} and len(classes["emovo"]) == 7
    assert classes["ravdess"] == {"01": 48} | {f"0{n}": 96 for n in range(2, 9)}
    assert {name: len({u.speaker for u in utterances}) for name, utterances in found.items()} == {
        "emodb": 10, "emovo": 6, "ravdess": 12,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "listing", "classes", "speakers"),
    [
        ("emodb", "EMO-DB", {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}, 10),
        ("ravdess", "RAVDESS", {"01": 96} | {f"0{n}": 192 for n in range(2, 9)}, 24),
    ],
)
def test_every_real_file_name_is_read_right(name, listing, classes, speakers, real_corpora, tmp_path):
    file = real_corpora.parent / "layouts" / f"{listing}.sha256.tsv"
    if not file.is_file():
        pytest.skip(f"there is no list of the real files of {listing} beside the corpora")
    with file.open() as lines:
        for row in csv.reader(lines, delimiter="\t"):
            if row and row[-1].endswith(".wav"):
                (tmp_path / row[-1]).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / row[-1]).touch()
    root = tmp_path
    while name == "emodb" and not (root / "wav").is_dir() and not list(root.glob("*.wav")):
        (root,) = root.iterdir()
    utterances = corpora.read(name, root)
    assert Counter(utterance.emotion for utterance in utterances) == classes
    assert len({utterance.speaker for utterance in utterances}) == speakers
