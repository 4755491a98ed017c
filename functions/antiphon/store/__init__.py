"""The only package that calls DynamoDB, SQS, Secrets Manager and STS."""
