from invocation import wait_for_result


def handler(event, _context):
    return wait_for_result(event)
