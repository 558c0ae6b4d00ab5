"""A tiny CaFE, its folders named as unpacking with the wrong code page leaves them."""


def build(folder):
    folder.audio("CaFE_48k/ColŠre/Faible/01-C-1-1.wav", "CaFE_48k/D‚go–t/Fort/02-D-2-6.WAV")
    folder.audio("CaFE_48k/Neutre/12-N-1-3.wav", "__MACOSX/CaFE_48k/Neutre/._12-N-1-3.wav")
    folder.text("Readme.txt", "CaFE")
    return folder.path


def mislabel(folder):
    folder.audio("CaFE_48k/Peur/Fort/01-F-2-1.wav")
    return "CaFE_48k/Peur/Fort/01-F-2-1.wav"
