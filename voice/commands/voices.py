"""`utter voices`: the voices there are; enrol, try, compare, remove them, and take them elsewhere."""

from __future__ import annotations

import datetime
import secrets
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.table import Table

from agent.models.hub import HUB_MODELS, hub_folder
from voice.asking_aloud import AskingAloud
from voice.audio.files import write_sound
from voice.audio.frames import SAMPLE_RATE
from voice.commands.context import Context, of
from voice.commands.playing import play
from voice.comparing import Compared, compare_voice, draw, measurable
from voice.enrolling import CLONES, Ears, Start, keep, open_encoder, read_recording
from voice.fitting import fit_later, fit_style
from voice.opening import library_of, open_synthesiser, open_voice, open_watermark
from voice.profiles.consent import standing_sentence
from voice.profiles.enrolment import Room, enrol, enrol_recording
from voice.profiles.library import usable
from voice.profiles.profile import Voice, VoiceError
from voice.profiles.transfer import export_voice, import_voice
from voice.speaking.engines.coqui import LANGUAGES as COQUI_LANGUAGES
from voice.speaking.engines.mlx_audio import LANGUAGES as QWEN_LANGUAGES
from voice.speaking.engines.mlx_audio import opening_of

app = typer.Typer(help="The voices that Utter can speak with.", invoke_without_command=True)

_LINE = "This is {name}. All tests pass, and two files have changed."
_SPEAKS: dict[Start, tuple[str, ...]] = {"coqui": COQUI_LANGUAGES, "qwen3-tts": QWEN_LANGUAGES}
_CONTINUES = ("qwen3-tts", "csm")  # need the words of the recording
_SPOKEN_CONSENT = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff")

Name = Annotated[str, typer.Argument(help="A voice's name.")]


@app.callback()
def list_by_default(context: typer.Context) -> None:
    """The voices that Utter can speak with; without a command, list them."""
    if context.invoked_subcommand is None:
        list_voices(context)


@app.command("list")
def list_voices(context: typer.Context) -> None:
    """List every voice: what it is, which engine speaks it, and by whose leave."""
    made = of(context)
    library = library_of(made.settings.speaking)
    rows = [_row(found) for found in usable(library)]
    if made.console.is_terminal:
        table = Table("voice", "kind", "engine", "by leave of", box=None)
        for row in rows:
            table.add_row(*row)
        made.console.print(table)
    else:
        for row in rows:
            made.console.print("; ".join(part for part in row if part), markup=False)
    made.console.print(f"your own: {library.own}", markup=False)


@app.command()
def test(
    context: typer.Context,
    name: Name,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write a sound file.")] = None,
) -> None:
    """Say a line in the voice NAME."""
    made = of(context)
    found = library_of(made.settings.speaking).load(name)
    voice = open_voice(found, made.settings.speaking.speed, made.store)
    pieces = voice.synthesise(_LINE.format(name=found.name))
    if output is None:
        play(pieces, voice.sample_rate, made.settings.audio.output_device)
    else:
        mark = open_watermark(made.store)
        write_sound(output, pieces, voice.sample_rate, synthetic=found.name, mark=mark)


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose voice it is.")],
    recording: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A recording of theirs, made before, with their consent beside it: for anna.wav, "
            "anna.consent.wav in which they say it, or anna.consent.txt in which they wrote it.",
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            help="What speaks: piper (fastest), kokoro (nearest), auto (weighs both); or what clones, as "
            "extras: pocket, coqui, and on Apple silicon qwen3-tts, chatterbox, csm."
        ),
    ] = "auto",
    language: Annotated[
        str, typer.Option(help="What a voice cloned by coqui or qwen3-tts speaks, such as fr.")
    ] = "en",
) -> None:
    """Enrol a voice: Utter asks for consent and a minute of reading, aloud, and matches a voice to it.

    The result is similar in pitch and colour. It is called matched, since it is no clone.
    """
    made = of(context)
    start = _start(base, language)
    library = library_of(made.settings.speaking)
    library.check_free(name)
    consent = None if recording is None else _consent_beside(recording, name)
    encoder = open_encoder(made.store)
    ears = Ears(made.settings, made.store)
    today = datetime.datetime.now().astimezone().date()

    def show(text: str) -> None:
        made.console.print(text, markup=False)

    if recording is None or consent is None:
        asking = AskingAloud(open_synthesiser(made.settings.speaking, made.store), made.settings.audio, show)
        numbers = [secrets.randbelow(1_000_000) for _ in range(4)]
        recorded = enrol(name, today, numbers, Room(asking.ask, asking.tell, ears.words, encoder))
    else:
        reference = read_recording(recording)
        spoken = read_recording(consent) if consent.suffix != ".txt" else _written(consent)
        recorded = enrol_recording(name, today, reference, spoken, ears.words, encoder)
    show("Making a voice of the recording.")
    words = ears.words(opening_of(recorded.reference, SAMPLE_RATE)) if start in _CONTINUES else ""
    voice = keep(
        recorded, start, library, made.store, encoder, hear=ears.words, words=words, language=language
    )
    likeness = "" if voice.profile.likeness is None else f" Likeness {voice.profile.likeness:.2f}."
    show(f"The voice {voice.name} is {voice.profile.kind}, by {voice.profile.engine}.{likeness}")
    if voice.profile.engine == "kokoro" and made.store.is_ready("dnsmos"):
        is_begun = fit_later(voice.name, made.options, voice.folder / "fitting.log")
        show(
            "A closer style is looked for in the background, and used if it is better."
            if is_begun
            else f"For a closer style, try `utter voices fit {voice.name}`; it takes minutes."
        )
    show(f"Say “switch voice to {voice.name}”, or try it with `utter voices test {voice.name}`.")


