"""A moto server whose CloudFormation also makes what ours has and moto's lacks.

It makes them through the APIs that moto has: CloudFormation's properties are their parameters.
Other unknown kinds are skipped, with a warning: templates tell of them.
"""

import functools
import json
import logging
import os
import sys

import boto3
from moto.core.common_models import CloudFormationModel
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
aws = functools.cache(boto3.client)


class Made(CloudFormationModel):
    """What one of the functions below has made, and how to be rid of it."""

    def __init__(self, id, remove=lambda: None, **attributes):
        self.physical_resource_id = id
        self.attributes = attributes
        self.remove = remove

    def delete(self, _account, _region):
        self.remove()

    def get_cfn_attribute(self, name):
        return self.attributes[name]


def makes(kind, name_property=""):
    """The function makes a resource of this kind from its name and properties."""

    def register(make):
        def create(_cls, name, resource, _account, _region, **_):
            return make(name, **resource["Properties"])

        methods = {
            "__module__": "moto.cloudformation",  # moto counts instances by the second part
            "cloudformation_type": staticmethod(lambda: kind),
            "cloudformation_name_type": staticmethod(lambda: name_property),
            "create_from_cloudformation_json": classmethod(create),
        }
        # moto looks at direct subclasses alone, and so this must be one too.
        return type(make.__name__, (Made, CloudFormationModel), methods)

    return register


@makes("AWS::SecretsManager::Secret", "Name")
def secret(_, **properties):
    secrets = aws("secretsmanager")
    arn = secrets.create_secret(**properties)["ARN"]
    remove = functools.partial(secrets.delete_secret, SecretId=arn)
    return Made(arn, functools.partial(remove, ForceDeleteWithoutRecovery=True))


@makes("AWS::SQS::QueuePolicy")
def queue_policy(name, Queues, PolicyDocument):  # noqa: N803  CloudFormation's names
    for queue in Queues:
        policy = {"Policy": json.dumps(PolicyDocument)}
        aws("sqs").set_queue_attributes(QueueUrl=queue, Attributes=policy)
    return Made(name)


@makes("AWS::Lambda::Url")
def function_url(_, TargetFunctionArn, **properties):  # noqa: N803
    made = aws("lambda").create_function_url_config(FunctionName=TargetFunctionArn, **properties)
    return Made(TargetFunctionArn, FunctionUrl=f"{made['FunctionUrl']}/")  # as Lambda's ends


@makes("AWS::ApiGateway::Stage")
def stage(_, RestApiId, StageName, DeploymentId, TracingEnabled, **_others):  # noqa: N803
    aws("apigateway").create_stage(
        restApiId=RestApiId,
        stageName=StageName,
        deploymentId=getattr(DeploymentId, "id", DeploymentId),  # the deployment, to moto
        tracingEnabled=TracingEnabled,
    )
    return Made(StageName)


@makes("AWS::CloudWatch::Alarm", "AlarmName")
def alarm(_, AlarmName, **properties):  # noqa: N803
    alarms, name = aws("cloudwatch"), AlarmName
    alarms.put_metric_alarm(AlarmName=name, **properties)
    (made,) = alarms.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    remove = functools.partial(alarms.delete_alarms, AlarmNames=[name])
    return Made(name, remove, Arn=made["AlarmArn"])


def serve():
    """Print the endpoint when it serves; live as long as standard input stays open."""
    os.environ.update(ENVIRONMENT)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    # By this name, and not by its number: moto finds templates in buckets there alone.
    os.environ["AWS_ENDPOINT_URL"] = f"http://localhost:{port}"
    print(os.environ["AWS_ENDPOINT_URL"], flush=True)  # noqa: T201  the test waits for it
    sys.stdin.read()
