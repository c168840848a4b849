"""Conversions, on the real models: what MLX reads is what the publisher's file holds, token for token."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import mlx.core as mx
import numpy as np
import onnx
import onnxruntime
import pytest
import xllamacpp
from gguf import GGUFReader, GGUFWriter
from gguf.quants import dequantize
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten
from mlx_lm.models import qwen2
from mlx_whisper.whisper import ModelDimensions, Whisper
from tokenizers import Tokenizer

from agent.models.conversions import read_record
from agent.models.convert_kokoro import convert_kokoro
from agent.models.convert_piper import convert_piper
from agent.models.convert_qwen import NotConvertible, convert_qwen, mlx_name
from agent.models.convert_whisper import convert_whisper, mlx_names
from agent.models.ctranslate2_file import CTranslate2File, NotCTranslate2
from agent.models.fetch import fetch
from agent.models.store import ModelStore
from agent.models.tensor_file import Tensor, write_tensors


def shapes(tree: object) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in tree_flatten(tree)}


# Whisper


def test_whisper_weights_are_exactly_the_parameters_of_the_mlx_model(store: ModelStore) -> None:
    folder = store.path("whisper-base-mlx")
    weights = mx.load(str(folder / "weights.safetensors"))
    config = json.loads((folder / "config.json").read_text())
    del config["model_type"]
    expected = shapes(Whisper(ModelDimensions(**config), mx.float32).parameters())
    expected["alignment_heads"] = (8, 2)  # base's own heads, instead of all in the upper half
    assert {name: value.shape for name, value in weights.items()} == expected
    floats = {value.dtype for name, value in weights.items() if name != "alignment_heads"}
    assert floats == {mx.float32}


@pytest.mark.parametrize(
    ("parameter", "source", "rows"),
    [
        ("encoder.blocks.0.attn.query.weight", "encoder/layer_0/self_attention/linear_0/weight", (0, 512)),
        ("encoder.blocks.5.attn.key.weight", "encoder/layer_5/self_attention/linear_0/weight", (512, 1024)),
        ("decoder.blocks.3.attn.value.bias", "decoder/layer_3/self_attention/linear_0/bias", (1024, 1536)),
        (
            "decoder.blocks.2.cross_attn.value.weight",
            "decoder/layer_2/attention/linear_1/weight",
            (512, 1024),
        ),
        ("decoder.token_embedding.weight", "decoder/projection/weight", (0, 51865)),
    ],
)
def test_whisper_values_are_those_of_the_publishers_file(
    store: ModelStore, parameter: str, source: str, rows: tuple[int, int]
) -> None:
    weights = mx.load(str(store.path("whisper-base-mlx") / "weights.safetensors"))
    original = CTranslate2File(store.path("whisper-base") / "model.bin").read(source)[slice(*rows)]
    assert np.array_equal(np.array(weights[parameter]), original.astype(np.float32))


def test_whisper_convolutions_are_turned_to_the_order_of_mlx(store: ModelStore) -> None:
    weights = mx.load(str(store.path("whisper-base-mlx") / "weights.safetensors"))
    original = CTranslate2File(store.path("whisper-base") / "model.bin").read("encoder/conv1/weight")
    assert np.array_equal(np.array(weights["encoder.conv1.weight"])[7, 2], original[7, :, 2])


def test_the_bias_of_keys_that_mlx_has_not_is_zero_in_the_source(store: ModelStore) -> None:
    model = CTranslate2File(store.path("whisper-base") / "model.bin")
    joined = [name for name in model.entries if any(part.endswith("key.bias") for part in mlx_names(name))]
    assert len(joined) == 18
    for name in joined:
        names = mlx_names(name)
        bias = np.split(model.read(name), len(names))[
            [part.endswith("key.bias") for part in names].index(True)
        ]
        assert not bias.any()


@pytest.mark.parametrize("data", [b"", b"not a model at all", bytes(100), b"\x06\0\0\0\x0c\0WhisperSpec\0"])
def test_a_file_that_is_no_ctranslate2_model_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(data)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(NotCTranslate2, match=r"model\.bin is not a CTranslate2 model"):
        convert_whisper(tmp_path, tmp_path, lambda done, total: None)


# Qwen


@pytest.fixture(scope="module")
def qwen(store: ModelStore) -> Path:
    return store.path("qwen2.5-coder-0.5b-mlx")


@pytest.fixture(scope="module")
def gguf_reader(store: ModelStore) -> GGUFReader:
    return GGUFReader(store.path("qwen2.5-coder-0.5b"))


def test_qwen_weights_are_exactly_the_parameters_of_the_mlx_model(qwen: Path) -> None:
    weights = mx.load(str(qwen / "model.safetensors"))  # lazily: no values are read here
    model = qwen2.Model(qwen2.ModelArgs.from_dict(json.loads((qwen / "config.json").read_text())))
    assert {name: value.shape for name, value in weights.items()} == shapes(model.parameters())
    assert {value.dtype for value in weights.values()} == {mx.float32}


@pytest.mark.parametrize(
    "name", ["blk.0.attn_q.weight", "blk.11.ffn_down.weight", "blk.23.attn_v.bias", "output_norm.weight"]
)
def test_qwen_values_are_the_ggufs_dequantised(qwen: Path, gguf_reader: GGUFReader, name: str) -> None:
    weights = mx.load(str(qwen / "model.safetensors"))
    (tensor,) = [tensor for tensor in gguf_reader.tensors if tensor.name == name]
    assert np.array_equal(np.array(weights[mlx_name(name)]), dequantize(tensor.data, tensor.tensor_type))


def test_the_embedding_is_the_better_kept_output_matrix(qwen: Path, gguf_reader: GGUFReader) -> None:
    embedding = mx.load(str(qwen / "model.safetensors"))["model.embed_tokens.weight"]
    (output,) = [tensor for tensor in gguf_reader.tensors if tensor.name == "output.weight"]
    rows = dequantize(output.data[100_000:100_010], output.tensor_type)
    assert np.array_equal(np.array(embedding[100_000:100_010]), rows)


def test_a_turn_ends_at_either_of_the_two_end_tokens(qwen: Path) -> None:
    tokenizer = Tokenizer.from_file(str(qwen / "tokenizer.json"))
    ends = json.loads((qwen / "generation_config.json").read_text())["eos_token_id"]
    assert [tokenizer.id_to_token(end) for end in ends] == ["<|im_end|>", "<|endoftext|>"]


def test_the_chat_template_is_the_ggufs(qwen: Path, gguf_reader: GGUFReader) -> None:
    settings_file = json.loads((qwen / "tokenizer_config.json").read_text())
    assert settings_file["chat_template"] == gguf_reader.fields["tokenizer.chat_template"].contents()


Encode = Callable[[str, bool], list[int]]


@pytest.fixture(scope="module")
def llama_cpp_encode(store: ModelStore) -> Iterator[Encode]:
    """llama.cpp's own tokeniser of the same GGUF, asked over loopback."""
    params = xllamacpp.CommonParams()
    params.model.path = str(store.path("qwen2.5-coder-0.5b"))
    params.n_ctx = 64
    params.n_parallel = 1
    params.warmup = False
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)
    address = urlsplit(server.listening_address)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)

    def encode(text: str, special: bool) -> list[int]:
        body = json.dumps({"content": text, "parse_special": special, "add_special": False})
        connection.request("POST", "/tokenize", body, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())["tokens"]

    yield encode
    connection.close()
    del server


