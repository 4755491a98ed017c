"""The functions' own figures as CloudWatch knows them, by the list that the code has of them."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from antiphon.settings.metrics import NAMESPACE, STAGE, Metric

PERIOD = Duration.minutes(5)
SUM, MOST, SAMPLES = "Sum", "Maximum", "SampleCount"


def of(
    stage: str, metric: Metric, statistic: str = SUM, label: str | None = None
) -> cloudwatch.Metric:
    """One figure of a stage that has no dimension but the stage; raise ValueError for another."""
    if metric.dimensions:
        raise ValueError(f"{metric.name} has to be searched for: see `each`.")
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric.name,
        dimensions_map={STAGE: stage},
        statistic=statistic,
        label=label,
        period=PERIOD,
    )


def each(stage: str, metric: Metric) -> cloudwatch.IMetric:
    """A line for every combination of its dimensions."""
    label = " at ".join(f"${{PROP('Dim.{name}')}}" for name in metric.dimensions)
    return cloudwatch.SearchExpression(expression=search(stage, metric), label=label, period=PERIOD)


def total(stage: str, metric: Metric, label: str) -> cloudwatch.IMetric:
    """One line for all of them."""
    expression = f"SUM({search(stage, metric)})"
    return cloudwatch.MathExpression(
        expression=expression, using_metrics={}, label=label, period=PERIOD
    )


def search(stage: str, metric: Metric) -> str:
    schema = ",".join((NAMESPACE, STAGE, *metric.dimensions))
    wanted = f'MetricName="{metric.name}" {STAGE}="{stage}"'
    return f"SEARCH('{{{schema}}} {wanted}', '{SUM}')"
