"""The two endpoints: the REST API and the Function URL."""

import json
import re
import tomllib

import pytest

from antiphon.settings.config import parse_config
from infra import cost_model
from tests.infra.synthesis import CONFIG, only, resources, template
from tests.infra.variants import (
    EVERYTHING,
    EXISTING,
    KEYLESS,
    OTHER_PARTS,
    PARTS,
    SECOND_REGION,
)


def outputs(made):
    return {name: output["Value"] for name, output in made.find_outputs("*").items()}


def flat(value):
    """Return a value as text, with its references in angle brackets."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::GetAtt" in value:
        return "<{}.{}>".format(*value["Fn::GetAtt"])
    return "".join(map(flat, value["Fn::Join"][1]))


@pytest.fixture(scope="module")
def methods():
    return list(resources(template(), "ApiGateway::Method").values())


def test_all_paths_and_methods_go_to_the_function(methods):
    (proxy,) = resources(template(), "ApiGateway::Resource", PathPart="{proxy+}")
    (api,) = resources(template(), "ApiGateway::RestApi")
    places = [method["ResourceId"] for method in methods]
    root = {"Fn::GetAtt": [api, "RootResourceId"]}
    assert sorted(places, key=str) == sorted([{"Ref": proxy}, root], key=str)
    assert {method["HttpMethod"] for method in methods} == {"ANY"}


def test_responses_are_streamed_for_up_to_15_minutes(methods):
    for method in methods:
        integration = method["Integration"]
        assert integration["ResponseTransferMode"] == "STREAM"
        assert integration["TimeoutInMillis"] == 900_000
        uri = flat(integration["Uri"])
        assert "/2021-11-15/functions/" in uri
        assert uri.endswith("/response-streaming-invocations")


def test_api_is_regional():
    api = only(template(), "ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_only_forms_come_as_base64():
    """JSON stays text: as base64 it would be a third larger, and Lambda's events have a limit."""
    assert only(template(), "ApiGateway::RestApi")["BinaryMediaTypes"] == ["multipart/form-data"]


