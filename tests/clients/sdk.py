"""The same calls through both clients of openai-python, the sync one and the async one."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter

import openai

# Loading certificates takes longer than a whole test, and the gateway here speaks plain http.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
HTTP = {"trust_env": False, "verify": TLS}


class Sync:
    def __init__(self, client):
        self._client = client

    async def close(self):
        self._client.close()

    async def call(self, name, /, *args, **ask):
        """Any other method, by its name below the client: `responses.retrieve`."""
        return attrgetter(name)(self._client)(*args, **ask)

    async def pages(self, name, /, *args, **ask):
        return list(attrgetter(name)(self._client)(*args, **ask))

    async def create(self, **ask):
        return self._client.responses.create(**ask)

    async def raw(self, **ask):
        return self._client.responses.with_raw_response.create(**ask)

    async def drain(self, events):
        return list(events)

    async def parse(self, **ask):
        return self._client.responses.parse(**ask)

    async def streamed(self, **ask):
        with self._client.responses.create(stream=True, **ask) as events:
            for event in events:
                yield event

    async def helped(self, **ask):
        with self._client.responses.stream(**ask) as events:
            for event in events:
                yield event

    async def final(self, **ask):
        with self._client.responses.stream(**ask) as events:
            return events.get_final_response()


class Async:
    def __init__(self, client):
        self._client = client

    async def close(self):
        await self._client.close()

    async def call(self, name, /, *args, **ask):
        return await attrgetter(name)(self._client)(*args, **ask)

    async def pages(self, name, /, *args, **ask):
        return [each async for each in attrgetter(name)(self._client)(*args, **ask)]

    async def create(self, **ask):
        return await self._client.responses.create(**ask)

    async def raw(self, **ask):
        return await self._client.responses.with_raw_response.create(**ask)

    async def drain(self, events):
        return [event async for event in events]

    async def parse(self, **ask):
        return await self._client.responses.parse(**ask)

    async def streamed(self, **ask):
        async with await self._client.responses.create(stream=True, **ask) as events:
            async for event in events:
                yield event

    async def helped(self, **ask):
        async with self._client.responses.stream(**ask) as events:
            async for event in events:
                yield event

    async def final(self, **ask):
        async with self._client.responses.stream(**ask) as events:
            return await events.get_final_response()


def _made(flavour, brand, settings):
    if flavour == "sync":
        make = openai.AzureOpenAI if brand == "azure" else openai.OpenAI
        return Sync(make(http_client=openai.DefaultHttpxClient(**HTTP), **settings))
    make = openai.AsyncAzureOpenAI if brand == "azure" else openai.AsyncOpenAI
    return Async(make(http_client=openai.DefaultAsyncHttpxClient(**HTTP), **settings))


@asynccontextmanager
async def opened(flavour, brand="openai", **settings) -> AsyncIterator[Sync | Async]:
    """A client of this flavour ("sync", "async") and brand ("openai", "azure")."""
    made = _made(flavour, brand, settings)
    try:
        yield made
    finally:
        await made.close()
