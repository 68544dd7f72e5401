"""Text as the models read it: the same in training and in use.

Platforms deliver HTML entities, literal escapes from bad exports, tracking links and handles.
None of them carries sentiment, and each would cost tokens of its own.
"""

import html
import re
import unicodedata

import emoji

#: What handles become.
HANDLE = "@user"

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\bhttp\b", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@])@\w+")
_TAG = re.compile(r"(?<![\w@#])[@#](\w+)")
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u201c": '"', "\u201d": '"'})
_SPACE = re.compile(r"\s+")
_NOT_WORD = re.compile(r"\W+|_")

#: Letters that a target must have to be looked for in handles: shorter ones start too many.
_SHORTEST = 3


def normalise(text: str, target: str | None = None) -> str:
    """Return `text` with entities decoded, links as "http", handles as "@user", emoji as words.

    A handle or hashtag that spells `target` ("@VirginAmerica" or "@virginamericaair" for
    "Virgin America") becomes the target's name instead: it says whom the text is about, which
    a model that judges toward a target needs.
    """
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    # Bad exports write astral characters as two escapes; joining the halves makes the emoji.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = html.unescape(html.unescape(text))
    text = unicodedata.normalize("NFC", text).translate(_QUOTES)
    text = _LINK.sub("http", text)
    if target is not None and len(spelling := _spelling(target)) >= _SHORTEST:
        text = _TAG.sub(
            lambda found: target if _spelling(found[1]).startswith(spelling) else found[0], text
        )
    text = _HANDLE.sub(HANDLE, text)
    text = emoji.replace_emoji(text, _in_words)
    return _SPACE.sub(" ", text).strip()


def _in_words(_chars: str, data: dict[str, str]) -> str:
    return f" {data['en'].strip(':').replace('_', ' ')} "


def _spelling(name: str) -> str:
    return _NOT_WORD.sub("", name).casefold()
