"""Versions, the alias `live`, canary deployments and provisioned concurrency."""

import pytest

from infra.constructs.options import Canary
from tests.infra.synthesis import function, only, resources, template
from tests.infra.variants import EVERYTHING, EXISTING, RESERVED, SNAP_START
from tests.support.lazy import LazyModule

rollout = LazyModule("infra.constructs.rollout")


def alias_of(made, name):
    """Return the logical id and the resource of a function's alias."""
    found = made.find_resources("AWS::Lambda::Alias")
    (item,) = ((id, a) for id, a in found.items() if id.startswith(name.capitalize()))
    return item


def test_each_function_has_an_alias_of_its_published_version():
    made = template()
    versions = resources(made, "Lambda::Version")
    for name in ("api", "settle", "rollup"):
        _, alias = alias_of(made, name)
        version, attribute = alias["Properties"]["FunctionVersion"]["Fn::GetAtt"]
        assert (alias["Properties"]["Name"], attribute) == ("live", "Version")
        assert versions[version]["FunctionName"] == alias["Properties"]["FunctionName"]


def test_only_the_aliases_are_invoked():
    made = template()
    api, _ = alias_of(made, "api")
    allowed = resources(made, "Lambda::Permission").values()
    assert {str(each["FunctionName"]) for each in allowed} == {str({"Ref": api})}
    assert only(made, "Lambda::Url")["Qualifier"] == "live"
    sources = resources(made, "Lambda::EventSourceMapping").values()
    aliases = [{"Ref": alias_of(made, name)[0]} for name in ("rollup", "settle")]
    invoked = [each["FunctionName"] for each in sources]
    assert sorted(invoked, key=str) == aliases


def test_permissions_to_invoke_name_their_api_or_need_the_function_url():
    for each in resources(template(), "Lambda::Permission").values():
        if each["Principal"] == "apigateway.amazonaws.com":
            assert {"Ref": "Rest9065D4D9"} in each["SourceArn"]["Fn::Join"][1]
        else:
            assert each.get("InvokedViaFunctionUrl") or each.get("FunctionUrlAuthType")


def test_replaced_version_stays_for_the_streams_that_it_serves():
    versions = template().find_resources("AWS::Lambda::Version").values()
    assert {version["UpdateReplacePolicy"] for version in versions} == {"Retain"}
    assert {version["DeletionPolicy"] for version in versions} == {"Retain"}


def test_by_default_a_new_version_takes_over_at_once_and_nothing_is_kept_started():
    made = template()
    assert not resources(made, "CodeDeploy::DeploymentGroup")
    for name in ("api", "settle", "rollup"):
        _, alias = alias_of(made, name)
        assert "UpdatePolicy" not in alias
        assert "ProvisionedConcurrencyConfig" not in alias["Properties"]


def test_provisioned_concurrency_is_the_api_s():
    made = template(**EVERYTHING)
    provisioned = [
        alias_of(made, name)[1]["Properties"].get("ProvisionedConcurrencyConfig")
        for name in ("api", "settle", "rollup")
    ]
    assert provisioned == [{"ProvisionedConcurrentExecutions": 2}, None, None]


def test_canary_shifts_the_api_and_rolls_back_on_alarms_of_a_faulty_version():
    made = template(**EVERYTHING)
    group = only(made, "CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    alarms = {id: a["AlarmName"] for id, a in resources(made, "CloudWatch::Alarm").items()}
    watched = {alarms[alarm["Name"]["Ref"]] for alarm in group["AlarmConfiguration"]["Alarms"]}
    assert watched == {
        "Antiphon-prod-ApiErrors",
        "Antiphon-prod-CutStreams",
        "Antiphon-prod-LinkNotWritten",
        "Antiphon-prod-RollupErrors",
        "Antiphon-prod-ServerErrors",
        "Antiphon-prod-SettleErrors",
    }
    policy = alias_of(made, "api")[1]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert policy["ApplicationName"] == group["ApplicationName"]


def test_a_changed_property_of_the_function_is_a_new_version_and_a_reservation_is_not():
    def version(**options):
        _, alias = alias_of(template(**options), "api")
        return alias["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]

    assert version(**SNAP_START) != version()
    assert version(**RESERVED) == version()


@pytest.mark.parametrize(
    ("arch", "options", "without"),
    [("arm64", SNAP_START, {}), ("x86_64", EXISTING, EVERYTHING)],
    ids=["arm64", "x86_64"],
)
def test_snap_start_is_the_api_s_on_both_architectures(arch, options, without):
    made = template(**options)
    assert function(made, "api")["Architectures"] == [arch]
    assert function(made, "api")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in function(made, "settle")
    assert function(template(**without), "api")["Architectures"] == [arch]
    assert "SnapStart" not in function(template(**without), "api")


def test_each_canary_is_a_deployment_config():
    assert set(rollout.CANARIES) == set(Canary.__value__.__args__)


def test_reserved_concurrency_is_the_function_s():
    made = template(**RESERVED)
    assert function(made, "api")["ReservedConcurrentExecutions"] == 5
