"""A wire between the functions and their AWS, on which single operations fail in each way."""

import asyncio
import json

import aiohttp
from aiohttp import web

FORWARDED_HEADERS = {"content-type", "x-amz-target", "authorization"}
ERRORS = {
    "throttled": (400, "ProvisionedThroughputExceededException"),
    "denied": (400, "AccessDeniedException"),
    "failing": (500, "InternalServerError"),
}
# "refused": the connection breaks before the operation is executed; "lost": after it;
# "hanging": nothing is executed and nothing answers.
FAULTS = (*ERRORS, "refused", "lost", "hanging")


class Shim:
    """`faults` has the fault of each operation that fails, such as `PutItem`."""

    def __init__(self):
        self.faults = {}
        self.address = ""
        self._behind = ""

    def cut(self, *operations):
        """Refuse these operations from now on."""
        self.faults.update(dict.fromkeys(operations, "refused"))

    def restore(self):
        self.faults.clear()

    def before(self, endpoint):
        """Stand before an endpoint; gives the address to use in its place."""
        self._behind = endpoint
        return self.address

    async def open(self):
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._runner = web.ServerRunner(
            web.Server(self._respond, access_log=None), shutdown_timeout=1.0
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self):
        await self._session.close()
        await self._runner.cleanup()

    async def _respond(self, request):
        body = await request.read()
        fault = self.faults.get(request.headers.get("x-amz-target", "").rpartition(".")[2])
        if fault in ERRORS:
            status, code = ERRORS[fault]
            text = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"})
            return web.Response(status=status, text=text, content_type="application/x-amz-json-1.0")
        if fault == "hanging":
            await asyncio.Event().wait()  # until the client closes the connection
        response = None if fault == "refused" else await self._forward(request, body)
        if fault is not None:
            request.transport.abort()
        return response or web.Response()

    async def _forward(self, request, body):
        names = request.headers.items()
        headers = {name: value for name, value in names if name.lower() in FORWARDED_HEADERS}
        url = self._behind + request.path_qs
        async with self._session.post(url, data=body, headers=headers) as answer:
            kind = {"content-type": answer.headers.get("content-type", "")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kind)
