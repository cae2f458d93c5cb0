"""What a story of the demo is: a customer to whom something happens, and what tiewatch makes of it.

A story says who is in touch with whom, until when; the rest follows from the rules that ship. Days
are counted from the last day of the year, as `script` explains.
"""

from dataclasses import dataclass

from worker.demo.script import Account

RENEWAL = "renewal-without-exec-contact"
SINGLE = "single-threaded"
ADOPTION = "adoption-without-user-ties"
FALLING = "adoption-falling-without-contact"


@dataclass(frozen=True, slots=True)
class Story:
    """What happens at an account, and the rules whose flags it raises.

    `raises` are those that stand open at the year's end, `raised` those that opened during the
    year and resolved; no other flag ever opens. Neither means that tiewatch says nothing all year.
    """

    title: str
    tells: str
    account: Account
    raises: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
