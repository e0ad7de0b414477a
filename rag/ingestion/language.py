"""Whether a text is in a language that the local encoder knows: English."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

__all__ = ["foreign_language"]

_SAMPLE = 1500
_WORD = re.compile(r"[^\W\d_]+")

# Function words that are frequent in one language and rare in the others.
_FUNCTION_WORDS = {
    "English": "the of and to in that is was for on with as by at from it be are this have has had not but he they",
    "German": "der die das und ist nicht ein eine den dem des mit von zu auf für sich auch im wird hat sie dass",
    "French": "le la les des et est une un du dans pour que qui sur avec pas au aux ce cette il elle par plus",
    "Spanish": "el la los las de que y en un una por con para es del se al lo su como más pero no fue",
    "Portuguese": "o os as que de do da dos das em um uma para com não por no na mais foi são ao pelo",
    "Italian": "il lo la gli di che e un una per con non del della dei sono è nel alla ha si da anche",
    "Dutch": "de het een en van is dat op te in zijn voor met niet aan er om door ook maar bij naar",
    "Polish": "i w na z się nie do że jest to o jak po za od przez ale który są oraz dla",
    "Turkish": "ve bir bu için ile da de olarak olan çok daha gibi kadar sonra ise en ne var",
    "Swedish": "och att det som en på är av för med den till inte har om ett var från",
    "Indonesian": "yang dan di dengan untuk dari ini itu pada tidak dalam akan ke oleh juga adalah",
}
_OF_SCRIPT = {
    "Cjk": "Chinese, Japanese or Korean",
    "Hiragana": "Japanese",
    "Katakana": "Japanese",
    "Hangul": "Korean",
}
_LANGUAGES = {name: frozenset(listed.split()) for name, listed in _FUNCTION_WORDS.items()}


def foreign_language(text: str) -> str | None:
    """The language or script of a text that is not English, as words to show; None for English.

    Judged by script and function words of the first 1,500 characters; too little text passes as English.
    """
    sample = text[:_SAMPLE]
    words = Counter(_WORD.findall(sample.lower()))
    count = words.total()
    english = sum(words[word] for word in _LANGUAGES["English"])
    if english > count * 0.15:
        return None
    if script := _foreign_script(sample):
        return script
    if count < 20:
        return None
    shares = {name: sum(words[word] for word in listed) / count for name, listed in _LANGUAGES.items()}
    likeliest = max(shares, key=lambda name: shares[name])
    return likeliest if likeliest != "English" and shares[likeliest] >= 0.1 else None


def _foreign_script(sample: str) -> str | None:
    scripts = Counter(_script(char) for char in sample if char.isalpha())
    latin = scripts.pop("Latin", 0)
    if scripts.total() <= latin:
        return None
    script = scripts.most_common(1)[0][0]
    return _OF_SCRIPT.get(script, f"{script} script")


def _script(char: str) -> str:
    return unicodedata.name(char, "unknown").split()[0].title()
