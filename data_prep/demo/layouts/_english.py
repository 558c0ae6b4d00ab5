"""What the English demo corpora's speakers say to each other: sentences that fit any mood."""

from __future__ import annotations

import numpy as np

SHORT = (
    "Where did you put it?",
    "I told you yesterday.",
    "That is what she said.",
    "You are early today.",
    "We have to go now.",
    "It came in the mail.",
    "They are still outside.",
    "I did not see him.",
    "He called me this morning.",
    "What do you want to do?",
    "It is on the table.",
    "I was there all day.",
    "You never told me that.",
    "She moved to the city.",
    "Let me look at it.",
    "There is no more coffee.",
    "How long have you known?",
    "I will be back at nine.",
    "My brother has the keys.",
    "This is all we have.",
    "Do you remember the house?",
    "The train leaves at six.",
    "We can talk about it.",
    "I thought you knew.",
    "So that is your plan.",
    "He does not live here.",
    "You can have my seat.",
    "It has been ten years.",
    "I read the whole letter.",
    "Are you coming with us?",
    "They sold the old car.",
    "I heard you the first time.",
    "The phone rang twice.",
    "Just give me a minute.",
    "We met at the station.",
    "That was the last one.",
    "I have it in my bag.",
    "She wants to see you.",
    "It is already dark.",
    "You said it would be fine.",
)

CLAUSES = (
    "and I have been thinking about it ever since",
    "because nobody else was going to do it",
    "before the others come back from the airport",
    "and then we will see what happens",
    "even though you asked me about it twice last week",
    "while the rest of us were waiting in the car",
    "so I suppose we should call them tonight",
    "and you can ask my sister if you do not believe me",
)


def sentence(size: str, rng: np.random.Generator) -> str:
    """Something to say: a short sentence, in the full corpus most often a longer one."""
    short = str(rng.choice(SHORT))
    if size != "full" or rng.random() < 0.3:
        return short
    return f"{short[:-1]}, {rng.choice(CLAUSES)}{short[-1]}"
