"""`python -m tests.bench.players.aws`: a DynamoDB that answers at once, and checks nothing.

So the gateway does all its work for a link, and what is measured is not the time of moto.
"""

import asyncio
import json
import re
from typing import Any

from antiphon.store import keys
from antiphon.store.dynamodb import marshal
from tests.bench.players.listening import serve
from tests.bench.players.requests import RequestProtocol, encode_whole
from tests.bench.request import KEY

MOST_ROWS = 1000  # then the older ones are forgotten
AWS_JSON = b"application/x-amz-json-1.0"
CHANGES = re.compile(r"(#\w+)(?: =)? (:\w+)")  # of an UpdateExpression: what it sets, or adds
ANSWERS: dict[str, dict[str, Any]] = {
    "BatchWriteItem": {"UnprocessedItems": {}},
    "Query": {"Items": [], "Count": 0, "ScannedCount": 0},
    "GetSecretValue": {"SecretString": "credential-of-the-bench"},
}

type Row = dict[str, Any]


class Rows:
    """By their keys; made of nothing but the bench's key at first."""

    def __init__(self) -> None:
        self._key = marshal(keys.key_row(KEY, "bench"))
        self._rows: dict[str, Row] = {}

    def do(self, operation: str, request: Row) -> Row:
        match operation:
            case "GetItem":
                found = self._row(request["Key"])
                return {"Item": found} if found else {}
            case "BatchGetItem":
                return {"Responses": self._found(request["RequestItems"]), "UnprocessedKeys": {}}
            case "PutItem":
                self._put(request["Item"])
                return {}
            case "UpdateItem":
                return {"Attributes": self._changed(request)}
        return ANSWERS.get(operation, {})

    def _found(self, request: Row) -> Row:
        found = {table: map(self._row, wanted["Keys"]) for table, wanted in request.items()}
        return {table: [row for row in rows if row] for table, rows in found.items()}

    def _row(self, key: Row) -> Row:
        return self._key if key["pk"] == self._key["pk"] else self._rows.get(_place(key), {})

    def _changed(self, request: Row) -> Row:
        names, given = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        pairs = CHANGES.findall(request["UpdateExpression"])
        changes = {names[name]: given[value] for name, value in pairs}
        return self._put({**request["Key"], **self._row(request["Key"]), **changes})

    def _put(self, row: Row) -> Row:
        if len(self._rows) >= MOST_ROWS:
            self._rows.clear()
        self._rows[_place(row)] = row
        return row


def _place(row: Row) -> str:
    return f"{row['pk']['S']} {row['sk']['S']}"


ROWS = Rows()


class Table(RequestProtocol):
    def respond(self, headers: dict[bytes, bytes], body: bytes) -> None:
        operation = headers[b"x-amz-target"].decode().rpartition(".")[2]
        content = ROWS.do(operation, json.loads(body))
        self.transport.write(encode_whole(json.dumps(content).encode(), AWS_JSON))


if __name__ == "__main__":
    asyncio.run(serve("aws", Table))
