"""What can go wrong between us and a provider."""


class TransportError(Exception):
    """Its text has no address, header or byte of what was exchanged.

    TransportError
    ├── Unsendable          the request is none that HTTP can carry
    ├── ConnectError        no connection, and so nothing was sent
    │   └── ConnectTimeout
    ├── WriteTimeout        some of the request may have been sent
    ├── ReadTimeout         all of it was sent
    ├── ConnectionBroken    the connection ended before the answer did
    └── Malformed           what came is not HTTP as RFC 9112 has it
    """


class Unsendable(TransportError):
    pass


class ConnectError(TransportError):
    pass


class ConnectTimeout(ConnectError):
    pass


class WriteTimeout(TransportError):
    pass


class ReadTimeout(TransportError):
    pass


class ConnectionBroken(TransportError):
    pass


class Malformed(TransportError):
    pass
