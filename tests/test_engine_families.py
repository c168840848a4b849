"""Models of every class go back, are saved and go on as if computed from the start; tiny random models."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_families import CONFIGS, SPECIAL, WINDOW, make_model, make_tokeniser

from agent.engine import prefix
from agent.engine.blas import interpose_openblas
from agent.engine.families import Checkpoints, Family, least_useful
from agent.engine.memory import attention_bytes
from agent.engine.mlx import MlxEngine, MlxSession
from agent.engine.mlx_folder import check_folder, fingerprint, window_tokens
from agent.engine.mlx_model import Kv, MlxModel, kv_dtype
from agent.engine.mlx_tokeniser import load_tokeniser
from agent.engine.protocol import ContextFull, EngineError, OutOfMemory
from agent.models.store import ModelStore
from voice import config
from voice.doctor import examine

FAMILIES = {
    "qwen2": Family.PLAIN,
    "gemma3_text": Family.WINDOW,
    "gemma4": Family.WINDOW,
    "gpt_oss": Family.WINDOW,
    "llama4": Family.WINDOW,
    "qwen3_next": Family.HYBRID,
    "nemotron_h": Family.HYBRID,
    "lfm2": Family.HYBRID,
    "falcon_h1": Family.HYBRID,
    "recurrent_gemma": Family.HYBRID,
    "mamba": Family.RECURRENT,
    "deepseek_v41": Family.UNKNOWN,
}
FAMILIES = {name: family for name, family in FAMILIES.items() if name in CONFIGS}
ONE_OF_EACH = [
    name for name in ("qwen2", "gemma3_text", "qwen3_next", "mamba", "deepseek_v41") if name in CONFIGS
]

_RANDOM = random.Random(3)
TOKENS = tuple(_RANDOM.randrange(256) for _ in range(48))
OTHERS = tuple(_RANDOM.randrange(256) for _ in range(20))
_CHUNK = 7


@dataclass(frozen=True)
class Tiny:
    """A tiny model as Utter runs it, and as mlx-lm alone does."""

    folder: Path
    model: MlxModel
    stock: Any

    def from_scratch(self, tokens: Sequence[int]) -> np.ndarray:
        """Logits after `tokens`, in one pass and with mlx-lm's own caches."""
        from mlx_lm.models.cache import make_prompt_cache

        logits = self.stock(self.model.mx.array([list(tokens)]), cache=make_prompt_cache(self.stock))
        return np.array(logits[0, -1])

    def go_on(self, kv: Kv, tokens: Sequence[int]) -> tuple[int, np.ndarray]:
        """Make `kv` hold `tokens`: how many of them it held, and the logits after the last."""
        held = self.model.keep(kv, tokens[:-1])
        for start in range(held, len(tokens) - 1, _CHUNK):
            self.model.prefill(kv, tokens[start : min(start + _CHUNK, len(tokens) - 1)])
        return held, np.array(self.model.extend(kv, tokens[-1:])[0])

    def assert_like_scratch(self, logits: np.ndarray, tokens: Sequence[int]) -> None:
        expected = self.from_scratch(tokens)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(logits, expected, rtol=0, atol=2e-5 * scale)
        # Such a comparison would notice one wrong token within the smallest window.
        wrong = [*tokens[:-3], (tokens[-3] + 1) % 256, *tokens[-2:]]
        assert np.abs(self.from_scratch(wrong) - expected).max() > 1e-3 * scale


@pytest.fixture(scope="module", autouse=True)
def _on_the_processor() -> Iterator[None]:
    """The comparisons are as tight as float32 allows; a GPU computes in 16 bits."""
    interpose_openblas()
    import mlx.core as mx

    before = mx.default_device()
    mx.set_default_device(mx.cpu)
    yield
    mx.set_default_device(before)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {family: make_model(root / family, family) for family in CONFIGS}


@pytest.fixture(scope="module")
def tinies(folders: dict[str, Path]) -> dict[str, Tiny]:
    from mlx_lm.utils import load_model

    return {
        family: Tiny(folder, MlxModel(folder), load_model(folder)[0]) for family, folder in folders.items()
    }


@pytest.fixture(params=FAMILIES)
def tiny(request: pytest.FixtureRequest, tinies: dict[str, Tiny]) -> Tiny:
    return tinies[request.param]


