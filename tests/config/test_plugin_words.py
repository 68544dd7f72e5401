"""What is said of plugins that are not there, in the reader's language."""

from __future__ import annotations

import pytest

from config.errors import InputError
from config.language import reading_as, told
from config.plugins import load_plugin
from listener.collector import Collector
from sentiment.scorer import Scorer


@pytest.mark.parametrize(
    ("kind", "folder", "english", "spanish"),
    [
        (Collector, "listener.collectors", "no collector named", "ningún recolector llamado"),
        (Scorer, "sentiment.scorers", "no scorer named", "ningún modelo llamado"),
    ],
)
def test_kinds_of_plugins_are_named_in_the_readers_language(
    kind: type[object], folder: str, english: str, spanish: str
) -> None:
    with pytest.raises(InputError, match=english) as caught:
        load_plugin(folder, "myspace", kind)

    with reading_as("es"):
        assert spanish in str(told(caught.value.args[0]))
