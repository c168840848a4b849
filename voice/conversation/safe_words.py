"""Words that make things quieter or safer are listened for harder than others, while they may come. Pure.

One short word, over a loudspeaker above all, is what Whisper mishears most: "stop" comes out as "start", as
"stub", or as nothing that it would vouch for; "no" as "know". What a mistake costs differs widely, though. A
false stop is taken back by "continue", a false no by asking once more; a stop that is not heard is why people
pull the plug. So while Utter speaks, or waits for a word, the recogniser is also asked how likely those few
words are, and a fair chance is enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from voice.conversation.command_table import Tier
from voice.conversation.commands import Situation, commands_in

STOPS = (
    "Stop", "Stop it", "Stop that", "Be quiet", "Quiet", "Shut up", "Silence", "Wait", "Pause", "Hold on",
)  # fmt: skip
"""Each is a command after which Utter is silent."""

DENIALS = ("No", "Nope", "No no", "Do not", "Don't")
"""Each is a no to a question."""

# Log probability that a word is all that was said. Tuned on the words of `python -m bench conversation`.
_LIKELY = -5.8
_MOST_WORDS = 2  # with more, something else was said
_LONGEST_S = 1.4  # of speech: no one takes longer for these


def safe_word_or(text: str, words: Sequence[str], likelihoods: Sequence[float], speech_s: float) -> str:
    """`text`, or the one of `words` that was rather said; `likelihoods` are theirs, none if not asked for.

    `text` is empty when what was heard was not believed. What was plainly heard as a command of that kind
    stays what it is: "stop stop stop" is more than "stop", and "yes" is not "no".
    """
    if not likelihoods or speech_s > _LONGEST_S or len(text.split()) > _MOST_WORDS:
        return text
    if any(spoken.command.tier is Tier.SAFETY for spoken in commands_in(text, Situation(question=True))):
        return text
    likeliest = max(range(len(words)), key=lambda number: likelihoods[number])
    return f"{words[likeliest]}." if likelihoods[likeliest] >= _LIKELY else text