@pytest.fixture(params=ONE_OF_EACH)
def engine(request: pytest.FixtureRequest, folders: dict[str, Path], tmp_path: Path) -> Any:
    engine = MlxEngine(folders[request.param], tmp_path / "state", context_tokens=200)
    yield engine
    asyncio.run(engine.close())


def test_each_family_is_of_the_class_that_the_doctor_names(folders: dict[str, Path]) -> None:
    assert {name: MlxModel(folder, only_look=True).family for name, folder in folders.items()} == FAMILIES
    assert len({family.value for family in Family}) == len(Family)


def test_the_doctor_says_the_class_of_the_language_model(store: ModelStore) -> None:
    shipped = config.load()
    engine = shipped.engine.model_copy(update={"name": "mlx"})
    models = shipped.models.model_copy(update={"language_model": "qwen2.5-coder-0.5b"})
    chosen = shipped.model_copy(update={"engine": engine, "models": models})
    said = next(found for found in examine(chosen, store) if found.name == "Context")
    assert said.ok
    assert said.detail == (
        "qwen2.5-coder-0.5b-mlx: plain attention; goes back to any token; keys and values in float32; "
        "window: 32,768 tokens"
    )


def test_chunks_give_the_logits_of_one_pass(tiny: Tiny) -> None:
    assert len(TOKENS) > 3 * WINDOW
    held, logits = tiny.go_on(tiny.model.new_kv(), TOKENS)
    assert held == 0
    tiny.assert_like_scratch(logits, TOKENS)


def test_single_steps_give_the_logits_of_one_pass(tiny: Tiny) -> None:
    kv = tiny.model.new_kv()
    tiny.go_on(kv, TOKENS[:20])
    for end in range(21, 20 + 2 * WINDOW):
        held, logits = tiny.go_on(kv, TOKENS[:end])
        assert held == end - 1
    tiny.assert_like_scratch(logits, TOKENS[:end])


@given(
    steps=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    window=st.integers(2, 8),
    narrower=st.integers(0, 3),
)
@settings(max_examples=40, deadline=None)
def test_a_window_shows_attention_what_the_ring_of_mlx_lm_shows(
    steps: list[int], window: int, narrower: int
) -> None:
    import mlx.core as mx
    from mlx_lm.models.cache import RotatingKVCache

    from agent.engine.mlx_caches import WindowCache

    whole, ring = WindowCache(window), RotatingKVCache(max_size=window)
    size = max(1, window - narrower) if narrower else None
    for step in steps:
        keys, values, queries = mx.random.normal((3, 1, 2, step, 4))
        outputs: list[np.ndarray] = []
        for cache in (whole, ring):
            mask = cache.make_mask(step, window_size=size)
            k, v = cache.update_and_fetch(keys, values)
            seen = mx.fast.scaled_dot_product_attention(queries, k, v, scale=1.0, mask=mask)
            outputs.append(np.array(seen))
        np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-5)
        assert whole.offset == ring.offset


def test_after_going_back_other_tokens_give_what_a_fresh_cache_gives(tiny: Tiny) -> None:
    kv = tiny.model.new_kv()
    tiny.go_on(kv, TOKENS)
    for end in (45, 28, 10, 0):  # within the window and beyond, within a chunk and at none
        tiny.go_on(kv, TOKENS[: end + 3])
        tokens = (*TOKENS[:end], *OTHERS)
        held, logits = tiny.go_on(kv, tokens)
        assert held <= end
        assert held == end or not tiny.model.family.trims
        tiny.assert_like_scratch(logits, tokens)


def test_going_back_a_little_computes_little_again(tiny: Tiny) -> None:
    kv = tiny.model.new_kv()
    tiny.go_on(kv, TOKENS)
    end = 3 * _CHUNK + 5
    held, _ = tiny.go_on(kv, (*TOKENS[:end], *OTHERS))
    expected = {Family.UNKNOWN: 0, Family.PLAIN: end, Family.WINDOW: end}
    assert held == expected.get(tiny.model.family, 3 * _CHUNK)


def test_a_turn_can_be_taken_back_to_its_very_beginning(tiny: Tiny) -> None:
    kv = tiny.model.new_kv()
    tiny.go_on(kv, TOKENS[:20])
    tiny.go_on(kv, TOKENS)  # the next turn begins where the cache stands
    held, logits = tiny.go_on(kv, (*TOKENS[:20], *OTHERS))
    assert held == (0 if tiny.model.family is Family.UNKNOWN else 20)
    tiny.assert_like_scratch(logits, (*TOKENS[:20], *OTHERS))


