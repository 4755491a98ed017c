"""Forms (multipart/form-data) as clients write them, and as other readers than ours read them."""

import asyncio
import email
import json
import re
import subprocess
from collections.abc import Callable, Mapping

import aiohttp
import httpx
from aiohttp.base_protocol import BaseProtocol
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from infra.node import build_command

type Pairs = list[tuple[str | None, bytes]]  # names and contents of all parts

WRITE_BY_NODE = """
const [forms] = [JSON.parse(require("fs").readFileSync(0, "utf8"))];
(async () => {
  const written = [];
  for (const parts of forms) {
    const form = new FormData();
    for (const [name, content, filename] of parts) {
      const bytes = Buffer.from(content, "base64");
      if (filename === null) form.append(name, bytes.toString("utf8"));
      else form.append(name, new Blob([bytes]), filename);
    }
    const response = new Response(form);
    const body = Buffer.from(await response.arrayBuffer()).toString("base64");
    written.push([response.headers.get("content-type"), body]);
  }
  console.log(JSON.stringify(written));
})();
"""


def write_by_node(forms: list[list[tuple[str, str, str | None]]]) -> list[tuple[str, str]]:
    """Forms as undici writes them; contents and bodies are in base64."""
    command = build_command("node", "-e", WRITE_BY_NODE)
    done = subprocess.run(command, input=json.dumps(forms), stdout=-1, text=True, check=True)
    return json.loads(done.stdout)


def write_by_httpx(
    fields: Mapping[str, str], files: list[tuple[str, tuple[str, bytes]]], boundary: str
) -> tuple[str, bytes]:
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    request = httpx.Request("POST", "http://a", data=fields, files=files, headers=kind)
    return request.headers["content-type"], request.read()


def read_by_aiohttp(content_type: str, body: bytes) -> Pairs:
    async def read() -> Pairs:
        loop = asyncio.get_running_loop()
        stream = aiohttp.StreamReader(BaseProtocol(loop), 2**20, loop=loop)
        stream.feed_data(body)
        stream.feed_eof()
        reader = aiohttp.MultipartReader({"Content-Type": content_type}, stream)
        found = []
        while (part := await reader.next()) is not None:
            found.append((part.name, bytes(await part.read())))
        return found

    return asyncio.run(read())


def read_by_email(content_type: str, body: bytes) -> Pairs:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body)
    if message.defects:
        raise ValueError(message.defects)
    return [
        (part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
        for part in message.get_payload()
    ]


def read_by_starlette(content_type: str, body: bytes) -> Pairs:
    async def read() -> Pairs:
        async def stream():
            yield body

        found = await MultiPartParser(Headers({"content-type": content_type}), stream()).parse()
        return [
            (name, await value.read() if isinstance(value, UploadFile) else value.encode())
            for name, value in found.multi_items()
        ]

    return asyncio.run(read())


def read_by_werkzeug(content_type: str, body: bytes) -> Pairs:
    boundary = re.search(r'boundary="?([^";]+)', content_type)[1]
    decoder, found = MultipartDecoder(boundary.encode()), []
    decoder.receive_data(body)
    decoder.receive_data(None)
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, Field | File):
            found.append((event.name, b""))
        elif isinstance(event, Data):
            found[-1] = (found[-1][0], found[-1][1] + event.data)
    return found


READERS: Mapping[str, Callable[[str, bytes], Pairs]] = {
    "aiohttp": read_by_aiohttp,
    "email": read_by_email,
    "python-multipart": read_by_starlette,
    "werkzeug": read_by_werkzeug,
}
