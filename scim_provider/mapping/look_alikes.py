"""Login names that people take for the same: by case, width, white space, invisible letters.

And by letters of other scripts that look like Latin ones. What a name folds to is looked up by
key, so this holds against accounts with plain names, which nearly all are.
"""

from __future__ import annotations

import unicodedata

from scim_provider.protocol.values import is_drawn

#: Letters that fonts draw like the Latin ones below them (Unicode Technical Standard 39).
_LATIN = str.maketrans(
    # Cyrillic
    "авеѕіјкмнорстухԁһӏԛԝүгѵьзАВЕЅІЈКМНОРСТУХԀҺӀԚԜҮѴЬЗ"
    # Greek
    "αοορνιυκτχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
    # Armenian, Latin of other alphabets, signs that stand for letters or digits
    "օսցոհյքıȷɑɡɩʋᴏᴠᴡᴢᴄ",
    "abesijkmhopctyxdhlqwyrvb3ABESIJKMHOPCTYXDHIQWYVB3aoopviuktxyABEZHIKMNOPTYXougnhjqijagiuovwzc",
)
#: Marks that separate, seen as the ASCII ones: other scripts' dots and dashes.
_SIGNS = str.maketrans({"․": ".", "。": ".", "‐": "-", "‑": "-", "–": "-", "−": "-", "‚": ","})


def spellings(name: str) -> tuple[str, ...]:
    """The usual spellings of a login name, always as many: what people take for the same."""
    typed = unicodedata.normalize("NFKC", name).strip()  # what Django makes of it in a form
    return tuple(cased for text in (name, typed, folded(name)) for cased in _cases(text))


def folded(name: str) -> str:
    """The plain name that ``name`` looks like: itself, for most."""
    if name.isascii() and name.isprintable() and not name.endswith((" ", ".")):
        return name
    text = unicodedata.normalize("NFKC", name)
    drawn = "".join(letter for letter in text if is_drawn(letter))
    return drawn.translate(_SIGNS).translate(_LATIN).strip().rstrip(". ") or name


def _cases(text: str) -> tuple[str, ...]:
    return text, text.lower(), text.upper(), text.capitalize(), text.title()
