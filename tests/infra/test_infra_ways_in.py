"""The two doors that people call: the REST API and the Function URL."""

import json
import re

import pytest

from tests.infra.synthesis import EVERYTHING, only, resources, template


def outputs(made):
    return {name: output["Value"] for name, output in made.find_outputs("*").items()}


def flat(value):
    """A value with its references in it as text."""
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


def test_the_root_and_all_below_it_go_to_the_function_whatever_the_method(methods):
    (proxy,) = resources(template(), "ApiGateway::Resource", PathPart="{proxy+}")
    (api,) = resources(template(), "ApiGateway::RestApi")
    places = [method["ResourceId"] for method in methods]
    root = {"Fn::GetAtt": [api, "RootResourceId"]}
    assert sorted(places, key=str) == sorted([{"Ref": proxy}, root], key=str)
    assert {method["HttpMethod"] for method in methods} == {"ANY"}


def test_answers_are_streamed_for_a_quarter_of_an_hour(methods):
    for method in methods:
        integration = method["Integration"]
        assert integration["ResponseTransferMode"] == "STREAM"
        assert integration["TimeoutInMillis"] == 900_000
        uri = flat(integration["Uri"])
        assert "/2021-11-15/functions/" in uri
        assert uri.endswith("/response-streaming-invocations")


def test_the_api_is_regional_for_an_edge_gives_silence_30_seconds_only():
    api = only(template(), "ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "BinaryMediaTypes" not in api


def test_the_stage_is_throttled_and_traced_and_its_limits_are_options():
    stage = only(template(throttle_rate=7.5, throttle_burst=9), "ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (7.5, 9)
    assert settings["DataTraceEnabled"] is False
    assert "LoggingLevel" not in settings
    assert stage["TracingEnabled"] is True


def test_the_access_log_is_json_and_shows_no_content():
    stage = only(template(), "ApiGateway::Stage")
    fields = json.loads(stage["AccessLogSetting"]["Format"]).values()
    assert "$context.status" in fields
    forbidden = re.compile("header|query|body|userAgent|authorizer|path$|resourcePath|apiKey")
    assert [f for f in fields if forbidden.search(f)] == ["$context.path"]
    assert flat(stage["AccessLogSetting"]["DestinationArn"]).endswith(":<AccessLogs8B620ECA>")


def test_its_own_refusals_speak_openai_s_dialect():
    refusals = resources(template(), "ApiGateway::GatewayResponse").values()
    assert {r["ResponseType"] for r in refusals} == {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED"}
    for refusal in refusals:
        body = refusal["ResponseTemplates"]["application/json"]
        error = json.loads(body.replace("$context.error.messageString", '"No."'))["error"]
        assert list(error) == ["message", "type", "param", "code"]
        assert "gatewayresponse.header.x-antiphon-request-id" in refusal["ResponseParameters"]


def test_the_function_url_streams_and_may_be_called_by_anybody_through_it_alone():
    url = only(template(), "Lambda::Url")
    assert (url["AuthType"], url["InvokeMode"]) == ("NONE", "RESPONSE_STREAM")
    public = resources(template(), "Lambda::Permission", Principal="*").values()
    allowed = {p["Action"]: p for p in public}
    assert set(allowed) == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert allowed["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"
    assert allowed["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True


def test_both_base_urls_and_all_names_are_told():
    told = outputs(template())
    assert set(told) == {
        "AlarmTopic",
        "DashboardName",
        "FunctionUrl",
        "KeyCacheSeconds",
        "RestUrl",
        "SecretNames",
        "TableName",
    }
    assert re.search(r"^https://.*/<RestDeploymentStageprod\w+>/v1$", flat(told["RestUrl"]))
    assert re.search(r"<ApiFunctionUrl\w+\.FunctionUrl>v1$", flat(told["FunctionUrl"]))
    assert told["SecretNames"] == "antiphon/prod/openai, antiphon/prod/azure-east"


@pytest.mark.parametrize(
    ("off", "kind", "told"),
    [("rest", "ApiGateway::RestApi", "RestUrl"), ("url", "Lambda::Url", "FunctionUrl")],
)
def test_either_may_be_off(off, kind, told):
    made = template(**{off: False})
    assert not resources(made, kind)
    assert told not in outputs(made)


def test_a_name_of_your_own_leads_to_the_rest_api():
    made = template(**EVERYTHING)
    domain = only(made, "ApiGateway::DomainName")
    assert domain["DomainName"] == "ai.example.com"
    assert domain["SecurityPolicy"] == "TLS_1_2"
    assert domain["RegionalCertificateArn"] == EVERYTHING["certificate_arn"]
    assert "BasePath" not in only(made, "ApiGateway::BasePathMapping")
    record = only(made, "Route53::RecordSet")
    assert (record["Name"], record["HostedZoneId"]) == ("ai.example.com", "Z0123456789")
    assert outputs(made)["RestUrl"] == "https://ai.example.com/v1"


def test_without_a_zone_the_record_is_yours_to_make():
    chosen = {name: EVERYTHING[name] for name in ("domain_name", "certificate_arn")}
    assert not resources(template(**chosen), "Route53::RecordSet")


def test_the_firewall_stands_before_the_stage_and_reads_no_prompts():
    made = template(firewall=True, firewall_rate=300)
    rules = {rule["Name"]: rule["Statement"] for rule in only(made, "WAFv2::WebACL")["Rules"]}
    assert rules["rate"]["RateBasedStatement"]["Limit"] == 300
    group = rules["reputation"]["ManagedRuleGroupStatement"]["Name"]
    assert group == "AWSManagedRulesAmazonIpReputationList"
    before = only(made, "WAFv2::WebACLAssociation")["ResourceArn"]
    assert "/stages/<RestDeploymentStage" in flat(before)


def test_the_account_s_log_role_outlives_the_stack_or_is_left_alone():
    (account,) = template().find_resources("AWS::ApiGateway::Account").values()
    assert account["DeletionPolicy"] == "Retain"
    assert not resources(template(account_log_role=False), "ApiGateway::Account")
