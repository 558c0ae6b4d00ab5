"""How label files are read, whatever wrote them."""

from __future__ import annotations

import codecs

import pytest

from data_prep.corpora._text import numbered_lines

TEXT = "école;1\n\nfin"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("latin-1"),
    ],
)
def test_lines_are_the_same_from_any_system_and_editor(encode, ending, tmp_path):
    file = tmp_path / "labels.txt"
    file.write_bytes(encode(TEXT.replace("\n", ending)))
    assert numbered_lines(file) == [(f"{file}:1", "école;1"), (f"{file}:2", ""), (f"{file}:3", "fin")]
