#!/bin/sh
# Fetches recordings of eight people for `python -m bench voices`: speakers.sh FOLDER. The benchmark looks for
# FOLDER bench-speakers in the cache. From Debian: the prompts of a telephone exchange in five languages
# (CC-BY-SA-3.0), and the players of a game in Czech and Dutch (GPL-2.0). They are measured with and never kept.
set -eu
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"
for language in en es fr it ru; do
    (cd "$work" && apt-get download -q "asterisk-core-sounds-$language-g722")
done
for language in cs nl; do
    (cd "$work" && apt-get download -q "fillets-ng-data-$language")
done
for package in "$work"/*.deb; do
    dpkg -x "$package" "$work/unpacked"
done
cp -R "$work"/unpacked/usr/share/asterisk/sounds/. "$folder"
# Who speaks is in a file's name: m is the small fish and v the big one. The Czech small one is clipped.
for player in cs-v nl-m nl-v; do
    mkdir -p "$folder/$player"
    find "$work/unpacked/usr/share/games/fillets-ng/sound" -path "*/${player%-*}/*-${player#*-}-*.ogg" \
        -exec cp {} "$folder/$player" \;
done
printf '%s: %s speakers\n' "$folder" "$(find "$folder" -mindepth 1 -maxdepth 1 | wc -l)"
