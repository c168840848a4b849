#!/bin/sh
# Proves the engine coqui end to end on small random weights: prove_coqui.sh [FOLDER]. It installs coqui-tts, torch and
# torchaudio (about 7 GB, the CUDA build; it runs on the processor) into FOLDER, which can be deleted afterwards, and
# runs tests/test_coqui.py on them with Utter's own environment (`make check` makes that).
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.venv/coqui}
[ -d "$folder/TTS" ] ||
    .venv/bin/python -m pip install --disable-pip-version-check --target "$folder" "coqui-tts[codec,ja,zh]" torch torchaudio "transformers<5.19" six
PYTHONPATH=$folder exec .venv/bin/python -m pytest -n 0 -rs tests/test_coqui.py
