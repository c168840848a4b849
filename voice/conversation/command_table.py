"""The local commands as data: what each does, its key, its tier, and every way to say it.

A pattern is words. `[a|b]` may be left out, `(a|b)` must be one of them, `{a|b}` too and is handed on as an
argument. Slots are `<number>`, `<letters>`, `<words>`, `<name>` (one or two words that may be a name),
`<term>` (up to three such) and `<aside>` (anything, said to someone else). Sources of the vocabulary: Talon,
Serenade, screen readers and voice assistants.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Name(str, Enum):
    """Each thing that a command can do."""

    STOP = "stop"
    ABORT = "abort"
    CANCEL = "cancel"
    PAUSE = "pause"
    TAKE_YOUR_TIME = "take_your_time"
    USUAL_TIME = "usual_time"
    CONTINUE = "continue"
    REPEAT = "repeat"
    AGAIN = "again"
    SKIP = "skip"
    BACK = "back"
    SLOWER = "slower"
    FASTER = "faster"
    NORMAL_SPEED = "normal_speed"
    LOUDER = "louder"
    SOFTER = "softer"
    SHORTER = "shorter"
    MORE_DETAIL = "more_detail"
    QUIET_MODE = "quiet_mode"
    FULL_NARRATION = "full_narration"
    SPELL_THAT = "spell_that"
    READ_EXACTLY = "read_exactly"
    PUNCTUATION = "punctuation"
    READ_LINES = "read_lines"
    READ_FUNCTION = "read_function"
    NEXT_LINE = "next_line"
    PREVIOUS_LINE = "previous_line"
    WHERE_AM_I = "where_am_i"
    WHAT_CHANGED = "what_changed"
    STATUS = "status"
    SLEEP = "sleep"
    DEEP_SLEEP = "deep_sleep"
    WAKE = "wake"
    DEEP_WAKE = "deep_wake"
    SEND = "send"
    DICTATION_ON = "dictation_on"
    DICTATION_OFF = "dictation_off"
    SCRATCH_THAT = "scratch_that"
    TRY_AGAIN = "try_again"
    CORRECT_THAT = "correct_that"
    PICK = "pick"
    I_SAID = "i_said"
    SPELL_IT = "spell_it"
    UNDO = "undo"
    REDO = "redo"
    APPROVE = "approve"
    YES = "yes"
    NO = "no"
    EXPLAIN = "explain"
    OPTION = "option"
    READ_ONLY = "read_only"
    ASK_FIRST = "ask_first"
    ALLOW_EDITS = "allow_edits"
    ADD_WORD = "add_word"
    REPLACE_WORD = "replace_word"
    FORGET_WORD = "forget_word"
    MUTE = "mute"
    UNMUTE = "unmute"
    HELP = "help"
    SWITCH_VOICE = "switch_voice"
    PLAIN_VOICE = "plain_voice"
    SAVE_TRANSCRIPT = "save_transcript"
    START_OVER = "start_over"
    GOODBYE = "goodbye"
    LITERAL = "literal"


class Tier(str, Enum):
    """How a command is trusted."""

    SAFETY = "safety"  # makes things quieter or safer: works in every state
    HARMLESS = "harmless"  # can be done again or taken back by the next word
    CONFIRM = "confirm"  # says what it is about to do, and waits for a yes


class Needs(str, Enum):
    """What must be going on for a command to be meant; else the words go to the agent."""

    NOTHING = "nothing"
    QUESTION = "question"  # one waits for a yes or a no
    CHOICE = "choice"  # numbered choices, or readings of what was heard, have been told
    DICTATION = "dictation"


@dataclass(frozen=True)
class Command:
    """One command. `group` numbers the families of commands; `key` does the same on the keyboard."""

    group: int
    name: Name
    tier: Tier
    key: str
    does: str
    says: tuple[str, ...]
    needs: Needs = Needs.NOTHING


_S, _H, _C = Tier.SAFETY, Tier.HARMLESS, Tier.CONFIRM

COMMANDS: tuple[Command, ...] = (
    Command(1, Name.STOP, _S, "s", "falls silent; work goes on", (
        "stop", "stop (talking|speaking|reading|it|that)", "[be] quiet", "shush", "hush", "shut up",
        "silence", "that is enough", "stop there", "stop please")),
    Command(2, Name.ABORT, _S, "S", "ends the turn, kills what it runs, says what was killed", (
        "stop stop stop", "abort abort abort", "abort", "stop everything", "stop all work")),
    Command(3, Name.CANCEL, _S, "c", "drops what was just said, or the question", (
        "cancel", "cancel (that|it|this|cancel)", "never mind", "forget it", "ignore that")),
    Command(4, Name.PAUSE, _H, "p", "holds what is being said, or gives you time to think", (
        "pause", "hold (on|it)", "hang on", "wait", "wait (a|one) (second|minute|moment|sec)",
        "(a|one) (second|minute|moment|sec)", "give me (a|one) (second|minute|moment|sec)", "let me think")),
    Command(4, Name.TAKE_YOUR_TIME, _H, "T", "waits twice as long when you pause", (
        "take your time", "be patient", "i need (more|some) time")),
    Command(4, Name.USUAL_TIME, _H, "t", "waits as long as usual when you pause", (
        "(normal|usual) (timing|patience)", "back to (normal|usual) timing")),
    Command(5, Name.CONTINUE, _H, "g", "goes on at the word, or with the next part of the answer", (
        "continue", "go on", "resume", "[tell me] more", "carry on", "keep going")),
    Command(6, Name.REPEAT, _H, "r", "says the last thing again", (
        "repeat [that|it]", "say (that|it) again", "say again", "pardon", "[i] beg your pardon",
        "what did you say", "come again", "sorry what")),
    Command(6, Name.AGAIN, _H, "R", "once more, a step further back or a step slower", (
        "again", "once more", "one more time")),
    Command(7, Name.SKIP, _H, "n", "goes to the next sentence or item", (
        "skip [that|this|it|ahead|forward]", "next [one|sentence|item]")),
    Command(7, Name.BACK, _H, "b", "goes to the sentence or item before", (
        "[go|skip] back", "previous [one|sentence|item]")),
    Command(8, Name.SLOWER, _H, "<", "speaks slower", (
        "[speak|talk|go] [a bit|a little] slower", "slow down", "too fast")),
    Command(8, Name.FASTER, _H, ">", "speaks faster", (
        "[speak|talk|go] [a bit|a little] faster", "speed up", "too slow")),
    Command(8, Name.NORMAL_SPEED, _H, "=", "speaks at the usual speed", ("(normal|usual) speed",)),
    Command(9, Name.LOUDER, _H, "+", "speaks louder", (
        "[speak] [a bit|a little] louder", "speak up", "volume up", "turn it up")),
    Command(9, Name.SOFTER, _H, "-", "speaks softer", (
        "[speak] [a bit|a little] softer", "volume down", "turn it down")),
    Command(10, Name.SHORTER, _H, "v", "answers shorter from now on", (
        "[be] shorter", "[be] (brief|briefer)", "less detail", "shorter answers")),
    Command(10, Name.MORE_DETAIL, _H, "V", "answers in more detail from now on", (
        "more (detail|details)", "[be] more detailed", "longer answers")),
    Command(10, Name.QUIET_MODE, _H, "q", "says results, questions and failures only", (
        "quiet mode", "quiet mode (on|please)")),
    Command(10, Name.FULL_NARRATION, _H, "Q", "says every step as it is taken", ("full narration",)),
    Command(11, Name.SPELL_THAT, _H, "l", "spells the last name; said again, in words for letters", (
        "spell (that|it)", "spell (that|it) (again|out)", "how is (that|it) spelled")),
    Command(12, Name.READ_EXACTLY, _H, "x", "reads the last code or command mark by mark", (
        "read (it|that|this) (exactly|literally|verbatim)", "read exactly", "[read it] word for word")),
    Command(12, Name.PUNCTUATION, _H, "X", "says more or fewer of the marks in code", (
        "punctuation {on|off|none|some|most|all}", "{some|most|all|no} punctuation")),
    Command(13, Name.READ_LINES, _H, "j", "reads lines of the file", (
        "[read] (line|lines) <number>", "[read] (line|lines) <number> (to|through|until) [line] <number>",
        "[read] (line|lines) <number> <number>", "read from line <number> to [line] <number>")),
    Command(13, Name.READ_FUNCTION, _H, "f", "reads the function you are in", (
        "read (this|the|that) [current|whole] (function|method)",)),
    Command(13, Name.NEXT_LINE, _H, "down", "reads the next line", ("[read] [the] next line",)),
    Command(13, Name.PREVIOUS_LINE, _H, "up", "reads the line before", (
        "[read] [the] previous line", "[read] the line before")),
    Command(14, Name.WHERE_AM_I, _H, "w", "says the file, the function, the line and the branch", (
        "where am i", "where are we", "where was i")),
    Command(15, Name.WHAT_CHANGED, _H, "d", "says what has changed in the repository", (
        "what [has|have] changed", "what is changed", "what did you change", "read [me] the (changes|diff)")),
    Command(16, Name.STATUS, _H, "i", "says what it is doing, and for how long", (
        "status", "what are you doing", "are you [still] there", "are you [still] (listening|working)",
        "what is (going on|happening)")),
    Command(17, Name.SLEEP, _S, "z", "sleeps: acts on nothing until you wake it", (
        "go to sleep <aside>", "stop listening")),
    Command(17, Name.DEEP_SLEEP, _S, "Z", "sleeps until you say the longer waking phrase", (
        "[go to] deep sleep", "sleep deeply")),
    Command(18, Name.WAKE, _S, "k", "wakes", ("wake up", "(resume|start) listening")),
    Command(18, Name.DEEP_WAKE, _S, "K", "wakes, also from deep sleep", ("wake up and listen",)),
    Command(19, Name.SEND, _H, "enter", "ends your turn at once; also at the end of what you say", (
        "over", "over and out", "send it")),
    Command(19, Name.DICTATION_ON, _H, "D", "takes down all you say until you are done", (
        "dictation (on|mode)", "(start|take) dictation")),
    Command(19, Name.DICTATION_OFF, _H, "E", "ends dictation and sends it", (
        "done", "i am done", "dictation (off|done)", "(stop|end) dictation"), Needs.DICTATION),
    Command(20, Name.SCRATCH_THAT, _H, "backspace", "removes your last phrase, or takes back the request", (
        "scratch (that|this|it)", "nope that")),
    Command(20, Name.TRY_AGAIN, _H, "a", "listens to you once more, or does the last request again", (
        "try (that|it) again", "try again", "retry [that|it]", "listen again")),
    Command(21, Name.CORRECT_THAT, _H, "C", "tells other readings of what it heard", (
        "correct that", "that is wrong", "that is not what i said")),
    Command(21, Name.PICK, _H, "#", "takes the reading of that number", ("number <number>",), Needs.CHOICE),
    Command(21, Name.I_SAID, _H, "I", "takes these words for those it heard", ("[no] i said <words>",)),
    Command(21, Name.SPELL_IT, _H, "L", "takes down letters", ("spell [it] <letters>",)),
    Command(22, Name.UNDO, _C, "u", "takes back the last change, after naming the file", (
        "undo [that|it]", "undo (that|the|my|your) [last] (change|edit)", "undo last (change|edit)",
        "take (that|it) back", "revert (that|it)", "revert (that|the|my|your) [last] (change|edit)")),
    Command(22, Name.REDO, _C, "U", "makes the change again", (
        "redo [that|it]", "redo (that|the) [last] (change|edit)")),
    Command(23, Name.APPROVE, _S, "!", "approves an action that cannot be taken back", (
        "yes i am sure",), Needs.QUESTION),
    Command(24, Name.YES, _S, "y", "says yes to a question, if little can go wrong", (
        "yes", "(yes|yeah|yep|sure) [please]"), Needs.QUESTION),
    Command(24, Name.NO, _S, "N", "says no to a question", (
        "no", "nope", "deny", "not now", "do not", "no thanks", "no thank you"), Needs.QUESTION),
    Command(25, Name.EXPLAIN, _H, "e", "reads the exact command that waits for your word", (
        "explain [that|it|this]", "what is (that|it|this)", "read [me] the command", "what does (that|it) do",
        "clarify", "read it"), Needs.QUESTION),
    Command(26, Name.OPTION, _H, "o", "takes that choice", (
        "option <number>", "choose <number>", "<number>", "[the] {first|second|third|fourth|fifth|last} one",
        "[the] {first|second|third|fourth|fifth|last}"), Needs.CHOICE),
    Command(27, Name.READ_ONLY, _S, "O", "changes nothing from now on", ("read only [mode]",)),
    Command(27, Name.ASK_FIRST, _S, "A", "asks before every change from now on", ("ask [me] first [mode]",)),
    Command(27, Name.ALLOW_EDITS, _C, "P", "edits without asking again", (
        "allow (edits|changes)", "(edit|normal) mode")),
    Command(28, Name.ADD_WORD, _H, "m", "learns a word of this project", (
        "add [the] word <term>", "add [the] word <term> spelled <letters>")),
    Command(28, Name.REPLACE_WORD, _H, "M", "writes other words for some that it hears", (
        "when i say <words> [i] mean <words>", "when i say <words> write <words>")),
    Command(28, Name.FORGET_WORD, _H, "F", "forgets a word of this project", (
        "forget [the] word <term>", "forget <name>")),
    Command(29, Name.MUTE, _S, "0", "closes the microphone; only the key 1 opens it", (
        "mute [the] microphone", "mute yourself", "mute", "private mode", "microphone off")),
    Command(29, Name.UNMUTE, _S, "1", "opens the microphone; a closed one hears nothing, so by its key", (
        "unmute", "unmute [the] microphone")),
    Command(30, Name.HELP, _H, "?", "says what you can say now", (
        "help", "help me", "what can i say", "[list] [the] commands")),
    Command(31, Name.SWITCH_VOICE, _H, "B", "speaks in another voice", (
        "switch [to] [the] voice [to] <name>", "use [the] voice of <name>", "change [the] voice to <name>")),
    Command(31, Name.PLAIN_VOICE, _H, "G", "speaks in the plain voice", ("(plain|default|normal) voice",)),
    Command(32, Name.SAVE_TRANSCRIPT, _H, "W", "keeps the transcript of this session", (
        "save [the] transcript",)),
    Command(32, Name.START_OVER, _C, "H", "begins a new conversation", (
        "start (over|again)", "new conversation", "clear [the] conversation")),
    Command(32, Name.GOODBYE, _H, "ctrl-d", "ends the session", (
        "good bye", "bye bye", "good bye utter", "(quit|exit) [utter]")),
    # Only "literal": "say it in French" would lose a word that matters.
    Command(0, Name.LITERAL, _H, "'", "sends the words to the agent, commands or not", ("literal <words>",)),
)  # fmt: skip
