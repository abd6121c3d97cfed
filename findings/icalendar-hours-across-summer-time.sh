#!/bin/sh
# icalendar 7.3.2 (PyPI): three hours are two in the night when summer time begins.
#
# Guess: DURATION:PT3H is three hours, whatever the clock does; only days and weeks follow the calendar
#        (RFC 5545 section 3.3.6: hours, minutes and seconds are exact, days and weeks nominal).
# Seen:  Event.end adds both to the clock on the wall. From 01:00 the three hours end at 04:00, two hours later; and a
#        reminder of -PT24H goes off 23 hours before.
# Output: event: 2026-03-29 01:00:00+01:00 to 2026-03-29 04:00:00+02:00, 2.0 hours
#         reminder: 23.0 hours before
# Why:   a newsletter with an invitation (a night train, a deadline "24 hours later", a release) says another time than
#        calendars that follow the RFC; it is wrong on two nights of a year and right in every test.
# Ways round: write DTEND instead of DURATION, or add the duration in UTC.
# Documented: icalendar's documentation has "start + duration" at Event.duration, and nothing on the clock. Cause:
#        icalendar/attr.py, where the two are added. The matter is open for C's libical (issue 630), which errs the
#        other way round.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2 tzdata==2026.6
"$work/venv/bin/python" - <<'PY'
import sys
from datetime import UTC, datetime

from icalendar import Calendar

CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Newsletter//NN
BEGIN:VEVENT
UID:1@example.com
DTSTAMP:20260301T120000Z
DTSTART;TZID=Europe/Oslo:20260329T010000
DURATION:PT3H
SUMMARY:Nattog
END:VEVENT
BEGIN:VEVENT
UID:2@example.com
DTSTAMP:20260301T120000Z
DTSTART;TZID=Europe/Oslo:20260329T143000
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:I morgon
TRIGGER:-PT24H
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def hours(begin: datetime, end: datetime) -> float:
    return (end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() / 3600


train, talk = Calendar.from_ical(CALENDAR.replace("\n", "\r\n")).events
reminder = talk.alarms.times[0].trigger
print(f"event: {train.start} to {train.end}, {hours(train.start, train.end)} hours")
print(f"reminder: {hours(reminder, talk.start)} hours before")
if hours(train.start, train.end) != 2 or hours(reminder, talk.start) != 23:
    sys.exit("icalendar now counts exact hours over the change of the clock: this finding has changed.")
PY
