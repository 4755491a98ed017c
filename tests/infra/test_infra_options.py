import pytest

from infra.constructs.options import Options, OptionsError, read

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ops"


def test_without_any_it_is_a_production_stage_with_both_doors():
    options = read({})
    assert (options.stage, options.rest, options.url, options.arch) == ("prod", True, True, "arm64")
    assert options.keeps_data


def test_keys_of_others_are_not_ours():
    assert read({"@aws-cdk/core:stackRelativeExports": True, "stage": "x"}) == read({})


def test_the_command_line_gives_words_and_they_are_read_as_what_they_mean():
    given = {"antiphon:rest": "off", "antiphon:memory": "256", "antiphon:throttle_rate": "2.5"}
    options = read(given)
    assert (options.rest, options.memory, options.throttle_rate) == (False, 256, 2.5)


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_word_takes_an_option_back(nothing):
    assert read({"antiphon:alarm_email": nothing, "antiphon:memory": nothing}) == read({})


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"stage": "dev"}, False),
        ({"stage": "prod-eu"}, True),
        ({"stage": "dev", "production": "yes"}, True),
        ({"stage": "prod", "production": False}, False),
    ],
)
def test_a_stage_keeps_its_data_by_its_name_or_as_told(options, kept):
    assert read({f"antiphon:{name}": value for name, value in options.items()}).keeps_data is kept


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"stage": "Prod"}, "stage"),
        ({"stage": "a-name-of-more-than-twenty"}, "stage"),
        ({"arch": "riscv"}, "arch"),
        ({"memory": 64}, "memory"),
        ({"memory": "much"}, "memory"),
        ({"reserved_concurrency": 0}, "reserved_concurrency"),
        ({"throttle_rate": 0}, "throttle_rate"),
        ({"log_days": 31}, "log_days"),
        ({"log_level": "LOUD"}, "log_level"),
        ({"rest": "perhaps"}, "rest"),
        ({"domain_name": "https://a.example.com"}, "domain_name"),
        ({"certificate_arn": "mine"}, "certificate_arn"),
        ({"alarm_email": "me"}, "alarm_email"),
        ({"memori": 512}, "memori"),
        ({"rest": False, "url": False}, "url"),
        ({"rest": False, "firewall": True}, "firewall"),
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
def test_a_wrong_option_is_refused_by_its_name(options, key):
    with pytest.raises(OptionsError) as refused:
        read({f"antiphon:{name}": value for name, value in options.items()})
    assert str(refused.value).startswith(f"antiphon:{key}: ")
    assert "\n" not in str(refused.value)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(OptionsError) as refused:
        read({"antiphon:memory": 1, "antiphon:log_days": 2})
    told = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in told] == ["antiphon:memory", "antiphon:log_days"]


def test_an_unknown_option_is_answered_with_the_known_ones():
    with pytest.raises(OptionsError, match="there are stage, production, rest, url"):
        read({"antiphon:door": "rest"})


@pytest.mark.parametrize("name", Options.model_fields)
def test_every_option_says_what_it_does(name):
    assert str(Options.model_fields[name].description).endswith(".")
