"""A voice is used only as it was made and only by leave; it travels as one file that cannot be altered."""

from __future__ import annotations

import datetime
import json
import os
import zipfile
from pathlib import Path

import pytest
import yaml

from voice.profiles.consent import standing_sentence
from voice.profiles.library import Library, usable
from voice.profiles.profile import Consent, Kept, Voice, VoiceError, VoiceProfile, plain_name, write_profile
from voice.profiles.transfer import export_voice, import_voice


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "own")


def add(library: Library, name: str = "anna", **changes: object) -> Voice:
    """A voice of a person, with its consent."""
    with library.adding(name) as folder:
        (folder / "consent.txt").write_text(standing_sentence("Anna"))
        (folder / "consent.flac").write_bytes(b"her voice")
        (folder / "reference.flac").write_bytes(b"more of her voice")
        consent = Consent(
            name="Anna",
            date=datetime.date(2026, 11, 22),
            text=Kept.of(folder / "consent.txt"),
            audio=Kept.of(folder / "consent.flac"),
        )
        profile = VoiceProfile(
            engine="pocket",
            model="english",
            language="en",
            consent=consent,
            reference=Kept.of(folder / "reference.flac"),
        )
        write_profile(profile.model_copy(update=changes), folder)
    return library.load(name)


def test_every_shipped_voice_can_be_used_and_has_a_licence(library: Library) -> None:
    assert {"joe", "kumo"} <= set(library.names())
    for name in library.names():
        voice = library.load(name)
        assert voice.is_shipped and voice.profile.licence and voice.profile.kind == "plain"


def test_what_was_written_is_read_again(library: Library) -> None:
    voice = add(library)
    assert voice.profile.consent is not None and voice.profile.consent.name == "Anna"
    assert voice.profile.kind == "cloned"
    assert library.names() == ("anna", "joe", "kumo")


def test_a_folder_without_consent_is_refused(library: Library) -> None:
    with pytest.raises(VoiceError, match="no consent"):
        add(library, consent=None, licence="CC0-1.0")
    assert "anna" not in library.names()


def test_a_consent_that_was_swapped_is_refused(library: Library) -> None:
    voice = add(library)
    (voice.folder / "consent.flac").write_bytes(b"somebody else")
    with pytest.raises(VoiceError, match=r"consent\.flac is not the one"):
        library.load("anna")
    assert next(one for one in usable(library) if isinstance(one, tuple))[0] == "anna"


@pytest.mark.parametrize(
    "text", ["", "Yes.", standing_sentence("Bob"), standing_sentence("Anna").replace("agree", "do not agree")]
)
def test_a_consent_that_does_not_consent_is_refused(library: Library, text: str) -> None:
    folder = add(library).folder
    (folder / "consent.txt").write_text(text)
    resummed(folder, "consent.txt")
    with pytest.raises(VoiceError, match="does not say what it must"):
        library.load("anna")


def resummed(folder: Path, name: str) -> None:
    """The profile names the file as it is now."""
    profile = yaml.safe_load((folder / "voice.yaml").read_text())
    profile["consent"]["text"]["sha256"] = Kept.of(folder / name).sha256
    (folder / "voice.yaml").write_text(yaml.safe_dump(profile))


def test_a_link_in_place_of_a_recording_is_refused(library: Library, tmp_path: Path) -> None:
    reference = add(library).folder / "reference.flac"
    reference.rename(tmp_path / "elsewhere.flac")
    reference.symlink_to(tmp_path / "elsewhere.flac")
    with pytest.raises(VoiceError, match="is a link"):
        library.load("anna")


@pytest.mark.parametrize("gone", ["consent.txt", "reference.flac"])
def test_a_missing_file_is_named(library: Library, gone: str) -> None:
    (add(library).folder / gone).unlink()
    with pytest.raises(VoiceError, match=gone):
        library.load("anna")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 7\nengine: telepathy\n", "version 7.*Update Utter"),
        ("engine: [", "cannot be read"),
        ("- a list", "the file"),
        ("[" * 9_000, "cannot be read"),
        ("#" * 30_000, "too large"),
        ("engine: piper\nmodel: m\nlanguage: en\nreference: {file: state.safetensors, sha256: ab}\n",
         r"reference\.file"),
        ("engine: piper\nmodel: m\nlanguage: en\n", "neither a licence nor a consent"),
        ("engine: piper\nmodel: m\nlanguage: English\nlicence: MIT\n", "language"),
        ("engine: piper\nmodel: m\nlanguage: en\nreference: {file: ../x, sha256: ab}\n", "reference"),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_says_why(library: Library, text: str, told: str) -> None:
    folder = library.own / "odd"
    folder.mkdir(parents=True)
    (folder / "voice.yaml").write_text(text)
    with pytest.raises(VoiceError, match=told):
        library.load("odd")


def test_an_unknown_voice_is_told_with_those_there_are(library: Library) -> None:
    with pytest.raises(VoiceError, match=r"'nobody'.*joe"):
        library.load("Nobody")


@pytest.mark.parametrize(
    ("said", "plain"), [("Anna", "anna"), ("My  Voice!", "my-voice"), ("../../etc", "etc")]
)
def test_names_are_plain(said: str, plain: str) -> None:
    assert plain_name(said) == plain


@pytest.mark.parametrize("said", ["", "🙂", "安娜", "---", "anna" * 30])
def test_a_name_without_letters_is_refused(said: str) -> None:
    with pytest.raises(VoiceError, match="no name"):
        plain_name(said)


