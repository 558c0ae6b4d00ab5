"""A tiny CREMA-D as its repository has it: every recording as wav and as mp3, and the tables beside them."""

NAMES = ("1001_DFA_ANG_XX", "1002_IEO_HAP_LO", "1076_MTI_SAD_XX")


def build(folder):
    folder.audio(*(f"AudioWAV/{name}.wav" for name in NAMES), *(f"AudioMP3/{name}.mp3" for name in NAMES))
    folder.audio(*(f"VideoFlash/{name}.flv" for name in NAMES))
    folder.text("SentenceFilenames.csv", '"Stimulus_Number","Filename"', '1,"1001_DFA_ANG_XX"')
    folder.text("VideoDemographics.csv", '"ActorID","Age","Sex","Race","Ethnicity"', '1001,51,"Male","Caucasian",""')
    return folder.path


def mislabel(folder):
    folder.audio("AudioWAV/1001_DFA_ANX_XX.wav")
    return "AudioWAV/1001_DFA_ANX_XX.wav"
