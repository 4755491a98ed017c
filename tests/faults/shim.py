"""A wire between the functions and their AWS that can be cut for single operations."""

import aiohttp
from aiohttp import web

KEPT = {"content-type", "x-amz-target", "authorization"}


class Shim:
    """`cut` holds the operations that do not get through, such as PutItem."""

    def __init__(self):
        self.cut = set()
        self.address = ""
        self._behind = ""

    def before(self, endpoint):
        """Stand before an endpoint; gives the address to use in its place."""
        self._behind = endpoint
        return self.address

    async def open(self):
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._runner = web.ServerRunner(web.Server(self._pass_on, access_log=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self):
        await self._session.close()
        await self._runner.cleanup()

    async def _pass_on(self, request):
        body = await request.read()
        if request.headers.get("x-amz-target", "").rpartition(".")[2] in self.cut:
            request.transport.abort()
            return web.Response()
        headers = {name: value for name, value in request.headers.items() if name.lower() in KEPT}
        url = self._behind + request.path_qs
        async with self._session.post(url, data=body, headers=headers) as answer:
            kind = {"content-type": answer.headers.get("content-type", "")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kind)
