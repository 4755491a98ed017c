import sys

sys.stdout.write("imported\n")


def handler(_event, _context):
    return "restored"
