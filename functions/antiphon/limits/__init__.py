"""How much a key and its tenant may use: counted before a request is sent, corrected when it ends.

Only what generates is counted: a create, and a compaction. A caller without limits costs nothing;
for one with limits it is one conditional write, in which all of its limits hold or none is touched.

- Requests and tokens count by the minute of the clock in which the request begins. A request that
  the gateway refuses does not count; one that its provider refuses does, but its tokens do not.
- Tokens, and money under a budget, are reserved by a guess (`demand`) and replaced by what was
  used. Tokens that were more than guessed count in the minute in which that is known.
- A response is in flight until its answer has ended; in the background, until it has begun.
- A budget admits what is left of it and of what is reserved; it is exceeded by no more than what
  those in flight use above their reservations. A reservation of which nobody has told anything
  when Lambda must have ended the call comes back; what is told later still counts, and once.
"""

from antiphon.limits.admission import Admission
from antiphon.limits.lease import Desk, Form, Lease

__all__ = ["Admission", "Desk", "Form", "Lease"]