def test_removing_leaves_nothing(library: Library) -> None:
    folder = add(library).folder
    (folder / "state.safetensors").write_bytes(b"cached")
    library.remove("Anna")
    assert not folder.exists() and list(library.own.iterdir()) == []
    with pytest.raises(VoiceError, match="came with Utter"):
        library.remove("joe")
    with pytest.raises(VoiceError, match="no voice"):
        library.remove("anna")


def test_a_name_that_is_taken_is_not_taken_again(library: Library) -> None:
    add(library)
    with pytest.raises(VoiceError, match="already"):
        add(library)


def test_a_voice_that_was_not_finished_leaves_nothing(library: Library) -> None:
    with pytest.raises(RuntimeError), library.adding("anna") as folder:
        (folder / "reference.flac").write_bytes(b"half")
        raise RuntimeError
    assert list(library.own.iterdir()) == []


def test_a_name_whose_folder_was_half_removed_is_not_free(library: Library) -> None:
    (add(library).folder / "voice.yaml").unlink()
    with pytest.raises(VoiceError, match="already"):
        library.check_free("anna")


def test_what_a_killed_enrolment_left_is_deleted_and_what_is_at_work_is_not(library: Library) -> None:
    add(library)
    left, at_work = library.own / ".adding-killed", library.own / ".adding-now"
    for folder in (left, at_work):
        folder.mkdir()
        (folder / "reference.flac").write_bytes(b"a voice")
    os.utime(left, (1, 1))
    library.remove("anna")
    assert list(library.own.iterdir()) == [at_work]


def test_a_voice_travels_in_one_file(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "anna.utter-voice"
    told = export_voice(add(library), file)
    library.remove("anna")
    voice, again = import_voice(file, library, fingerprint=told)
    assert again == told and voice.name == "anna"
    assert (voice.folder / "reference.flac").read_bytes() == b"more of her voice"


def test_an_export_overwrites_nothing_but_exports(library: Library, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(VoiceError, match="must end in"):
        export_voice(add(library), tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def rewritten(file: Path, change: dict[str, bytes | None], *, with_sums: bool = False) -> None:
    """The same archive with members changed, added or (None) left out; `with_sums` mends the sums, too."""
    from hashlib import sha256

    with zipfile.ZipFile(file) as archive:
        contents: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    contents |= change
    if with_sums:
        sums = json.loads(contents["sums.json"] or b"")
        sums["sha256"] = {n: sha256(d).hexdigest() for n, d in contents.items() if d and n != "sums.json"}
        contents["sums.json"] = json.dumps(sums, sort_keys=True).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in contents.items():
            if data is not None:
                archive.writestr(name, data)


@pytest.mark.parametrize(
    "change",
    [
        {"consent.flac": b"somebody else"},
        {"voice.yaml": b"engine: piper\nmodel: m\nlanguage: en\nlicence: MIT\n"},
        {"../evil.txt": b"x"},
        {"consent.txt": None},
    ],
)
def test_an_altered_file_is_refused(
    library: Library, tmp_path: Path, change: dict[str, bytes | None]
) -> None:
    file = tmp_path / "anna.utter-voice"
    export_voice(add(library), file)
    library.remove("anna")
    rewritten(file, change)
    with pytest.raises(VoiceError, match="altered"):
        import_voice(file, library)
    assert "anna" not in library.names()


def test_the_fingerprint_shows_what_was_altered_with_its_sums(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "anna.utter-voice"
    told = export_voice(add(library), file)
    library.remove("anna")
    rewritten(file, {"voice.yaml": b"engine: piper\nmodel: m\nlanguage: en\nlicence: MIT\n"}, with_sums=True)
    with pytest.raises(VoiceError, match="fingerprint"):
        import_voice(file, library, fingerprint=told)


@pytest.mark.parametrize("extra", ["state.safetensors", "more.txt"])
def test_what_the_profile_does_not_name_is_not_brought_along(
    library: Library, tmp_path: Path, extra: str
) -> None:
    """An engine would speak from a state that was made of somebody else."""
    file = tmp_path / "anna.utter-voice"
    export_voice(add(library), file)
    library.remove("anna")
    rewritten(file, {extra: b"of somebody else"}, with_sums=True)
    with pytest.raises(VoiceError, match="altered"):
        import_voice(file, library)
    assert list(library.own.iterdir()) == []


def test_a_voice_is_never_imported_over_another(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "anna.utter-voice"
    export_voice(add(library), file)
    with pytest.raises(VoiceError, match="already"):
        import_voice(file, library)


def test_an_encrypted_archive_is_refused(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "anna.utter-voice"
    export_voice(add(library), file)
    data = bytearray(file.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag of each member, twice
        start = data.find(mark)
        while start >= 0:
            data[start + at] |= 1
            start = data.find(mark, start + 4)
    file.write_bytes(data)
    with pytest.raises(VoiceError, match="not a voice"):
        import_voice(file, library, "other")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", b"[]"])
def test_what_is_no_exported_voice_is_refused(library: Library, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x.utter-voice"
    file.write_bytes(data)
    with pytest.raises(VoiceError, match="not a voice"):
        import_voice(file, library)


def test_a_truncated_export_is_refused(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "anna.utter-voice"
    export_voice(add(library), file)
    data = file.read_bytes()
    for size in range(0, len(data), 97):
        file.write_bytes(data[:size])
        with pytest.raises(VoiceError):
            import_voice(file, library, "other")
    assert "other" not in library.names()