def test_a_saved_cache_goes_on_and_goes_back_like_the_one_it_was_saved_from(
    tiny: Tiny, tmp_path: Path
) -> None:
    kv = tiny.model.new_kv()
    tiny.go_on(kv, TOKENS)
    tiny.model.save_kv(tmp_path / "kv.safetensors", kv)
    for tokens in ((*TOKENS, *OTHERS[:5]), (*TOKENS[:24], *OTHERS[:5])):
        restored = tiny.model.load_kv(tmp_path / "kv.safetensors", (*TOKENS, 9, 9))
        known = tiny.model.family is not Family.UNKNOWN
        assert restored.tokens == (TOKENS if known else ())
        assert sorted(restored.checkpoints.states) == sorted(kv.checkpoints.states)
        _, logits = tiny.go_on(restored, tokens)
        tiny.assert_like_scratch(logits, tokens)
    held, _ = tiny.go_on(tiny.model.load_kv(tmp_path / "kv.safetensors", TOKENS), (*TOKENS, 1))
    assert held == (len(TOKENS) if known else 0)


def test_a_saved_cache_is_as_large_as_its_tokens_and_checkpoints_need(
    tinies: dict[str, Tiny], tmp_path: Path
) -> None:
    path = tmp_path / "kv.safetensors"
    for name in {"qwen2", "lfm2", "deepseek_v41"} & CONFIGS.keys():
        model = tinies[name].model
        kv = model.new_kv()
        tinies[name].go_on(kv, TOKENS)
        model.save_kv(path, kv)
        assert model.saved_bytes(kv) <= path.stat().st_size < model.saved_bytes(kv) + 3000
        if name == "qwen2":
            layers, heads, width, float_bytes = 2, 2, 8, 4
            assert model.saved_bytes(kv) == 2 * layers * heads * width * float_bytes * len(TOKENS)


def test_the_cache_of_another_model_or_of_other_tokens_is_refused(
    tinies: dict[str, Tiny], tmp_path: Path
) -> None:
    path = tmp_path / "kv.safetensors"
    for name, other in (("qwen2", "gemma3_text"), ("mamba", "lfm2"), ("gpt_oss", "qwen2")):
        kv = tinies[name].model.new_kv()
        tinies[name].go_on(kv, TOKENS)
        tinies[name].model.save_kv(path, kv)
        with pytest.raises(ValueError, match="another model"):
            tinies[other].model.load_kv(path, TOKENS)
        with pytest.raises(ValueError, match="another model"):
            tinies[name].model.load_kv(path, TOKENS[:-1])


async def say(session: MlxSession, n_tokens: int) -> tuple[int, ...]:
    async with aclosing(session.generate(None, (), n_tokens)) as pieces:
        return tuple([token async for piece in pieces for token in piece.tokens])


def greedy(session: MlxSession, n_tokens: int) -> tuple[int, ...]:
    return asyncio.run(say(session, n_tokens))


def session_of(engine: MlxEngine, tokens: Sequence[int]) -> MlxSession:
    async def begin() -> MlxSession:
        session = await engine.open()
        await session.prefill(tokens)
        return session

    return asyncio.run(begin())


def test_a_session_rewound_saved_and_restored_says_what_a_fresh_one_says(
    engine: MlxEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix, "CHUNK_TOKENS", 16)
    session = session_of(engine, TOKENS)
    assert len(greedy(session, 6)) >= 3  # bytes of a character that is not whole are not said
    for n_tokens in (len(TOKENS) + 3, len(TOKENS), 25):
        asyncio.run(session.rewind(n_tokens))
        expected = greedy(session_of(engine, session.tokens), 6)
        assert greedy(session, 6) == expected
    asyncio.run(session.save())
    for prompt in (session.tokens, (*session.tokens[:20], *OTHERS)):
        restored = asyncio.run(engine.restore(prompt))
        held = len(restored.tokens)
        assert restored.tokens == prompt[:held]
        assert held >= (16 if engine.model.family is not Family.UNKNOWN else 0)
        asyncio.run(restored.prefill(prompt[held:]))
        assert greedy(restored, 6) == greedy(session_of(engine, prompt), 6)


