"""`python -m infra.app`: the CDK CLI runs it to synthesise the template.

It must run as a module, not as a file: as a file, its folder would come first on sys.path, and
infra/constructs would hide the package `constructs`.
"""

import os
import sys

from antiphon.settings.config import ConfigError, load_config
from infra.bundle import Bundle, BundleError
from infra.constructs.options import OptionsError, parse_options
from infra.node import NODE
from infra.project import CONFIG


def main() -> None:
    os.environ.setdefault("JSII_NODE", str(NODE))
    # Imported here because the import of the CDK starts the Node.js named above.
    from aws_cdk import App  # noqa: PLC0415  see above

    from infra.constructs.functions import create_code  # noqa: PLC0415  see above
    from infra.constructs.protection import add_nag_checks  # noqa: PLC0415  see above
    from infra.stack import AntiphonStack  # noqa: PLC0415  see above

    app = App()
    add_nag_checks(app)
    options = parse_options(app.node.get_all_context())
    AntiphonStack(app, options, load_config(CONFIG), create_code(Bundle.from_lock(options.arch)))
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except (BundleError, ConfigError, OptionsError) as exc:
        sys.exit(str(exc))
