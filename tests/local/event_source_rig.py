"""A rig for event sources: functions whose results the test chooses, and their AWS."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx

from infra.local.aws.event_source_mapping import map_event_sources
from infra.local.aws.resources import (
    DEAD_LETTERS,
    QUEUE,
    TABLE,
    queue_attributes,
    queue_url,
    table_definition,
)
from infra.local.processes import Processes
from infra.local.runtime_api.function import Function, function_environment
from tests.local.gateway_rig import WRAPPER
from tests.support.aws_clients import LOCAL_AWS

EVENT_FUNCTIONS = Path(__file__).parent / "event_functions"


@dataclass
class EventInvocation:
    """A function that received an event and waits for its result from the test."""

    name: str
    pid: int
    event: dict
    writer: asyncio.StreamWriter

    @property
    def records(self):
        return self.event["Records"]

    def return_result(self, answer):
        self.writer.write(json.dumps(answer).encode() + b"\n")
        self.writer.close()

    def return_failures(self, *ids):
        self.return_result({"batchItemFailures": [{"itemIdentifier": id} for id in ids]})


class EventSourceRig:
    """The invocations of functions with an event source, and the AWS of these sources."""

    def __init__(self, endpoint):
        location = {"endpoint_url": endpoint, **LOCAL_AWS}
        self.sqs = boto3.client("sqs", **location)
        self.table = boto3.resource("dynamodb", **location).Table(TABLE)
        self.endpoint = endpoint
        self.queue = queue_url(endpoint)
        self._invocations = asyncio.Queue()
        self.set_queue_attributes(VisibilityTimeout="1")  # failed messages return soon

    async def next_invocation(self):
        return await self._invocations.get()

    async def accept(self, reader, writer):
        message = json.loads(await reader.readline())
        await self._invocations.put(EventInvocation(**message, writer=writer))

    def send(self, *bodies):
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def set_queue_attributes(self, **attributes):
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes=attributes)

    async def wait_until_empty(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while True:
            message = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
            if set(message["Attributes"].values()) == {"0"}:
                return
            await asyncio.sleep(0.05)

    def put(self, *names):
        for name in names:
            self.table.put_item(Item={"pk": name, "sk": "LINK"})


def empty(endpoint):
    """Make queue and table anew, as a gateway's AWS has them in the beginning."""
    httpx.post(f"{endpoint}/moto-api/reset", trust_env=False).raise_for_status()
    location = {"endpoint_url": endpoint, **LOCAL_AWS}
    boto3.client("dynamodb", **location).create_table(**table_definition())
    sqs = boto3.client("sqs", **location)
    sqs.create_queue(QueueName=DEAD_LETTERS)
    sqs.create_queue(QueueName=QUEUE, Attributes=queue_attributes())


@asynccontextmanager
async def run_event_source(name, folder, endpoint):
    """Run the event source of one function in `event_functions`, with an empty queue and table."""
    empty(endpoint)
    async with Processes() as processes:
        rig = EventSourceRig(endpoint)
        server = await asyncio.start_server(rig.accept, "127.0.0.1", 0)
        config = folder / "config.json"
        port = server.sockets[0].getsockname()[1]
        config.write_text(json.dumps({"targets": {}, "port": port}))
        env = function_environment(EVENT_FUNCTIONS, rig.endpoint, config, os.environ, name)
        function = Function(WRAPPER, EVENT_FUNCTIONS, env, 60)
        async with server, map_event_sources({name: function}, rig.endpoint, processes):
            yield rig
