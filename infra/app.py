"""`python -m infra.app`: what the CDK CLI runs to get the template.

As a module, never as a file: its folder would stand first on the path then, and infra/constructs
would hide the package `constructs`.
"""

import os
import sys

from antiphon.settings.config import ConfigError, load_config
from infra.bundle import CONFIG, Bundle, BundleError
from infra.constructs.options import OptionsError, read
from infra.node import NODE


def main() -> None:
    os.environ.setdefault("JSII_NODE", str(NODE))
    # Here and not above: importing the CDK starts that Node.js.
    from aws_cdk import App  # noqa: PLC0415  see above

    from infra.constructs.code import code  # noqa: PLC0415  see above
    from infra.constructs.findings import check  # noqa: PLC0415  see above
    from infra.stack import Antiphon  # noqa: PLC0415  see above

    app = App()
    check(app)
    options = read(app.node.get_all_context())
    Antiphon(app, options, load_config(CONFIG), code(Bundle.locked(options.arch)))
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except (BundleError, ConfigError, OptionsError) as exc:
        sys.exit(str(exc))