@pytest.fixture(scope="module")
def tokenizer(qwen: Path) -> Tokenizer:
    return Tokenizer.from_file(str(qwen / "tokenizer.json"))


TEXTS = [
    "def parse_config(path):\n    return {k: v for k, v in lines}\n\n\n",
    "I'LL don't WE'RE they've 'S 't",
    "１２３ 12345 ٣٤ ½ x²",
    "日本語テキスト 한국어 😀👩‍👩‍👧  ",
    "cafe\u0301 and caf\u00e9",  # decomposed and composed must stay apart
    "\t\ttabs \r\n crlf\r\n\r\n  x\u00a0\u3000y\u200bz",
    " leading,  double   spaces ",
    "    " * 20 + "y" + "x" * 300,
    "a\x00b\x7f\ufffd",
    "<|im_start|>user\nhi<|im_end|>\n<|endoftext|><|fim_prefix|>",
    "<tool_call>\n{}</tool_call> <|im_start <|im_end|",
]


def assert_same_tokens(
    tokenizer: Tokenizer, encode: Encode, text: str, specials: tuple[bool, ...] = (True, False)
) -> None:
    for special in specials:
        tokenizer.encode_special_tokens = not special
        tokens = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokens == encode(text, special)
        assert tokenizer.decode(tokens, skip_special_tokens=False) == text


@pytest.mark.parametrize("text", TEXTS)
def test_the_tokens_are_llama_cpps(tokenizer: Tokenizer, llama_cpp_encode: Encode, text: str) -> None:
    assert_same_tokens(tokenizer, llama_cpp_encode, text)


