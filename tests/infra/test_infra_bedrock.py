"""Targets of Amazon Bedrock: no secret, and permissions for what they name and serve."""

from tests.infra.synthesis import resources, statements, template
from tests.infra.variants import PARTS

CREATE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]


def arn(service, account, resource, region="us-west-2"):
    parts = [":", {"Ref": "AWS::Partition"}, f":{service}:{region}:"]
    end = [{"Ref": "AWS::AccountId"}, f":{resource}"] if account else [f":{resource}"]
    return "".join(map(str, ["arn", *parts, *end]))


def readable(value):
    """An ARN, whose parts CloudFormation joins, as one text."""
    return "".join(map(str, value["Fn::Join"][1])) if isinstance(value, dict) else value


def permissions(name):
    """Actions, resource and conditions of a function at Bedrock; the CDK merges statements."""
    return [
        (each["Action"], readable(resource), each.get("Condition"))
        for each in statements(template(text=PARTS), name)
        if "bedrock" in str(each["Action"])
        for resource in listed(each["Resource"])
    ]


def listed(value):
    return value if isinstance(value, list) else [value]


def test_the_api_function_may_call_the_models_that_are_named_and_no_others():
    models = [arn("bedrock", "", f"foundation-model/openai.{name}") for name in ("gpt-a", "*")]
    profile = arn("bedrock", "account", "inference-profile/eu.openai.gpt-b")
    behind = arn("bedrock", "", "foundation-model/openai.gpt-b", region="*")
    found = permissions("api")
    creates = {resource: condition for action, resource, condition in found if action == CREATE}
    assert creates.keys() == {*models, profile, behind}
    by_profile = creates[behind]["ArnLike"]["bedrock:InferenceProfileArn"]
    assert readable(by_profile) == profile
    assert [creates[each] for each in (*models, profile)] == [None] * 3


def test_what_is_stored_may_be_reached_as_far_as_the_targets_serve_it():
    projects = arn("bedrock-mantle", "account", "project/*")
    region = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    rest = [each for each in permissions("api") if each[0] != CREATE]
    names = [f"bedrock-mantle:{name}Inference" for name in ("Cancel", "Create", "Delete", "Get")]
    assert rest == [("bedrock:GetInvoke", "*", region), (names, projects, None)]
    assert permissions("settle") == [
        ("bedrock:GetInvoke", "*", region),
        ("bedrock-mantle:GetInference", projects, None),
    ]
    assert permissions("rollup") == []


def test_bedrock_has_no_secret_and_others_get_no_permission():
    secrets = resources(template(text=PARTS), "SecretsManager::Secret").values()
    descriptions = str([each["Description"] for each in secrets])
    assert [name for name in ("runtime", "patterns", "mantle") if name in descriptions] == []
    assert "bedrock" not in str(statements(template(), "api"))
