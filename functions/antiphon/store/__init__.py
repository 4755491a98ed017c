"""The only room that speaks to DynamoDB, SQS, Secrets Manager and STS."""