def test_tokens_computed_again_are_counted_again(engine: MlxEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix, "CHUNK_TOKENS", 16)

    async def body() -> None:
        session = await engine.open()
        first = await session.prefill(TOKENS)
        assert (first.cached_tokens, first.computed_tokens) == (0, len(TOKENS))
        computed = 0
        extend = engine.model.extend

        def counted(kv: Kv, tokens: Sequence[int], **options: Any) -> Any:
            nonlocal computed
            computed += len(tokens)
            return extend(kv, tokens, **options)

        monkeypatch.setattr(engine.model, "extend", counted)
        await session.rewind(35)
        second = await session.prefill(OTHERS)
        assert second.cached_tokens + second.computed_tokens == 35 + len(OTHERS)
        await say(session, 1)  # computes what the prefill has left to it
        assert second.computed_tokens == computed
        places = {Family.UNKNOWN: 0, Family.RECURRENT: 32, Family.HYBRID: 32}
        assert second.cached_tokens == places.get(engine.model.family, 35)

    asyncio.run(body())


def test_what_a_reply_computes_anew_behind_a_rewind_is_counted(
    engine: MlxEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix, "CHUNK_TOKENS", 16)

    async def body() -> None:
        session = await engine.open()
        await session.prefill(TOKENS)
        await say(session, 3)
        assert session.computed_tokens == len(TOKENS)
        await session.rewind(35)
        await say(session, 1)
        places = {Family.UNKNOWN: 0, Family.RECURRENT: 32, Family.HYBRID: 32}
        back_to = places.get(engine.model.family, 34)
        # The last token is computed by every reply, for its logits, and is none that was lost.
        assert session.computed_tokens - len(TOKENS) == 34 - back_to

    asyncio.run(body())


def test_memory_that_would_not_do_is_said_before_anything_is_computed(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    engine = MlxEngine(folders["qwen2"], tmp_path, context_tokens=5000)
    session = session_of(engine, TOKENS)
    expected = greedy(session, 4)
    asyncio.run(session.rewind(len(TOKENS)))
    engine.model.free_bytes = lambda: 16_000_000
    with pytest.raises(OutOfMemory, match=r"attention over 1,072 tokens takes 0\.02 GB"):
        asyncio.run(session.prefill(TOKENS * 40))
    assert session.tokens[: len(TOKENS)] == TOKENS
    asyncio.run(session.rewind(len(TOKENS)))
    assert greedy(session, 4) == expected
    asyncio.run(engine.close())


def test_a_model_too_large_for_the_machine_is_not_loaded(folders: dict[str, Path]) -> None:
    with pytest.raises(OutOfMemory, match=r"loading .*qwen2 in float32 takes .* and 0\.00 GB are free"):
        MlxModel(folders["qwen2"], free_bytes=lambda: 1000)


def test_attention_is_reckoned_by_its_scores() -> None:
    assert attention_bytes(heads=12, n_new=512, n_all=8192) == 2 * 4 * 12 * 512 * 8192


@pytest.mark.parametrize("name", ONE_OF_EACH[1:])
@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("[METAL] Command buffer execution failed: Insufficient Memory", OutOfMemory),
        ("Something else.", EngineError),
    ],
)
def test_after_a_failure_between_two_layers_the_right_answer_is_computed_again(
    name: str, tinies: dict[str, Tiny], monkeypatch: pytest.MonkeyPatch, said: str, error: type[EngineError]
) -> None:
    tiny = tinies[name]
    kv = tiny.model.new_kv()
    tiny.go_on(kv, TOKENS)
    last = tiny.model.network.layers[-1]
    step = type(last).__call__

    def fail(layer: Any, *arguments: Any, **options: Any) -> Any:
        if layer is last:
            raise RuntimeError(said)
        return step(layer, *arguments, **options)

    with monkeypatch.context() as harm, pytest.raises(EngineError) as caught:
        harm.setattr(type(last), "__call__", fail)
        tiny.model.prefill(kv, OTHERS)
    assert type(caught.value) is error
    _, logits = tiny.go_on(kv, (*TOKENS, *OTHERS))
    tiny.assert_like_scratch(logits, (*TOKENS, *OTHERS))


def test_a_prompt_longer_than_the_models_window_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    engine = MlxEngine(folders["gemma4"], tmp_path, context_tokens=8192)
    assert engine.context_tokens == 512
    session = session_of(engine, TOKENS)
    with pytest.raises(ContextFull, match="512"):
        asyncio.run(session.prefill(range(500)))
    assert session.tokens == TOKENS
    asyncio.run(engine.close())


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"text_config": {"max_position_embeddings": 1000}, "max_position_embeddings": 2000}, 1000),
        ({"n_positions": 1024}, 1024),
        ({"text_config": None}, None),
        ({}, None),
    ],
)
def test_the_window_is_read_from_the_configuration(config: dict[str, Any], expected: int | None) -> None:
    assert window_tokens(config) == expected