@app.command()
def fit(context: typer.Context, name: Name) -> None:
    """Look for a style of Kokoro's that is liker to NAME's person, and keep it if it is; takes minutes."""
    made = of(context)
    library = library_of(made.settings.speaking)
    voice = library.load(name)
    is_kept = fit_style(
        voice,
        library,
        made.store,
        open_encoder(made.store),
        Ears(made.settings, made.store).words,
        lambda told: made.console.print(told, markup=False),
    )
    made.console.print(
        f"The voice {voice.name} has a style of its own now."
        if is_kept
        else f"Nothing better was found; the voice {voice.name} stays as it is.",
        markup=False,
    )


@app.command()
def compare(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Voices; without, all that are usable.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the figures as a picture, an SVG file.")] = None,
) -> None:
    """Show how like their person voices are, how high, how clean and how fast."""
    made = of(context)
    library = library_of(made.settings.speaking)
    encoder = open_encoder(made.store)

    def measured(voice: Voice) -> Compared:
        return compare_voice(voice, made.settings.speaking.speed, made.store, encoder)

    if names:
        rows = [measured(library.load(name)) for name in names]
    else:
        rows = []
        for found in measurable(usable(library), measured):
            if isinstance(found, Compared):
                rows.append(found)
            else:
                made.console.print(f"{found[0]}: left out. {found[1]}", markup=False)
    _show_compared(made, rows)
    if plot is not None:
        plot.write_text(draw(rows), encoding="utf-8")


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Delete a voice of your own: its recordings, its consent and all that was made of them."""
    made = of(context)
    folder = library_of(made.settings.speaking).remove(name)
    made.console.print(f"Removed {folder} and all that was in it.", markup=False)


@app.command("export")
def export_(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="Such as anna.utter-voice.")],
) -> None:
    """Write a voice as one file."""
    made = of(context)
    fingerprint = export_voice(library_of(made.settings.speaking).load(name), file)
    made.console.print(f"{file} is written. Its fingerprint: {fingerprint}", markup=False)


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `utter voices export` wrote.")],
    name: Annotated[str, typer.Option(help="Call it so instead.")] = "",
    fingerprint: Annotated[str, typer.Option(help="Accept it only with this fingerprint.")] = "",
) -> None:
    """Add a voice that was exported; one that was altered is refused."""
    made = of(context)
    voice, told = import_voice(file, library_of(made.settings.speaking), name, fingerprint)
    made.console.print(f"The voice {voice.name} is here. Its fingerprint: {told}", markup=False)


def _row(found: Voice | tuple[str, str]) -> tuple[str, str, str, str]:
    if isinstance(found, tuple):
        return found[0], "not usable", "", found[1]
    profile = found.profile
    leave = f"licence {profile.licence}"
    if profile.consent is not None:
        leave = f"consent of {profile.consent.name}, {profile.consent.date}"
    return found.name, profile.kind, profile.engine, leave


def _start(base: str, language: str) -> Start:
    """What speaks. Raises `UtterError` now for what would only be found missing after a minute of reading."""
    start = next((known for known in get_args(Start) if known == base), None)
    if start is None:
        raise VoiceError(f"{base!r} is no base for a voice. Use one of {', '.join(get_args(Start))}.")
    spoken = _SPEAKS.get(start, ("en",))
    if language not in spoken:
        raise VoiceError(f"{base} speaks no {language!r}. Use --language with one of {', '.join(spoken)}.")
    if start in CLONES and CLONES[start][1] in HUB_MODELS:
        hub_folder(CLONES[start][1])
    return start


def _consent_beside(recording: Path, name: str) -> Path:
    for suffix in (*_SPOKEN_CONSENT, ".txt"):
        file = recording.with_name(f"{recording.stem}.consent{suffix}")
        if file.is_file():
            return file
    wanted = recording.with_name(f"{recording.stem}.consent.wav")
    raise VoiceError(
        f"There is no consent beside {recording}. Put a recording of theirs at {wanted}, or a text of theirs "
        f"at {wanted.with_suffix('.txt')}, that says: “{standing_sentence(name)}”"
    )


def _written(consent: Path) -> str:
    try:
        return consent.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VoiceError(f"{consent} cannot be read ({error}). Save it as plain text, in UTF-8.") from error


def _show_compared(made: Context, rows: list[Compared]) -> None:
    table = Table(*Compared.headings(), box=None)
    for row in rows:
        table.add_row(*row.cells())
        if not made.console.is_terminal:
            told = zip(Compared.headings()[1:], row.cells()[1:], strict=True)
            made.console.print(
                f"{row.name}: " + "; ".join(f"{head} {cell}" for head, cell in told), markup=False
            )
    if made.console.is_terminal:
        made.console.print(table)
