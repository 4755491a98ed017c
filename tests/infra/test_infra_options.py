import pytest

from infra.constructs.options import Options, OptionsError, parse_options

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/Table-1"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ops"


def test_default_is_a_production_stage_with_both_endpoints():
    options = parse_options({})
    assert (options.stage, options.rest, options.url, options.arch) == ("prod", True, True, "arm64")
    assert options.keeps_data


def test_other_context_keys_are_ignored():
    assert parse_options(
        {"@aws-cdk/core:stackRelativeExports": True, "stage": "x"}
    ) == parse_options({})


def test_text_from_the_command_line_is_converted():
    given = {"antiphon:rest": "off", "antiphon:memory": "256", "antiphon:throttle_rate": "2.5"}
    options = parse_options(given)
    assert (options.rest, options.memory, options.throttle_rate) == (False, 256, 2.5)


@pytest.mark.parametrize("nothing", ["", None])
def test_empty_value_resets_an_option(nothing):
    assert parse_options(
        {"antiphon:alarm_email": nothing, "antiphon:memory": nothing}
    ) == parse_options({})


@pytest.mark.parametrize(
    ("options", "keeps_data"),
    [
        ({"stage": "dev"}, False),
        ({"stage": "prod-eu"}, True),
        ({"stage": "dev", "production": "yes"}, True),
        ({"stage": "prod", "production": False}, False),
    ],
)
def test_production_is_decided_by_name_or_option(options, keeps_data):
    assert (
        parse_options({f"antiphon:{name}": value for name, value in options.items()}).keeps_data
        is keeps_data
    )


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"stage": "Prod"}, "stage"),
        ({"stage": "a-name-of-more-than-twenty"}, "stage"),
        ({"arch": "riscv"}, "arch"),
        ({"memory": 64}, "memory"),
        ({"memory": "much"}, "memory"),
        ({"reserved_concurrency": 0}, "reserved_concurrency"),
        ({"canary": "half"}, "canary"),
        ({"provisioned_concurrency": 3, "reserved_concurrency": 2}, "provisioned_concurrency"),
        ({"provisioned_concurrency": 1, "snap_start": True}, "snap_start"),
        ({"throttle_rate": 0}, "throttle_rate"),
        ({"log_days": 31}, "log_days"),
        ({"log_level": "LOUD"}, "log_level"),
        ({"rest": "perhaps"}, "rest"),
        ({"domain_name": "https://a.example.com"}, "domain_name"),
        ({"certificate_arn": "mine"}, "certificate_arn"),
        ({"alarm_email": "me"}, "alarm_email"),
        ({"memori": 512}, "memori"),
        ({"region": "Ireland"}, "region"),
        ({"customer_managed_key": True}, "region"),
        ({"replicas": "eu-west-3"}, "region"),
        ({"replicas": "eu-west-3", "region": "eu-west-1", "table_arn": TABLE}, "replicas"),
        ({"table_arn": TOPIC}, "table_arn"),
        ({"table_arn": TABLE, "table_stream_arn": f"{TABLE}2/stream/1"}, "table_stream_arn"),
        ({"replicas": "eu-west-3,eu-west-1", "region": "eu-west-1"}, "replicas"),
        ({"replicas": "eu-west-3,eu-west-3", "region": "eu-west-1"}, "replicas"),
        (
            {"replicas": "eu-west-3", "region": "eu-west-1", "customer_managed_key": True},
            "replicas",
        ),
        ({"rest": False, "url": False}, "url"),
        ({"rest": False, "firewall": True}, "firewall"),
        ({"firewall": True}, "url"),
        ({"domain_name": "a.example.com"}, "certificate_arn"),
        ({"certificate_arn": CERTIFICATE}, "domain_name"),
        ({"hosted_zone_id": "Z1"}, "hosted_zone_id"),
        ({"alarm_email": "a@b.c", "alarm_topic_arn": TOPIC}, "alarm_email"),
        (
            {"rest": False, "domain_name": "a.example.com", "certificate_arn": CERTIFICATE},
            "domain_name",
        ),
    ],
)
def test_invalid_option_is_refused_with_its_name(options, key):
    with pytest.raises(OptionsError) as refused:
        parse_options({f"antiphon:{name}": value for name, value in options.items()})
    assert str(refused.value).startswith(f"antiphon:{key}: ")
    assert "\n" not in str(refused.value)


def test_all_errors_are_reported_together():
    with pytest.raises(OptionsError) as refused:
        parse_options({"antiphon:memory": 1, "antiphon:log_days": 2})
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["antiphon:memory", "antiphon:log_days"]


def test_error_for_unknown_option_lists_the_options():
    with pytest.raises(OptionsError, match="the options are stage, production, region"):
        parse_options({"antiphon:door": "rest"})


@pytest.mark.parametrize("name", Options.model_fields)
def test_every_option_has_a_description(name):
    assert str(Options.model_fields[name].description).endswith(".")
