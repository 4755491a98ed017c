"""The only rooms that speak DynamoDB and Secrets Manager; one for each kind of row."""
