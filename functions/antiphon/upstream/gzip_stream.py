"""Decodes gzip as it arrives: some proxies compress an answer that was requested without."""

import zlib
from collections.abc import Iterator

import httpx

GZIP_MAGIC = b"\x1f"
GZIP_WINDOW = zlib.MAX_WBITS + 16
MAX_DECODED = 262_144  # bytes of one piece: a few bytes of gzip may stand for a megabyte


class GzipStream(httpx.SyncByteStream):
    """Decodes one or more gzip members (RFC 1952, 2.2) as the body arrives, in small pieces.

    Unlike httpx's decoder it raises where the last member ends too early.
    """

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream
        self._decoder = zlib.decompressobj(GZIP_WINDOW)
        self._has_begun = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._stream:
                yield from self._decode(piece)
        except zlib.error as exc:
            raise httpx.RemoteProtocolError("The body is not valid gzip.") from exc
        if self._has_begun and not self._decoder.eof:
            raise httpx.RemoteProtocolError("The connection ended before the gzip data did.")

    def _decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decoder.eof:
                if not data.startswith(GZIP_MAGIC):  # padding
                    return
                self._decoder = zlib.decompressobj(GZIP_WINDOW)
            self._has_begun = True
            decoded = self._decoder.decompress(data, MAX_DECODED)
            while decoded:  # some may be left when all of the data is taken
                yield decoded
                data = self._decoder.unconsumed_tail
                decoded = b"" if self._decoder.eof else self._decoder.decompress(data, MAX_DECODED)
            data = self._decoder.unused_data

    def close(self) -> None:
        self._stream.close()
