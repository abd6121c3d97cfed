"""Bounces without a report: what qmail, Exim, Sendmail, Domino and many more write for people. Pure.

First what the mail system itself says is parted from the mail it returns, for that is no evidence. Within it each quoted reply,
with the words around it, is judged by itself; where none is quoted, the words of the whole are.
"""

import re

from flufl.bounce import all_failures  # reads the formats that no rule fits

from newsletter.bounces.codes import enhanced_in
from newsletter.bounces.judging import judge
from newsletter.bounces.mime import Mail
from newsletter.bounces.verdicts import Reading, Verdict, worst
from newsletter.bounces.wording import Topic, folded, topic_of

_MOST = 20_000
