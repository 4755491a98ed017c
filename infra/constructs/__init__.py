"""What the stack is made of; each file makes one kind of thing and says why it is as it is."""
