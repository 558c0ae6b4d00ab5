"""A tiny EMOVO."""


def build(folder):
    folder.audio("EMOVO/f1/gio-f1-b1.wav", "EMOVO/m2/tri-m2-n5.WAV", "EMOVO/f1/._gio-f1-b1.wav")
    return folder.path


def mislabel(folder):
    folder.audio("EMOVO/f1/fel-f1-b1.wav")
    return "EMOVO/f1/fel-f1-b1.wav"