def test_stage_is_throttled_by_options_and_traced():
    stage = only(template(**EVERYTHING), "ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (7.5, 9)
    assert settings["DataTraceEnabled"] is False
    assert "LoggingLevel" not in settings
    assert stage["TracingEnabled"] is True


def test_access_log_is_json_without_content():
    stage = only(template(), "ApiGateway::Stage")
    fields = json.loads(stage["AccessLogSetting"]["Format"]).values()
    assert {"$context.status", "$context.integration.timeToFirstContent"} <= set(fields)
    forbidden = re.compile("header|query|body|userAgent|authorizer|path$|resourcePath|apiKey")
    assert [f for f in fields if forbidden.search(f)] == ["$context.path"]
    assert flat(stage["AccessLogSetting"]["DestinationArn"]).endswith(":<AccessLogs8B620ECA>")


def test_errors_of_api_gateway_have_openai_s_envelope():
    refusals = resources(template(), "ApiGateway::GatewayResponse").values()
    assert {r["ResponseType"] for r in refusals} == {
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
        "THROTTLED",
    }
    for refusal in refusals:
        body = refusal["ResponseTemplates"]["application/json"]
        error = json.loads(body.replace("$context.error.messageString", '"No."'))["error"]
        assert list(error) == ["message", "type", "param", "code"]
        assert "gatewayresponse.header.x-antiphon-request-id" in refusal["ResponseParameters"]


def test_errors_of_api_gateway_invite_no_second_payment():
    """Those after which the function may have run; a refusal by API Gateway may be repeated."""
    refusals = resources(template(), "ApiGateway::GatewayResponse").values()
    no_retry = {
        refusal["ResponseType"]
        for refusal in refusals
        if refusal["ResponseParameters"].get("gatewayresponse.header.x-should-retry") == "'false'"
    }
    assert no_retry == {"INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"}


@pytest.mark.parametrize(
    ("text", "origins", "readable"),
    [
        (CONFIG, [], None),
        (PARTS, ["https://a.test"], "'https://a.test'"),
        (KEYLESS, ["*"], "'*'"),
        (OTHER_PARTS, ["x://a", "x://b"], None),
    ],
    ids=["none", "one", "all", "two"],
)
def test_errors_of_api_gateway_are_readable_for_pages_of_one_origin(text, origins, readable):
    assert parse_config(tomllib.loads(text)).gateway.cors_origins == origins
    for refusal in resources(template(text=text), "ApiGateway::GatewayResponse").values():
        found = refusal["ResponseParameters"]
        assert found.get("gatewayresponse.header.access-control-allow-origin") == readable


def test_preflights_reach_the_function_by_both_endpoints(methods):
    """Neither endpoint answers OPTIONS by itself."""
    assert {method["HttpMethod"] for method in methods} == {"ANY"}
    assert "Cors" not in only(template(), "Lambda::Url")


def test_function_url_streams_and_is_public():
    url = only(template(), "Lambda::Url")
    assert (url["AuthType"], url["InvokeMode"]) == ("NONE", "RESPONSE_STREAM")
    public = resources(template(), "Lambda::Permission", Principal="*").values()
    allowed = {p["Action"]: p for p in public}
    assert set(allowed) == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert allowed["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"
    assert allowed["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True


def test_outputs_contain_base_urls_and_names():
    found = outputs(template())
    assert set(found) == {
        "AlarmTopic",
        "ConfigFingerprint",
        "DashboardName",
        "FunctionUrl",
        "KeyCacheSeconds",
        "KeySettings",
        "RestUrl",
        "TableName",
        "TargetNames",
        "TargetSecret1",
        "TargetSecret2",
    }
    assert re.search(r"^https://.*/<RestDeploymentStageprod\w+>/v1$", flat(found["RestUrl"]))
    assert re.search(r"<ApiLiveFunctionUrl\w+\.FunctionUrl>v1$", flat(found["FunctionUrl"]))
    assert found["TargetNames"] == "openai, azure-east"


@pytest.mark.parametrize(
    ("options", "kind", "output"),
    [
        (EXISTING, "ApiGateway::RestApi", "RestUrl"),
        (EVERYTHING, "Lambda::Url", "FunctionUrl"),
    ],
    ids=["rest", "url"],
)
def test_either_endpoint_can_be_disabled(options, kind, output):
    made = template(**options)
    assert not resources(made, kind)
    assert output not in outputs(made)


def test_domain_name_leads_to_the_rest_api():
    made = template(**EVERYTHING)
    domain = only(made, "ApiGateway::DomainName")
    assert domain["DomainName"] == "ai.example.com"
    assert domain["SecurityPolicy"] == "TLS_1_2"
    assert domain["RegionalCertificateArn"] == EVERYTHING["certificate_arn"]
    assert "BasePath" not in only(made, "ApiGateway::BasePathMapping")
    record = only(made, "Route53::RecordSet")
    assert (record["Name"], record["HostedZoneId"]) == ("ai.example.com", "Z0123456789")
    assert outputs(made)["RestUrl"] == "https://ai.example.com/v1"


def test_without_a_zone_there_is_no_dns_record():
    made = template(**SECOND_REGION)
    assert only(made, "ApiGateway::DomainName")["DomainName"] == "ai.example.com"
    assert not resources(made, "Route53::RecordSet")


def test_firewall_protects_the_stage_by_address_only():
    """AWS WAF reads the first kilobytes of a body and lets the rest pass: no rule looks at one."""
    made = template(**EVERYTHING)
    firewall = only(made, "WAFv2::WebACL")
    assert "FieldToMatch" not in json.dumps(firewall)
    rules = {rule["Name"]: rule["Statement"] for rule in firewall["Rules"]}
    assert rules.keys() == {"rate", "reputation"}
    assert rules["rate"]["RateBasedStatement"]["Limit"] == 300
    group = rules["reputation"]["ManagedRuleGroupStatement"]["Name"]
    assert group == "AWSManagedRulesAmazonIpReputationList"
    before = only(made, "WAFv2::WebACLAssociation")["ResourceArn"]
    assert "/stages/<RestDeploymentStage" in flat(before)


def test_costs_count_what_the_template_has(methods):
    firewall = only(template(**EVERYTHING), "WAFv2::WebACL")
    assert (len(methods), len(firewall["Rules"])) == (cost_model.METHODS, cost_model.FIREWALL_RULES)


def test_nothing_relies_on_a_firewall():
    assert not resources(template(), "WAFv2::WebACL")


def test_log_role_of_the_account_is_retained_or_not_created():
    (account,) = template().find_resources("AWS::ApiGateway::Account").values()
    assert account["DeletionPolicy"] == "Retain"
    assert not resources(template(**EVERYTHING), "ApiGateway::Account")
