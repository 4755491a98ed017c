"""What passes through a gateway, read from the log lines of its functions: for a person to look at.

record        one request, as its log lines describe it
log_lines     the lines that count, and what they say
assembler     log lines -> requests
cost          what a request costs, computed from the tokens in its line
filters       which requests are printed
columns       numbers, times and names for columns of a fixed width
line          a request as one line of a terminal
printing      prints requests, as lines or as JSON
sources       where the log lines are read: CloudWatch, or the gateway on this machine
tail          the command `antiphon tail`
summary       the requests of the last minutes as numbers
picture       what `antiphon top` displays
top           the command `antiphon top`
"""