def test_the_tokens_of_source_code_are_llama_cpps(tokenizer: Tokenizer, llama_cpp_encode: Encode) -> None:
    for path in sorted(Path(__file__).parents[1].joinpath("agent").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        # llama.cpp takes "</s>" for a special name whatever the model; files are read as plain text anyway.
        assert_same_tokens(tokenizer, llama_cpp_encode, text, (False,) if "</s>" in text else (True, False))


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_the_tokens_of_any_text_are_llama_cpps(
    tokenizer: Tokenizer, llama_cpp_encode: Encode, text: str
) -> None:
    assert_same_tokens(tokenizer, llama_cpp_encode, text)


def test_a_gguf_of_another_architecture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    writer = GGUFWriter(path, "mamba")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(NotConvertible, match="holds a mamba model, not qwen2"):
        convert_qwen(path, tmp_path, lambda done, total: None)


# Voices


def test_a_piper_voice_is_split_between_text_and_sound(store: ModelStore) -> None:
    """What the two halves make, one after the other, is what the voice makes; without noise in it."""
    folder, whole = store.path("piper-joe-split"), onnxruntime.InferenceSession(store.path("piper-joe"))
    text, audio = (onnxruntime.InferenceSession(folder / name) for name in ("text.onnx", "audio.onnx"))
    ids = np.arange(1, 40)[None]
    given = {"input": ids, "input_lengths": np.array([39]), "scales": np.array([0, 1, 0], np.float32)}
    latent = text.run(None, given)[0]
    sound = audio.run(None, {audio.get_inputs()[0].name: latent})[0]
    assert latent.shape[1] == 192
    assert np.array_equal(sound, whole.run(None, given)[0])


def test_a_model_that_is_no_piper_voice_is_not_split(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a Piper voice that can be split"):
        convert_piper(store.path("smart-turn"), tmp_path, lambda done, total: None)


def operators(*files: Path) -> Counter[str]:
    return Counter(node.op_type for file in files for node in onnx.load(file).graph.node)


def test_no_convolution_of_kokoro_is_left_in_integers(store: ModelStore) -> None:
    halves = (store.path("kokoro-float") / name for name in ("text.onnx", "audio.onnx"))
    before, after = operators(store.path("kokoro") / "model.onnx"), operators(*halves)
    assert after["ConvInteger"] == 0 and after["Conv"] == before["Conv"] + before["ConvInteger"]
    assert before["ConvInteger"] > 80 and after["InstanceNormalization"] > 60


def test_an_export_that_is_no_kokoro_is_not_split(store: ModelStore, tmp_path: Path) -> None:
    tmp_path.joinpath("model.onnx").symlink_to(store.path("piper-joe"))
    with pytest.raises(ValueError, match="is not an export of Kokoro that can be split"):
        convert_kokoro(tmp_path, tmp_path, lambda done, total: None)


def test_the_other_files_of_kokoro_are_the_same(store: ModelStore) -> None:
    for name in ("voices.npz", "vocab.json"):
        one, other = (store.path(model) / name for model in ("kokoro", "kokoro-float"))
        assert one.read_bytes() == other.read_bytes()


# All


@pytest.mark.parametrize(
    "name", ["whisper-base-mlx", "qwen2.5-coder-0.5b-mlx", "piper-joe-split", "kokoro-float"]
)
def test_each_conversion_records_the_sums_of_what_it_was_made_from(store: ModelStore, name: str) -> None:
    record = read_record(store.folder(name))
    assert record is not None
    assert record.source == tuple(file.sha256 for file in store.manifest.source(name).files)
    files = {path.name for path in store.folder(name).iterdir()}
    assert {file.path for file in record.files} == files - {"conversion.json"}


# Converts in a process that kills itself without warning at its n-th report, as `kill -9` would.
KILLED_CONVERSION = """
import os, signal, sys
from pathlib import Path
from agent.models.fetch import Phase, Progress, fetch
from agent.models.store import ModelStore

left = int(sys.argv[2])

def report(event):
    global left
    left -= isinstance(event, Progress) and event.phase is Phase.CONVERT
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

fetch(ModelStore(Path(sys.argv[1])), ["whisper-base-mlx"], report, ["--no-index"])
"""


def test_a_conversion_killed_anywhere_is_made_anew(store: ModelStore, tmp_path: Path) -> None:
    source = store.folder("whisper-base")
    copy = ModelStore(tmp_path)
    copy.folder("whisper-base").mkdir()
    for path in source.iterdir():
        (copy.folder("whisper-base") / path.name).symlink_to(path)
    copy.path("whisper-base")
    for kill_at in (1, 100):
        command = [sys.executable, "-c", KILLED_CONVERSION, str(tmp_path), str(kill_at)]
        killed = subprocess.run(command, cwd=Path(__file__).parents[1], timeout=60, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert not copy.folder("whisper-base-mlx").exists()
    fetch(copy, ["whisper-base-mlx"], pip_options=["--no-index"])
    made, known = (read_record(each.folder("whisper-base-mlx")) for each in (copy, store))
    assert made == known
    assert list((tmp_path / ".staging").glob("work-*")) == []


def test_a_tensor_whose_blocks_do_not_fill_its_shape_is_an_error(tmp_path: Path) -> None:
    short = Tensor("w", (4, 2), lambda: [np.zeros((3, 2))])
    with pytest.raises(ValueError, match="w: 24 bytes"):
        write_tensors(tmp_path / "t.safetensors", [short], lambda done, total: None)


def test_tensors_written_in_blocks_are_read_whole(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float64).reshape(6, 2)
    heads = np.array([[1, 2]])
    tensors = [
        Tensor("w", (6, 2), lambda: [values[:4], values[4:]]),
        Tensor("heads", (1, 2), lambda: [heads], dtype="I32"),
    ]
    told: list[tuple[int, int]] = []
    write_tensors(tmp_path / "t.safetensors", tensors, lambda done, total: told.append((done, total)))
    read = mx.load(str(tmp_path / "t.safetensors"))
    assert np.array_equal(np.array(read["w"]), values)
    assert np.array_equal(np.array(read["heads"]), heads)
    assert told == [(32, 56), (48, 56), (56, 56)]
