"""A moto server whose CloudFormation supports more resource types than moto's own.

It creates them with moto's APIs: the properties in CloudFormation are the parameters of the API.
Other unsupported types are skipped with a warning; the tests of the template cover them.
"""

import functools
import json
import logging
import os
import sys

import boto3
from moto.cloudformation import models, parsing
from moto.cloudformation.parsing import ResourceMap
from moto.core.common_models import CloudFormationModel
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from tests.infra.account import ENVIRONMENT
from tests.support import moto_lambda

aws = functools.cache(boto3.client)


class CreatedResource(CloudFormationModel):
    """A resource created by one of the functions below, and how to delete it."""

    def __init__(self, id, remove=lambda: None, **attributes):
        self.physical_resource_id = id
        self.attributes = attributes
        self.remove = remove

    def delete(self, _account, _region):
        self.remove()

    def get_cfn_attribute(self, name):
        return self.attributes[name]

    @classmethod
    def update_from_cloudformation_json(cls, original_resource, **_):
        """Keep it: no test changes the properties of one of these resources."""
        return original_resource


class RetainingMap(ResourceMap):
    """Honours deletion policies when a resource leaves the template, which moto does not."""

    def _delete_resource(self, parsed_resource, resource_json):
        if resource_json.get("DeletionPolicy", "Delete") == "Delete":
            super()._delete_resource(parsed_resource, resource_json)

    def update(self, template, parameters=None):
        """Forget what was removed: moto would take it for what is added under its name later."""
        removed = set(self._resource_json_map) - set(template["Resources"])
        super().update(template, parameters)
        for name in removed:
            self._parsed_resources.pop(name, None)


def creates(kind, name_property=""):
    """Register a function that creates a resource of this type from its name and properties."""

    def register(make):
        def create(_cls, name, resource, _account, _region, **_):
            return make(name, **resource["Properties"])

        methods = {
            "__module__": "moto.cloudformation",  # moto counts instances by the second part
            "cloudformation_type": staticmethod(lambda: kind),
            "cloudformation_name_type": staticmethod(lambda: name_property),
            "create_from_cloudformation_json": classmethod(create),
        }
        # moto finds direct subclasses only, so this must be one.
        return type(make.__name__, (CreatedResource, CloudFormationModel), methods)

    return register


@creates("AWS::SecretsManager::Secret", "Name")
def secret(name, GenerateSecretString=None, **properties):  # noqa: N803  CloudFormation's names
    secrets = aws("secretsmanager")
    if GenerateSecretString is not None:
        made = secrets.get_random_password(**GenerateSecretString)
        properties["SecretString"] = made["RandomPassword"]
    arn = secrets.create_secret(**{"Name": name, **properties})["ARN"]
    remove = functools.partial(secrets.delete_secret, SecretId=arn)
    return CreatedResource(arn, functools.partial(remove, ForceDeleteWithoutRecovery=True))


@creates("AWS::DynamoDB::GlobalTable", "TableName")
def global_table(name, Replicas, TimeToLiveSpecification, SSESpecification, **properties):  # noqa: N803
    """Create what the stack's own Region has; moto's tables are in one Region each."""
    (here,) = (each for each in Replicas if each["Region"] == ENVIRONMENT["AWS_REGION"])
    tables, named = aws("dynamodb"), {"TableName": name}
    stream = {**properties.pop("StreamSpecification"), "StreamEnabled": True}
    made = tables.create_table(
        **named,
        **properties,
        StreamSpecification=stream,
        SSESpecification={"Enabled": SSESpecification["SSEEnabled"]},
        DeletionProtectionEnabled=here["DeletionProtectionEnabled"],
        Tags=here["Tags"],
    )["TableDescription"]
    tables.update_time_to_live(**named, TimeToLiveSpecification=TimeToLiveSpecification)
    tables.update_continuous_backups(
        **named, PointInTimeRecoverySpecification=here["PointInTimeRecoverySpecification"]
    )
    attributes = {"Arn": made["TableArn"], "StreamArn": made["LatestStreamArn"]}
    return CreatedResource(name, functools.partial(tables.delete_table, **named), **attributes)


@creates("AWS::SQS::QueuePolicy")
def queue_policy(name, Queues, PolicyDocument):  # noqa: N803  CloudFormation's names
    for queue in Queues:
        policy = {"Policy": json.dumps(PolicyDocument)}
        aws("sqs").set_queue_attributes(QueueUrl=queue, Attributes=policy)
    return CreatedResource(name)


