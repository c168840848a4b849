"""llama.cpp's HTTP server inside this process: started here, spoken to on loopback with a random key.

Reference: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md; the binding is xllamacpp.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import secrets
import sys
import threading
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import xllamacpp

from agent.engine.protocol import EngineError, Prefilled

_native: Any = xllamacpp
NICENESS, LIVE_NICENESS = 5, 19
"""Of the server's threads, more than that of the others: usually, and while somebody speaks to Utter.

With 5, Whisper took seven times as long for a word when the model was busy; with 19 hardly longer than alone.
But programs beside Utter then hold the model up more, where the kernel does not group them (sched(7),
autogroup).
"""

_STOP_S = 20.0  # for its threads to end
_STOPPED = "llama.cpp did not answer; the engine has stopped. Start Utter again."


@dataclass(frozen=True)
class Event:
    """One event of a completion. `predicted` counts all tokens so far; only the last has a `stop_type`."""

    text: str
    tokens: tuple[int, ...]
    predicted: int
    stop_type: str


class LlamaServer:
    """One model, one slot."""

    def __init__(
        self,
        model: Path,
        slot_folder: Path,
        *,
        threads: int,
        context_tokens: int,
        niceness: int = NICENESS,
    ) -> None:
        """Loads the model, which takes seconds. Raises `EngineError` when llama.cpp cannot run it."""
        self._key = secrets.token_urlsafe(32)
        parameters = _parameters(model, slot_folder, threads, context_tokens, self._key)
        try:
            with ThreadPoolExecutor(1, initializer=_yield_to_others, initargs=(niceness,)) as worker:
                self._server: Any = worker.submit(_native.Server, parameters).result()
        except Exception as error:
            raise EngineError(
                f"llama.cpp could not load {model}. Run `utter models verify`; if the file is whole, "
                "free some memory or choose a smaller model."
            ) from error
        self.address: str = self._server.listening_address
        self._headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def tokenise(self, parts: Sequence[str], *, special: bool) -> list[int]:
        """Token ids of `parts`, each tokenised by itself. Blocks for about a millisecond."""
        body = {"content": list(parts), "parse_special": special, "add_special": False}
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc)
        try:
            connection.request("POST", "/tokenize", json.dumps(body), self._headers)
            return json.loads(connection.getresponse().read())["tokens"]
        except (OSError, KeyError, ValueError) as error:
            raise EngineError(_STOPPED) from error
        finally:
            connection.close()

    async def prefill(self, prompt: Sequence[int]) -> Prefilled:
        """Make the slot hold `prompt`. One token at least is computed, even when the slot holds all of it."""
        answer = await self._post("/completion", {**_request(prompt), "n_predict": 0})
        return Prefilled(answer["timings"]["cache_n"], answer["timings"]["prompt_n"])

    async def complete(self, prompt: Sequence[int], options: dict[str, Any]) -> AsyncGenerator[Event, None]:
        """Stream a completion. Closing the generator closes the connection, and with it the server's work."""
        request = {**_request(prompt), **options, "stream": True, "return_tokens": True}
        try:
            async with self._client().stream("POST", "/completion", json=request) as response:
                if response.status_code != 200:
                    raise _refused(json.loads(await response.aread()))
                async for line in response.aiter_lines():
                    name, _, text = line.partition(": ")
                    if name not in ("data", "error"):  # blank lines, and comments that keep it alive
                        continue
                    data = json.loads(text)
                    if "stop" not in data:
                        raise _refused(data)
                    yield Event(
                        data["content"],
                        tuple(data["tokens"]),
                        data["tokens_predicted"],
                        data.get("stop_type", "") if data["stop"] else "",
                    )
        except httpx.HTTPError as error:
            raise EngineError(_STOPPED) from error

    async def sample(self, prompt: Sequence[int], options: dict[str, Any]) -> int | None:
        """One token behind `prompt`; None for the end of the turn."""
        request = {**_request(prompt), **options, "n_predict": 1, "return_tokens": True}
        answer = await self._post("/completion", request)
        return None if answer["stop_type"] == "eos" or not answer["tokens"] else answer["tokens"][0]

    async def save(self, file_name: str) -> int:
        """Write the slot's tokens and KV cache into the slot folder; gives the number of bytes."""
        return (await self._post("/slots/0?action=save", {"filename": file_name}))["n_written"]

    async def restore(self, file_name: str) -> int:
        """Fill the slot from a file that is known to be whole; gives the number of tokens it now holds."""
        return (await self._post("/slots/0?action=restore", {"filename": file_name}))["n_restored"]

    async def close(self) -> None:
        """Stop the server and free the model."""
        client = self._clients.get(asyncio.get_running_loop())
        self._clients.clear()
        if client is not None:
            await client.aclose()
        # The last reference ends the server's threads, which takes a moment. Now and then these miss it and
        # never end; nobody should wait for them, nor the end of the process.
        stopping = threading.Thread(target=self._stop, daemon=True)
        stopping.start()
        await asyncio.to_thread(stopping.join, _STOP_S)

    def _stop(self) -> None:
        self._server = None

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = await self._client().post(path, json=body)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise EngineError(_STOPPED) from error
        if response.status_code != 200:
            raise _refused(answer)
        return answer

    def _client(self) -> httpx.AsyncClient:
        """The client of the running event loop; connections cannot be shared between loops."""
        loop = asyncio.get_running_loop()
        if (client := self._clients.get(loop)) is None:
            for closed in [other for other in self._clients if other.is_closed()]:
                del self._clients[closed]
            client = self._clients[loop] = httpx.AsyncClient(
                base_url=self.address,
                headers=self._headers,
                timeout=None,  # a prompt may take minutes; cancellation is the caller's
                trust_env=False,  # no proxy from the environment may see what is said on loopback
                verify=False,  # plain HTTP: reading the certificates would take a tenth of a second
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        return client


def _yield_to_others(niceness: int) -> None:
    """Let this thread, and those that it starts, stand back where others of this process want a core too.

    A page of text takes the model seconds, and sound and speech that wait for it break up. Only Linux gives
    threads priorities of their own (setpriority(2)).
    """
    if sys.platform.startswith("linux"):
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)


def _parameters(model: Path, slot_folder: Path, threads: int, context_tokens: int, key: str) -> Any:
    parameters: Any = _native.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx = context_tokens
    parameters.n_parallel = 1
    parameters.n_batch = parameters.n_ubatch = 512
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.fit_params = False  # it loads the model once more to measure, seconds on a CPU
    parameters.cache_ram_mib = 0
    parameters.slot_save_path = f"{slot_folder}/"
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [key]
    # No page in a browser may talk to it: the one origin allowed cannot exist (RFC 6761, .invalid).
    parameters.cors_origins = "null.invalid"
    parameters.cors_origins_explicit = True
    parameters.cors_credentials = False
    parameters.ui = False
    parameters.verbosity = -1
    return parameters


def _request(prompt: Sequence[int]) -> dict[str, Any]:
    return {"prompt": list(prompt), "id_slot": 0, "cache_prompt": True}


def _refused(answer: dict[str, Any]) -> EngineError:
    reason = answer.get("error", answer).get("message", "it gave no reason")
    return EngineError(f"llama.cpp refused the request: {reason}")
