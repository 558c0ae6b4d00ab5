"""A tiny SAVEE as it is published: the speaker is in the folder alone."""


def build(folder):
    folder.audio("AudioData/DC/a01.wav", "AudioData/JE/sa02.wav", "AudioData/KL/su15.WAV", "AudioData/DC/._a01.wav")
    folder.text("AudioData/Info.txt", "'DC', 'JE', 'JK' and 'KL' are four male speakers")
    return folder.path


def mislabel(folder):
    folder.audio("AudioData/DC/s01.wav")
    return "AudioData/DC/s01.wav"
