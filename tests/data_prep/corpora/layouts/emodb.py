"""A tiny EMO-DB."""


def build(folder):
    folder.audio("wav/03a01Fa.wav", "wav/08b10Wb.WAV", "wav/16a07Lc.wav", "wav/._03a01Fa.wav")
    folder.text("erkennung.txt", "Nr.\tSatz\terkannt\tnatuerlich", "3\t03a01Fa.wav\t90,00\t75,00")
    folder.text("silb/03a01Fa.silb", "0.080080\tder", ".")
    return folder.path


def mislabel(folder):
    folder.audio("wav/03a01Qa.wav")
    return "wav/03a01Qa.wav"
