"""Corpora in, Parquet feature stores out. Knows audio; knows no model.

In a notebook, two lines open a store:

    import data_prep
    store = data_prep.open("stores/mine")

Then ``store.summary()`` says what is in it, ``store.rows("emodb")`` gives the utterances as an Arrow table, and
``store.features("emodb")["03a01Fa"]`` the features of one, an array of shape (frames, dimensions). What the columns are
and how to read them with none of this code is in ``docs/feature_store.md``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_prep.store import Store


def open(store: str | os.PathLike[str]) -> Store:
    """The feature store in a folder, or at an address such as ``s3://bucket/store``, for looking into it.

    Raises:
        InputError: there is none, or it was made by an incompatible version.
    """
    from data_prep.places import place
    from data_prep.store import open_store  # here, so that a module of this package can be imported without Parquet

    return open_store(place(store))
