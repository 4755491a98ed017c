"""An HTTP request read just as it came."""

from aiohttp import web

from infra.local.call import Call

MOST_BYTES = 6 * 1024 * 1024  # Lambda's limit for an event


class TooLarge(Exception):
    """The request is more than a Lambda event can carry."""


async def receive(request: web.BaseRequest) -> Call:
    """Give the whole request; raise TooLarge rather than read on."""
    path, _, query = request.raw_path.partition("?")
    here = request.get_extra_info("sockname")
    return Call(
        method=request.method,
        path=path,
        query=query,
        headers=tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in request.raw_headers),
        body=await _body(request),
        source=request.remote or "127.0.0.1",
        port=here[1] if here else 0,
        protocol="HTTP/{}.{}".format(*request.version),
    )


async def _body(request: web.BaseRequest) -> bytes:
    if (request.content_length or 0) > MOST_BYTES:
        raise TooLarge
    if request.headers.get("expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # nothing of the answer is out yet
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLarge
    return bytes(body)
