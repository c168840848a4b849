"""One process of the benchmark `cache`: how long until the first token, in one of several states.

`python -m bench.first_token STATE ENGINE FOLDER` prints seconds as JSON. STATE is `kept` (cold, warm, then
saved), `restarted` (a new process on what was saved) or `peer` (the engine's own server, just started).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.cache.entry import StoreLimits
from agent.engine.llamacpp import LlamaCppEngine
from agent.engine.mlx import MlxEngine
from agent.engine.protocol import Engine, Session
from agent.models.store import ModelStore
from voice import config
from voice.app import free_cores
from voice.commands.context import store_of

CONTEXT_TOKENS = 2_000
MODELS = {"llamacpp": "qwen2.5-coder-1.5b", "mlx": "qwen2.5-coder-0.5b-mlx"}
_LIMITS = StoreLimits(free_bytes=0)
_RUNS = 5


async def open_engine(name: str, store: ModelStore, folder: Path) -> Engine:
    """The engine with its contexts in `folder`."""
    model = store.path(MODELS[name])
    if name == "mlx":
        return await MlxEngine.load(model, folder, limits=_LIMITS)
    return await LlamaCppEngine.load(model, folder, threads=free_cores(), limits=_LIMITS)


def context_of(engine: Engine) -> tuple[int, ...]:
    """A context of code, as long as is measured."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(Path("agent").glob("*.py")))
    return tuple(engine.encode(text, special=False)[:CONTEXT_TOKENS])


def request_of(engine: Engine, number: int) -> list[int]:
    return engine.encode(f"\n# Request {number}: say in one sentence what this code does.\n#", special=False)


async def first_token_s(session: Session, tokens: list[int]) -> float:
    """Seconds until the first token after `tokens`; then they are taken back."""
    before, began_s = len(session.tokens), time.perf_counter()
    await session.prefill(tokens)
    async with aclosing(session.generate(None, (), 1)) as pieces:
        async for _ in pieces:
            break
    took_s = time.perf_counter() - began_s
    await session.rewind(before)
    return took_s


async def kept(engine: Engine) -> dict[str, float]:
    context, session = context_of(engine), await engine.open()
    cold_s = await first_token_s(session, [*context, *request_of(engine, 0)])
    await session.prefill(context)
    warm_s = [await first_token_s(session, request_of(engine, number)) for number in range(1, _RUNS + 1)]
    began_s = time.perf_counter()
    await session.save()
    return {"cold": cold_s, "warm": statistics.median(warm_s), "save": time.perf_counter() - began_s}


async def restarted(engine: Engine) -> dict[str, float]:
    context, began_s = context_of(engine), time.perf_counter()
    session = await engine.restore(context)
    await session.prefill(context[len(session.tokens) :])
    restore_s = time.perf_counter() - began_s
    return {"restore": restore_s, "first": await first_token_s(session, request_of(engine, 6))}


async def measure(state: str, name: str, folder: Path) -> dict[str, float]:
    engine = await open_engine(name, store_of(config.load()), folder)
    try:
        return await (kept if state == "kept" else restarted)(engine)
    finally:
        await engine.close()


async def prompt_for_peer(name: str, folder: Path) -> tuple[list[int], str]:
    """The same prompt as tokens and as text."""
    engine: Any = await open_engine(name, store_of(config.load()), folder)
    tokens = [*context_of(engine), *request_of(engine, 0)]
    await engine.close()
    return tokens, b"".join(map(engine.vocabulary.bytes_of, tokens)).decode()


def peer_of_llamacpp(tokens: list[int]) -> float:
    """llama.cpp's own server, as it is without us."""
    import xllamacpp

    native: Any = xllamacpp
    parameters = native.CommonParams()
    parameters.model.path = str(store_of(config.load()).path(MODELS["llamacpp"]))
    parameters.n_ctx, parameters.n_parallel = 8192, 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = free_cores()
    parameters.hostnames, parameters.port, parameters.verbosity = ["127.0.0.1"], 0, -1
    server = native.Server(parameters)
    body = {"prompt": tokens, "n_predict": 1, "temperature": 0}
    return posted_s(server.listening_address, "/completion", body)


def peer_of_mlx(text: str) -> float:
    """`mlx_lm.server`, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = str(store_of(config.load()).path(MODELS["mlx"]))
    code = (
        "from agent.engine.blas import interpose_openblas; interpose_openblas(); "  # the same BLAS as ours
        "from mlx_lm.server import main; main()"
    )
    command = [sys.executable, "-c", code, "--model", model, "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            posted_s(address, "/v1/completions", {"prompt": "#", "max_tokens": 1}, patience_s=60.0)
            return posted_s(address, "/v1/completions", {"prompt": text, "max_tokens": 1, "temperature": 0})
        finally:
            process.kill()


def posted_s(address: str, path: str, body: dict[str, Any], patience_s: float = 0.0) -> float:
    """Seconds until the answer; tries for `patience_s` to find somebody listening."""
    until_s = time.monotonic() + patience_s
    while True:
        began_s = time.perf_counter()
        connection = http.client.HTTPConnection(urlsplit(address).netloc)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except ConnectionRefusedError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.2)
            continue
        finally:
            connection.close()
        if response.status != 200:
            sys.exit(f"{path}: {answer[:300]!r}")
        return time.perf_counter() - began_s


def main() -> dict[str, float]:
    """Measure what the command line names."""
    state, name, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if state != "peer":
        return asyncio.run(measure(state, name, folder))
    tokens, text = asyncio.run(prompt_for_peer(name, folder))
    return {"peer": peer_of_llamacpp(tokens) if name == "llamacpp" else peer_of_mlx(text)}


if __name__ == "__main__":
    print(json.dumps(main()))
