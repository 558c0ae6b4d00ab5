"""A tiny FAU Aibo: both schools, whose first children have the same number, and audio without a label."""

FIVE = "labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt"
TWO = "labels/IS2009EmotionChallenge/chunk_labels_2cl_corpus.txt"


def build(folder):
    folder.text(FIVE, "Ohm_01_000_00 N 0.66", "Ohm_01_000_01 E 1.0", "Mont_01_002_00 P 0.80", "Mont_02_003_00 R")
    folder.text(TWO, "Ohm_01_000_00 NEG 0.70", "Ohm_01_000_01 NEG 1.0", "Mont_01_002_00 IDL 0.80", "Mont_02_003_00 IDL")
    chunks = ("Ohm_01_000_00.wav", "Ohm_01_000_01.WAV", "Mont_01_002_00.wav", "Mont_02_003_00.wav")
    folder.audio(*(f"wav/{chunk}" for chunk in chunks), "wav/Ohm_01_001_00.wav", "wav/._Ohm_01_000_00.wav")
    return folder.path


def mislabel(folder):
    folder.replace(FIVE, "01 E 1.0", "01 Emph 1.0")
    return f"{FIVE}:2"
