"""Short words are listened for harder than others, while they may come. Pure.

One short word is what Whisper mishears most: "stop" comes out as "start", "faster" as "Vastu", "skip" as
nothing that it would vouch for. So the recogniser is also asked how likely it is that one of a few words is
all that was said. What a mistake costs differs, and with it how likely a word must be. A false stop is taken
back by "continue", a false no by asking once more; a stop that is not heard is why people pull the plug: a
fair chance is enough, whatever Whisper wrote. Other commands are taken in place of words that it did not
believe in, or of others if they are far likelier.
"""

from __future__ import annotations

from collections.abc import Sequence

from voice.conversation.command_table import Name, Tier
from voice.conversation.commands import Situation, commands_in

STOPS = (
    "Stop", "Stop it", "Stop that", "Be quiet", "Quiet", "Shut up", "Silence", "Wait", "Pause", "Hold on",
)  # fmt: skip
"""Each is a command after which Utter is silent."""

DENIALS = ("No", "Nope", "No no", "Do not", "Don't")
"""Each is a no to a question."""

HARMLESS = (
    "Louder", "Softer", "Slower", "Faster", "Skip", "Back", "Go back", "Repeat", "Again", "Continue", "Go on",
    "Next", "Previous", "Help", "Undo", "Redo", "Status", "Shorter", "Next line", "Repeat that", "Undo that",
    "Spell that", "What changed", "Where am I",
)  # fmt: skip
"""Each is a command that can be said again or taken back, or that asks before it does anything."""

LONGEST_S = 1.4
"""Of speech: no one takes longer for these."""

# Log probabilities that a word is all that was said. Of 168 commands of one to three words in six voices, 132
# are heard by these and 71 without; of 165 other words, one is taken that Whisper had believed in, and nine
# that it had not ("skipped", "text").
_FAIR = -5.8  # of a stop or a no; tuned on the words of `python -m bench conversation`
_MOST_WORDS = 2  # with more, it was no stop
_LIKELY = -7.0  # of another command, where no words were believed,
_AS_LIKELY, _NEARLY = -4.0, 2.5  # and where some were: so likely, and hardly less than those
_DEAFENING = (Name.GOODBYE, Name.MUTE, Name.SLEEP, Name.DEEP_SLEEP)
_MORE_WORDS = 1  # than the command has; with more, something else was said


def listened_for(situation: Situation, *, is_sounding: bool, is_alone: bool = True) -> tuple[str, ...]:
    """The words that may come; `is_sounding` while there is something to stop.

    Not `is_alone` are words that may be Utter's own, or the rest of others: with them only stops may come.
    """
    if situation.question:
        return (*DENIALS, *STOPS) if is_sounding else DENIALS
    is_free = not (situation.asleep or situation.dictation or situation.choice)
    commands = HARMLESS if is_free and is_alone else ()
    return (*STOPS, *commands) if is_sounding else commands


def is_command(text: str) -> bool:
    """Whether it is one that costs little if it was misheard, so that no other words are looked for.

    Not so one with words or numbers of its own, and one after which nothing is heard.
    """
    spoken = commands_in(text, Situation())
    return bool(spoken) and all(
        one.command.tier is not Tier.CONFIRM and not (one.numbers or one.texts or one.name in _DEAFENING)
        for one in spoken
    )


def is_no_command(text: str) -> bool:
    """Whether it may be taken for other words, or they for it."""
    return not commands_in(text, Situation())


def short_word_or(
    text: str,
    words: Sequence[str],
    likelihoods: Sequence[float],
    speech_s: float,
    text_logprob: float = 0.0,
) -> str:
    """`text`, or the one of `words` that was rather said; `likelihoods` are theirs, none if not asked for.

    `text` is empty when what was heard was not believed; `text_logprob` says how likely it was. What was
    plainly heard as a command of that kind stays what it is: "stop stop stop" is more than "stop", and "yes"
    is not "no".
    """
    if speech_s > LONGEST_S:
        return text
    if any(spoken.command.tier is Tier.SAFETY for spoken in commands_in(text, Situation(question=True))):
        return text
    likely, n_words = dict(zip(words, likelihoods, strict=False)), len(text.split())
    command = commands_in(text, Situation())
    quieter = _likeliest({word: likely[word] for word in likely if word not in HARMLESS}, _FAIR)
    if quieter and n_words <= _MOST_WORDS and not (command and text_logprob > likely[quieter]):
        return f"{quieter}."
    least = max(_AS_LIKELY, text_logprob - _NEARLY) if text else _LIKELY
    of_length = {word: likely[word] for word in likely if n_words <= len(word.split()) + _MORE_WORDS}
    said = _likeliest({word: of_length[word] for word in of_length if word in HARMLESS}, least)
    return f"{said}." if said and not command else text


def _likeliest(likely: dict[str, float], least: float) -> str:
    word = max(likely, key=likely.__getitem__, default="")
    return word if word and likely[word] >= least else ""
