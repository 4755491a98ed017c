"""The functions' own metrics as CloudWatch expressions; antiphon.settings.metrics lists them."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from antiphon.settings.metrics import NAMESPACE, STAGE, Metric

PERIOD = Duration.minutes(5)
SUM, MAXIMUM, SAMPLE_COUNT = "Sum", "Maximum", "SampleCount"


def stage_metric(
    stage: str, metric: Metric, statistic: str = SUM, label: str | None = None
) -> cloudwatch.Metric:
    """Return a metric whose only dimension is the stage; raise ValueError for any other."""
    if metric.dimensions:
        raise ValueError(f"{metric.name} has more dimensions: use `metric_by_dimensions`.")
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric.name,
        dimensions_map={STAGE: stage},
        statistic=statistic,
        label=label,
        period=PERIOD,
    )


def metric_by_dimensions(stage: str, metric: Metric) -> cloudwatch.IMetric:
    """Return a search with one line for each combination of the metric's dimensions."""
    label = " at ".join(f"${{PROP('Dim.{name}')}}" for name in metric.dimensions)
    expression = search_expression(stage, metric)
    return cloudwatch.SearchExpression(expression=expression, label=label, period=PERIOD)


def metric_total(stage: str, metric: Metric, label: str) -> cloudwatch.IMetric:
    """Return the sum over all combinations of the metric's dimensions."""
    expression = f"SUM({search_expression(stage, metric)})"
    return cloudwatch.MathExpression(
        expression=expression, using_metrics={}, label=label, period=PERIOD
    )


def search_expression(stage: str, metric: Metric) -> str:
    """Return a SEARCH for the metric in one stage.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    schema = ",".join((NAMESPACE, STAGE, *metric.dimensions))
    terms = f'MetricName="{metric.name}" {STAGE}="{stage}"'
    return f"SEARCH('{{{schema}}} {terms}', '{SUM}')"