@pytest.mark.parametrize(
    ("stored", "declared", "on_processor", "expected"),
    [
        ("float32", "bfloat16", True, "float32"),
        ("bfloat16", "bfloat16", True, "float32"),
        ("float16", "", True, "float32"),
        ("float32", "", False, "float16"),
        ("float32", "float32", False, "float16"),
        ("float32", "bfloat16", False, "bfloat16"),
        ("float16", "bfloat16", False, "float16"),
        ("bfloat16", "", False, "bfloat16"),
    ],
)
def test_keys_are_kept_in_the_type_that_the_device_computes_well(
    stored: str, declared: str, on_processor: bool, expected: str
) -> None:
    assert kv_dtype(stored, declared, on_processor=on_processor) == expected


def test_weights_of_16_bits_are_computed_in_float32_on_a_processor(
    tinies: dict[str, Tiny], tmp_path: Path
) -> None:
    import mlx.core as mx

    tiny = tinies["qwen2"]
    weights: Any = mx.load(str(tiny.folder / "model.safetensors"))
    half = {name: array.astype(mx.bfloat16) for name, array in weights.items()}
    mx.save_safetensors(str(tmp_path / "model.safetensors"), half)
    (tmp_path / "config.json").write_bytes((tiny.folder / "config.json").read_bytes())
    model = MlxModel(tmp_path)
    kv = model.new_kv()
    logits = model.extend(kv, TOKENS)
    assert model.kv_dtype == "float32"
    assert {logits.dtype, *(array.dtype for array in kv.cache.arrays())} == {mx.float32}


@pytest.mark.parametrize("family", ["qwen2", "gemma3_text", "lfm2", "mamba"])
def test_with_16_bits_chosen_keys_are_kept_saved_and_restored_in_them(
    family: str, folders: dict[str, Path], tinies: dict[str, Tiny], tmp_path: Path
) -> None:
    model = MlxModel(folders[family], numbers="float16")
    tiny, mx = Tiny(folders[family], model, None), model.mx
    kv = model.new_kv()
    tiny.go_on(kv, TOKENS)
    held = {array.dtype for layer in kv.cache.attention for array in (layer.keys, layer.values)}
    assert held <= {mx.float16}
    expected = tiny.go_on(model.new_kv(), (*TOKENS[:24], *OTHERS[:5]))[1]
    exact = tinies[family].from_scratch((*TOKENS[:24], *OTHERS[:5]))
    np.testing.assert_allclose(expected, exact, rtol=0, atol=2e-2 * np.abs(exact).max())
    path = tmp_path / "kv.safetensors"
    model.save_kv(path, kv)
    if model.family is Family.UNKNOWN:
        return
    _, logits = tiny.go_on(model.load_kv(path, TOKENS), (*TOKENS[:24], *OTHERS[:5]))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-2 * np.abs(exact).max())
    with pytest.raises(ValueError, match="another model"):
        tinies[family].model.load_kv(path, TOKENS)
    saved: Any = mx.load(str(path))
    attention = [array.dtype for name, array in saved.items() if name.startswith("attention.")]
    assert set(attention) <= {mx.float16} and bool(attention) == bool(kv.cache.attention)


