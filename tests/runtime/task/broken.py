message = "init é"
raise ValueError(message)
