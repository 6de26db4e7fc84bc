"""The command line: each command parses, calls the engine, prints; it decides nothing."""

import signal
import sys

# What comes while modules are still being imported: Ctrl-C ends without a traceback, and "read the route file again"
# is left out, since it is about to be read.
if sys.argv[0].endswith(("/hub", "/hub/__main__.py")):
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if "run" in sys.argv and hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
