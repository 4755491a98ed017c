"""What requests may contain and where they may go, as their operators decide."""
