"""A tiny IEMOCAP: two turns with a label, one that only the transcript has, and what lies beside the label files."""

LABELS = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"


def build(folder):
    folder.text(
        LABELS,
        "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]",
        "",
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.0000, 3.5000]",
        "C-E2:\tNeutral;\t()",
        "C-F1:\tNeutral; Anger;\t(curious)",
        "A-E3:\tval 3; act 2; dom  2;\t()",
        "A-F1:\tval 3; act 2; dom  ;\t()",
        "",
        "[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[4.0000, 3.5000, nan]",
        "C-E2:\tExcited;\t()",
        "",
    )
    folder.audio("Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt")
    for kind in ("Attribute", "Categorical", "Self-evaluation"):
        name = f"Session1/dialog/EmoEvaluation/{kind}/Ses01F_impro01_e3.txt"
        folder.text(name, "Ses01F_impro01_F000 :act 2; :val 3; :dom  2; :()")
    wav = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01"
    folder.audio(f"{wav}_F000.wav", f"{wav}_M001.WAV", f"{wav}_FXX0.wav", "Session1/dialog/wav/Ses01F_impro01.wav")
    return folder.path


def mislabel(folder):
    folder.replace(LABELS, "\tneu\t", "\tAngray\t")
    return f"{LABELS}:3"
