"""A tiny LibriSpeech: two subsets, and a reader's name that holds the bar that parts the fields."""


def build(folder):
    folder.text(
        "LibriSpeech/SPEAKERS.TXT",
        "; Some pipe(|) separated metadata",
        ";ID  |SEX| SUBSET           |MINUTES| NAME",
        "19   | F | train-clean-100  | 25.19 | Kara Shallenberg",
        "60   | M | train-clean-100  | 20.18 | |CBW|Simon",
        "84   | F | dev-clean        | 8.02  | Christie Nowak",
    )
    folder.text(
        "LibriSpeech/train-clean-100/19/198/19-198.trans.txt", "19-198-0000 NORTHANGER ABBEY", "19-198-0001 THIS"
    )
    folder.audio(
        "LibriSpeech/train-clean-100/19/198/19-198-0000.flac",
        "LibriSpeech/train-clean-100/19/198/19-198-0001.flac",
        "LibriSpeech/train-clean-100/60/121082/60-121082-0000.FLAC",
        "LibriSpeech/dev-clean/84/121123/84-121123-0000.flac",
        "LibriSpeech/train-clean-100/19/198/._19-198-0000.flac",
    )
    return folder.path
