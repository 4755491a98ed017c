"""What the tests of the feeders stand on: functions that do what the test stdin, and their AWS."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from infra.local.aws.event_source_mapping import map_event_sources
from infra.local.aws.resources import TABLE, Resources, queue_url
from infra.local.processes import Processes, ServerProcess
from infra.local.runtime_api.function import Function, child_environment, function_environment
from tests.local.rig import WRAPPER
from tests.support.aws import LOCAL_AWS

FED = Path(__file__).parent / "fed"


@dataclass
class Call:
    """A function that was given an event and waits for what it is to return."""

    name: str
    pid: int
    event: dict
    writer: asyncio.StreamWriter

    @property
    def records(self):
        return self.event["Records"]

    def returns(self, answer):
        self.writer.write(json.dumps(answer).encode() + b"\n")
        self.writer.close()

    def fails(self, *ids):
        self.returns({"batchItemFailures": [{"itemIdentifier": id} for id in ids]})


class Fed:
    """The fed functions' calls, and the AWS from which they are fed."""

    def __init__(self, endpoint):
        place = {"endpoint_url": endpoint, **LOCAL_AWS}
        self.sqs = boto3.client("sqs", **place)
        self.table = boto3.resource("dynamodb", **place).Table(TABLE)
        self.endpoint = endpoint
        self.queue = queue_url(endpoint)
        self._calls = asyncio.Queue()
        self.have(VisibilityTimeout="1")  # what failed is shown again soon

    async def call(self):
        return await self._calls.get()

    async def meet(self, reader, writer):
        told = json.loads(await reader.readline())
        await self._calls.put(Call(**told, writer=writer))

    def send(self, *bodies):
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def have(self, **attributes):
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes=attributes)

    async def emptied(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while True:
            told = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
            if set(told["Attributes"].values()) == {"0"}:
                return
            await asyncio.sleep(0.05)

    def put(self, *names):
        for name in names:
            self.table.put_item(Item={"pk": name, "sk": "LINK"})


@asynccontextmanager
async def fed(name, folder):
    """A feeder for one function in `fed`, with a queue and a table of its own."""
    async with Processes() as processes:
        env = child_environment(os.environ)
        line = Resources([], {}).to_line()
        aws = await ServerProcess.start(processes, env, "infra.local.aws.server", stdin=line)
        made = Fed(await aws.wait_for_address())
        server = await asyncio.start_server(made.meet, "127.0.0.1", 0)
        port = folder / "port"
        port.write_text(str(server.sockets[0].getsockname()[1]))
        env = function_environment(FED, made.endpoint, port, os.environ, name)
        function = Function(WRAPPER, FED, env, 60)
        async with server, map_event_sources({name: function}, made.endpoint, processes):
            yield made