@creates("AWS::Lambda::Url")
def function_url(_, TargetFunctionArn, **properties):  # noqa: N803
    made = aws("lambda").create_function_url_config(FunctionName=TargetFunctionArn, **properties)
    return CreatedResource(
        TargetFunctionArn, FunctionUrl=f"{made['FunctionUrl']}/"
    )  # Lambda's URLs end with /


@creates("AWS::Lambda::Alias")
def function_alias(_, FunctionName, Name, FunctionVersion, **_others):  # noqa: N803
    made = aws("lambda").create_alias(
        FunctionName=FunctionName, Name=Name, FunctionVersion=FunctionVersion
    )
    return CreatedResource(made["AliasArn"])  # deleted with its function


@creates("AWS::CodeDeploy::Application", "ApplicationName")
def application(_, ApplicationName, ComputePlatform, **_others):  # noqa: N803
    name = ApplicationName
    aws("codedeploy").create_application(applicationName=name, computePlatform=ComputePlatform)
    return CreatedResource(name)  # moto does not delete applications


@creates("AWS::CodeDeploy::DeploymentGroup", "DeploymentGroupName")
def deployment_group(name, **properties):
    given = {**uncapitalize(properties), "deploymentGroupName": name}
    aws("codedeploy").create_deployment_group(**given)
    return CreatedResource(name)


def uncapitalize(value):
    """Return a property with its names as the APIs of some services have them."""
    if isinstance(value, list):
        return [uncapitalize(each) for each in value]
    if isinstance(value, dict):
        return {
            key[0].lower() + key[1:]: uncapitalize(each)
            for key, each in value.items()
            if key != "Tags"
        }
    return value


@creates("AWS::ApiGateway::Stage")
def stage(_, RestApiId, StageName, DeploymentId, TracingEnabled, **_others):  # noqa: N803
    aws("apigateway").create_stage(
        restApiId=RestApiId,
        stageName=StageName,
        deploymentId=getattr(DeploymentId, "id", DeploymentId),  # moto passes the object
        tracingEnabled=TracingEnabled,
    )
    return CreatedResource(StageName)


@creates("AWS::CloudWatch::Alarm", "AlarmName")
def alarm(_, AlarmName, **properties):  # noqa: N803
    alarms, name = aws("cloudwatch"), AlarmName
    alarms.put_metric_alarm(AlarmName=name, **properties)
    (made,) = alarms.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    remove = functools.partial(alarms.delete_alarms, AlarmNames=[name])
    return CreatedResource(name, remove, Arn=made["AlarmArn"])


# moto remembers the types that it found for the first stack of a process, which may be before this.
for remembered in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
    remembered.cache_clear()


def add_version_attribute():
    """Let templates read `Version` of a published version; moto's has no attributes."""
    from moto.awslambda.models import LambdaVersion  # noqa: PLC0415  for the server's process only

    LambdaVersion.get_cfn_attribute = lambda version, _name: str(version.version)


def read_json_first():
    """Read templates as JSON where they are: as YAML, each of ours takes half a second."""
    read_yaml = models.Stack.parse_template

    def read(template):
        try:
            return json.loads(template)
        except ValueError:
            return read_yaml(template)

    models.Stack.parse_template = staticmethod(read)


def install():
    """Let stacks be updated as AWS does it."""
    models.ResourceMap = RetainingMap
    resolve = models.CloudFormationBackend._resolve_update_parameters

    def resolve_known(backend, instance, incoming_params):
        """Skip what has its default value: moto knows only what was passed at the creation."""
        known = [p for p in incoming_params if p["ParameterKey"] in instance.parameters]
        return resolve(backend, instance, known)

    models.CloudFormationBackend._resolve_update_parameters = resolve_known


def serve():
    """Print the endpoint, then serve until standard input is closed."""
    os.environ.update(ENVIRONMENT)
    add_version_attribute()
    moto_lambda.install()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    install()
    read_json_first()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    # Not 127.0.0.1: moto finds templates in buckets only with the host name localhost.
    os.environ["AWS_ENDPOINT_URL"] = f"http://localhost:{port}"
    print(os.environ["AWS_ENDPOINT_URL"], flush=True)  # noqa: T201  the test reads it
    sys.stdin.read()