def test_the_fingerprint_tells_models_and_types_apart(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "qwen2")
    before = fingerprint(folder, "float32")
    assert fingerprint(folder, "float32") == before
    assert fingerprint(folder, "float16") != before
    assert fingerprint(folders["gpt_oss"], "float32") != before
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    changed = fingerprint(folder, "float32")
    assert changed != before
    config = folder / "config.json"
    config.write_text(config.read_text() + " ")
    assert fingerprint(folder, "float32") not in (before, changed)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("shard", r"lacks model-00002-of-00002\.safetensors of its 2"),
        ("cut", r"model-00001-of-00002\.safetensors has [\d,]+ bytes where its header tells of"),
        ("header", r"model-00001-of-00002\.safetensors is no safetensors file"),
        ("index", r"index\.json cannot be read"),
        ("weights", r"could not load .*Missing"),
        ("family", r"could not load .*nobody's model"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_by_name(
    folders: dict[str, Path], tmp_path: Path, harm: str, said: str
) -> None:
    import mlx.core as mx

    weights: Any = mx.load(str(folders["qwen2"] / "model.safetensors"))
    names = sorted(weights)
    shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    parts = (names[: len(names) // 2], names[len(names) // 2 :])
    for shard, part in zip(shards, parts, strict=True):
        mx.save_safetensors(str(tmp_path / shard), {name: weights[name] for name in part})
    index = {"weight_map": {name: shard for shard, part in zip(shards, parts, strict=True) for name in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "config.json").write_bytes((folders["qwen2"] / "config.json").read_bytes())
    make_tokeniser(tmp_path)
    check_folder(tmp_path)
    first = tmp_path / shards[0]
    match harm:
        case "shard":
            (tmp_path / shards[1]).unlink()
        case "cut":
            first.write_bytes(first.read_bytes()[:-10])
        case "header":
            first.write_bytes(b"\xff" * 100)
        case "index":
            (tmp_path / "model.safetensors.index.json").write_text("{")
        case "weights":
            (tmp_path / "model.safetensors.index.json").unlink()
            first.unlink()
        case _:
            config = json.loads((tmp_path / "config.json").read_text())
            (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "nobody's model"}))
    with pytest.raises(EngineError, match=said):
        MlxEngine(tmp_path, tmp_path / "state")


@pytest.mark.parametrize(
    ("config", "generation", "expected"),
    [
        ({}, None, {"<|im_end|>"}),
        ({"eos_token_id": 258}, None, {"<|im_end|>", "<|endoftext|>"}),
        ({"eos_token_id": 258}, {"eos_token_id": [259]}, {"<|im_end|>", "<|endoftext|>", "<|call|>"}),
        ({"text_config": {"eos_token_id": [258, 257]}}, {}, {"<|im_end|>", "<|endoftext|>"}),
        ({"eos_token_id": None}, {"eos_token_id": None}, {"<|im_end|>"}),
    ],
)
def test_a_turn_ends_with_any_end_that_a_file_names(
    tmp_path: Path, config: dict[str, Any], generation: dict[str, Any] | None, expected: set[str]
) -> None:
    make_tokeniser(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    if generation is not None:
        (tmp_path / "generation_config.json").write_text(json.dumps(generation))
    ends = load_tokeniser(tmp_path).eos_tokens
    assert {SPECIAL[token - 256] for token in ends} == expected


@given(steps=st.lists(st.integers(1, 600), min_size=1, max_size=60), limit=st.integers(2, 16))
def test_checkpoints_are_few_dense_at_the_end_and_never_without_the_last(
    steps: list[int], limit: int
) -> None:
    checkpoints: Checkpoints[int] = Checkpoints(limit)
    places: list[int] = []
    for step in steps:
        places.append(sum(steps[: len(places)]) + step)
        checkpoints.add(places[-1], places[-1])
        assert len(checkpoints.states) <= limit
        assert max(checkpoints.states) == places[-1]
    assert list(checkpoints.states) == sorted(checkpoints.states)
    assert len(checkpoints.states) == min(limit, len(places))
    middle = places[-1] // 2
    kept = [place for place in checkpoints.states if place <= middle]
    assert checkpoints.back_to(middle) == max(kept, default=0)
    assert list(checkpoints.states) == kept


def test_what_is_forgotten_first_is_far_back_and_near_another() -> None:
    assert least_useful((100, 110, 1000)) == 110
    assert least_useful((10, 500, 900, 990, 1000)) == 10
    assert least_useful((1, 2)) == 1
    assert least_useful((10, 500, 900, 990, 1000), pinned={10}) == 500


@pytest.mark.parametrize("name", ["mamba", "lfm2"])
def test_the_end_of_the_opening_stays_however_long_the_conversation(
    name: str, tinies: dict[str, Tiny], tmp_path: Path
) -> None:
    tiny, path = tinies[name], tmp_path / "kv.safetensors"
    kv = tiny.model.new_kv()
    tiny.go_on(kv, TOKENS[:10])
    tiny.model.pin(kv)
    for n_turns in range(60):
        tiny.model.prefill(kv, OTHERS[n_turns % 10 : n_turns % 10 + 2])
    tiny.model.save_kv(path, kv)
    for again in (kv, tiny.model.load_kv(path, kv.tokens)):
        held, logits = tiny.go_on(again, (*TOKENS[:10], *OTHERS[::-1]))
        assert held == 10
        tiny.assert_like_scratch(logits, (*TOKENS[:10], *OTHERS[::-1]))
