"""A send loop as many a web framework's documentation shows it: for each reader render a template, build a message of
the email package, connect to the mail server, send, disconnect. It keeps no record, so it does less than we do.
"""

from email.message import EmailMessage
from functools import partial
from smtplib import SMTP

from jinja2 import Environment

from benchmarks.mailings import LINKS
from benchmarks.processes import CLOCK
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES, mail_size, ours
from benchmarks.sinks import running_sink

_PARAGRAPH = "And what came of it in the end is told in full there. "
_TEMPLATE = (
    "<p>Hello {{ name }},</p>{% for link in links %}<p><a href='{{ link }}'>A story</a> {{ words }}</p>{% endfor %}"
)


def loop(people: int, size: int) -> Figures:
    """Send to so many, one after the other, mails of about `size` octets."""
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    words = _PARAGRAPH * (size // 2 // LINKS // len(_PARAGRAPH))
    with running_sink() as sink:
        began = CLOCK.monotonic()
        for number in range(people):
            links = [f"https://www.example.com/stories/{number}/{link}" for link in range(LINKS)]
            message = EmailMessage()
            message["From"], message["To"] = "Example Books <monthly@example.com>", f"reader{number}@example.com"
            message["Subject"] = "What came of the stories"
            message.set_content("\n\n".join(f"A story: {link} {words}" for link in links))
            message.add_alternative(template.render(name="Kari", links=links, words=words), subtype="html")
            with SMTP("127.0.0.1", sink.port) as connection:
                connection.send_message(message)
        return {RATE: people / (CLOCK.monotonic() - began)}


def measure(run: Run) -> list[Row]:
    """Measure it beside one worker on SQLite."""
    people = run.size(30_000, 10_000)
    kind = run.databases[0]
    size = mail_size(run, kind, people)
    found = run.interleave(
        "Send loop",
        {"loop": partial(loop, run.size(1_000, 200), size), "ours": partial(ours, run, kind, people, lean=False)},
    )
    ours_, theirs = found["ours"].of(RATE), found["loop"].of(RATE)
    what = f"Sending, {NAMES[kind]}"
    return [Row("loop", what, "a send loop with a connection each", "mails/s", ours_, theirs, Goal(30))]
