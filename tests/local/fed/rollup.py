from told import ask


def handler(event, _context):
    return ask(event)
