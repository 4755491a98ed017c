"""`antiphon cost`: the lines, their sum, and the comparison with AWS's guidance."""

import pytest

from infra import costs
from infra.prices import PRICES
from tests.infra.synthesis import CONFIG, resources, template
from tests.infra.variants import PARTS
from tests.support.commands import run_antiphon, run_for_json


def dollars(document, what):
    [line] = [each for each in document["lines"] if each["what"] == what]
    assert line["usd"] == pytest.approx(line["quantity"] / line["per"] * line["price_usd"])
    return line["usd"]


def test_the_lines_are_quantities_times_prices():
    document = run_for_json("cost", "--requests", "2e6", "--seconds", "10", "--memory", "256")
    # 2 million x 10.05 s x 0.25 GB x $13.3334 for a million GB-s
    assert dollars(document, "Lambda, duration") == pytest.approx(67.00, abs=0.01)
    assert dollars(document, "DynamoDB, writes") == pytest.approx(2 * 13 * 0.625)
    assert document["usd"] == pytest.approx(sum(line["usd"] for line in document["lines"]))


def test_the_page_has_the_same_sum():
    """But for what is due without any request: a secret, the alarms and the dashboard."""
    document = run_for_json("cost", "--memory", "256")
    column = costs.MEMORY_SIZES.index(256)
    page = sum(line.dollars[column] for line in costs.list_lines())
    assert document["usd"] == pytest.approx(page + 0.40 + 25 * 0.10 + 3.00)


@pytest.mark.parametrize(("text", "secrets"), [(CONFIG, 2), (PARTS, 5)], ids=["few", "all"])
def test_what_is_due_without_requests_is_what_the_stack_makes(tmp_path, text, secrets):
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    document = run_for_json("cost", "--config", str(file), "--door", "rest")
    made = template(text=text)
    fixed = {
        "secrets": len(resources(made, "SecretsManager::Secret")),
        "alarms": sum(map(count_metrics, resources(made, "CloudWatch::Alarm").values())),
        "dashboard": len(resources(made, "CloudWatch::Dashboard")),
        "API Gateway, metrics": 5 * len(resources(made, "ApiGateway::Method")),
    }
    counted = {line["what"]: line["quantity"] for line in document["lines"]}
    assert {what: counted[what] for what in fixed} == fixed
    assert fixed["secrets"] == secrets


def count_metrics(alarm):
    """Count what an alarm is charged by: each metric of an expression, or its only one."""
    return sum("MetricStat" in each for each in alarm.get("Metrics", ())) or 1


def test_a_wrong_configuration_is_refused(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text("targets = 1")
    done = run_antiphon("cost", "--config", str(file))
    assert (done.code, done.out) == (1, "")
    assert "gateway.toml: targets: " in done.err


def test_as_many_requests_as_the_comparison_names_cost_as_much():
    for options in ((), ("--door", "rest", "--seconds", "30", "--region", "eu-central-1")):
        count = run_for_json("cost", *options)["break_even_requests"]
        document = run_for_json("cost", *options, "--requests", str(count))
        assert document["usd"] == pytest.approx(document["guidance_usd"])


def test_a_region_has_its_own_prices():
    document = run_for_json("cost", "--region", "eu-central-1", "--door", "rest")
    assert dollars(document, "API Gateway, calls") == pytest.approx(3.70)
    assert dollars(document, "Lambda, requests") == pytest.approx(0.20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--region", "eu-west-1"), " and ".join(PRICES)),
        (("--requests", "nan"), "'nan' is not a number"),
        (("--requests", "0"), "1<=x<=1e+12"),
        (("--seconds", "901"), "0<=x<=900"),
        (("--memory", "64"), "128<=x<=10240"),
    ],
)
def test_what_cannot_be_computed_is_refused(options, message):
    done = run_antiphon("cost", *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
