"""Cuts a stream of text into clauses to be spoken: the first as short as sounds natural, then sentences."""

from __future__ import annotations

MIN_WORDS = 3  # shorter utterances come out garbled from small synthesisers, so they are joined to the next
LIMIT_CHARS = 250  # about fifteen seconds of speech
SCARCE_S = 1.5  # with less speech waiting than this, a sentence is not waited for

# Joints of a sentence, before which a clause may end when it has so many words: "and" may join mere names,
# and with fewer than five a clause sounds torn off.
_JOINTS = {"and": 8, "or": 8} | dict.fromkeys(
    ("although", "because", "but", "if", "unless", "until", "when", "where", "which", "while"), 5
)
_BEFORE_NO_JOINT = frozenset(
    {"a", "about", "after", "an", "and", "are", "as", "at", "before", "but", "by", "during", "even", "except"}
    | {"for", "from", "how", "in", "into", "is", "just", "nested", "not", "of", "on", "only", "or", "than"}
    | {"that", "the", "this", "through", "to", "under", "was", "what", "with"}
)
_SENTENCE_END = frozenset(".!?…")
_SOFT_END = frozenset(",:;—")
_CLOSERS = frozenset("\"'”’)]}*_`")
_OPENERS = {"(": ")", "[": "]", "{": "}"}
_ABBREVIATIONS = frozenset(
    {"e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "dr.", "mr.", "mrs.", "ms.", "prof.", "st.", "fig."}
    | {"eq.", "sec.", "ver.", "esp.", "incl.", "resp.", "al."}
)
_BEFORE_NUMBER = frozenset({"no.", "nos.", "p.", "pp.", "v.", "ch.", "l."})


class Clauses:
    """An incremental chunker. What it gives depends on the text, not on how it was cut into deltas.

    While little speech is waiting to be heard, a clause may end at a comma or before a joint of the sentence,
    as the first one may.

    A clause is complete when the first character of the next one is seen, so that the meaning of its last
    mark is known: 3.14, calc.py and "e.g." hold together. Inline code is never cut, and a fenced code block
    is one clause, whatever its length.
    """

    def __init__(self, *, short_first: bool = True) -> None:
        """With `short_first`, the first clause may end within a sentence, otherwise it ends as all others."""
        self._short_first = short_first
        self._is_first = True
        self._in_fence = False
        self._is_scarce = False
        self._restart()

    def feed(self, delta: str, waiting_s: float | None = None) -> list[str]:
        """The clauses that `delta` completes. `waiting_s` of speech are not heard yet; None: not known."""
        self._is_scarce = waiting_s is not None and waiting_s < SCARCE_S
        done: list[str] = []
        for character in delta:
            if self._in_fence:
                self._fence(character, done)
            else:
                self._prose(character, done)
        return done

    def finish(self) -> list[str]:
        """What is left, and a fresh start."""
        done: list[str] = []
        self._emit(done)
        self._is_first = True
        self._in_fence = False
        return done

    def _prose(self, character: str, done: list[str]) -> None:
        if character.isspace():
            self._settle_ticks()
            self._gap = True
            if character == "\n":
                self._newline = True
                self._span_ticks = 0  # inline code that a line leaves open was a stray backtick
                self._brackets.clear()
        else:
            if self._gap:
                if self._may_end(character):
                    self._emit(done)
                elif self._may_be_short() and self._ends_with_joint():
                    self._cut_before_joint(done)
                elif len(self._text) >= LIMIT_CHARS:
                    self._cut_at_space(done)
                self._gap = self._newline = False
            self._track_code(character)
        self._text.append(character)
        if self._ticks == 3 and self._opens_line():
            self._open_fence(done)
        elif len(self._text) >= 2 * LIMIT_CHARS:
            self._cut_at_space(done)

    def _fence(self, character: str, done: list[str]) -> None:
        self._text.append(character)
        if character == "\n":
            if "".join(self._line).strip().startswith("```"):
                self._in_fence = False
                self._emit(done)
            self._line = []
        else:
            self._line.append(character)

    def _track_code(self, character: str) -> None:
        if character == "`":
            self._ticks += 1
            return
        self._settle_ticks()
        if self._span_ticks:
            return
        if character in _OPENERS:
            self._brackets.append(_OPENERS[character])
        elif self._brackets and character == self._brackets[-1]:
            self._brackets.pop()

    def _settle_ticks(self) -> None:
        """A run of backticks is over: it opens inline code, or closes it when as long as the opening run."""
        if self._ticks and self._span_ticks in (0, self._ticks):
            self._span_ticks = self._ticks - self._span_ticks
        self._ticks = 0

    def _may_end(self, following: str) -> bool:
        """Whether the clause so far ends here, before white space and then `following`."""
        text = "".join(self._text).rstrip()
        if self._span_ticks or len(text.split()) < MIN_WORDS:
            return False
        if self._newline:
            return True
        bare = text.rstrip("".join(_CLOSERS))
        mark = bare[-1:]
        if mark in _SENTENCE_END:
            last_word = bare.split()[-1].lstrip("".join(_OPENERS)).lower()
            if last_word in _ABBREVIATIONS or (last_word in _BEFORE_NUMBER and following.isdigit()):
                return False
            initial = len(last_word) == 2 and bare[-2:-1].isupper() and following.isupper()
            numbering = last_word[:-1].isdigit() and self._starts_line(bare, len(last_word))
            return not initial and not numbering
        if not self._may_be_short():
            return False
        return mark in _SOFT_END and not (mark == "," and bare[-2:-1].isdigit() and following.isdigit())

    def _may_be_short(self) -> bool:
        """Whether the clause may end within a sentence."""
        return ((self._short_first and self._is_first) or self._is_scarce) and not self._brackets

    def _ends_with_joint(self) -> bool:
        words = "".join(self._text).split()
        least = _JOINTS.get(words[-1]) if words and not self._span_ticks else None
        return least is not None and len(words) > least and words[-2].lower() not in _BEFORE_NO_JOINT

    def _cut_before_joint(self, done: list[str]) -> None:
        text = "".join(self._text).rstrip()
        self._cut(len(text) - len(text.split()[-1]), done)

    @staticmethod
    def _starts_line(text: str, word_length: int) -> bool:
        before = text[: len(text) - word_length].rstrip(" \t")
        return not before or before.endswith("\n")

    def _opens_line(self) -> bool:
        line = "".join(self._text).rpartition("\n")[2]
        return line.strip() == "```"

    def _open_fence(self, done: list[str]) -> None:
        opened = "".join(self._text)
        self._text = list(opened[: opened.rindex("```")])
        self._emit(done)
        self._in_fence = True
        self._text = list("```")

    def _cut_at_space(self, done: list[str]) -> None:
        """An overlong sentence: cut it at its last soft mark if that is late enough, else at a space."""
        text = "".join(self._text)
        spaces = _spaces_outside_code(text)
        soft = [i for i in spaces if i > LIMIT_CHARS // 2 and text[i - 1] in _SOFT_END]
        self._cut((soft or spaces or [len(text)])[-1], done)

    def _cut(self, cut: int, done: list[str]) -> None:
        """So many characters are a clause; the rest begins the next one."""
        text = "".join(self._text)
        rest = text[cut:].lstrip()
        self._text = list(text[:cut])
        self._emit(done)
        for character in rest:
            if character.isspace():
                self._settle_ticks()
            else:
                self._track_code(character)
            self._text.append(character)

    def _emit(self, done: list[str]) -> None:
        text = "".join(self._text).strip()
        if text:
            done.append(text)
            self._is_first = False
        self._restart()

    def _restart(self) -> None:
        self._text: list[str] = []
        self._line: list[str] = []  # the current line of a fenced block, without the opening line's backticks
        self._gap = False
        self._newline = False
        self._ticks = 0  # length of the run of backticks we are in
        self._span_ticks = 0  # length of the run that opened the inline code we are in
        self._brackets: list[str] = []


def _spaces_outside_code(text: str) -> list[int]:
    """Indices of white space after the first character, outside inline code if there is any there."""
    spaces = [i for i, character in enumerate(text) if i and character.isspace()]
    return [i for i in spaces if text.count("`", 0, i) % 2 == 0] or spaces
