"""What the stack consists of.

options          what a deployment can configure: `antiphon:<option>`
function_specs   the functions as data: one row for each
functions        a Lambda function from its row: role, permissions, trigger
rollout          versions, the alias that is invoked, canary deployments
storage          the table, the queues, and what the functions share
credentials      secrets of the targets, and access by web identity
protection       retention, encryption key, logs, acknowledged cdk-nag findings
rest_api         API Gateway, its domain name and its firewall
metrics          the functions' metrics in CloudWatch
alarms           the alarms and where they are sent
dashboard        the dashboard of a stage and its graphs
"""
