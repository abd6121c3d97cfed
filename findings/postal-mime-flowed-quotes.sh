#!/bin/sh
# postal-mime 4.0.0 (npm): a quoted paragraph in format=flowed keeps a ">" in the middle of its sentence.
#
# Guess: the soft line breaks of a quote are undone as RFC 3676 section 4.5 has it: the quote marks are taken off, the
#        lines are joined, and the mark is set before the whole.
# Seen:  the lines are joined with their marks, so what was a mark becomes text. mailparser 3.14.2, by the same
#        hand, takes it off.
# Output: postal-mime: "> Eg vil > ikkje ha fleire brev.\n"
#         mailparser: "> Eg vil ikkje ha fleire brev."
# Why:   a service that reads replies strips quotes by the line and looks for words in the rest. Here "vil > ikkje"
#        is no longer the phrase that was written, and moving from one library to the other changes what is found.
# Ways round: undo format=flowed oneself, from the raw part.
# Documented: the README of postal-mime 4.0.0 does not mention quotes. Cause: src/mime-node.ts, decodeFlowedText.
set -eu
command -v npm >/dev/null || { echo "This needs node 20 or later with npm (Debian: apt install npm)." >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" postal-mime@4.0.0 mailparser@3.14.2 >/dev/null
cat >"$work/reply.mjs" <<'JS'
import PostalMime from 'postal-mime'
import { simpleParser } from 'mailparser'

const reply = [
  'From: kari@example.com',
  'To: news@example.com',
  'Subject: Re: Nytt',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8; format=flowed',
  '',
  '> Eg vil ',
  '> ikkje ha fleire brev.',
].join('\r\n')
const seen = { 'postal-mime': (await PostalMime.parse(reply)).text, mailparser: (await simpleParser(reply)).text }
for (const [name, text] of Object.entries(seen)) console.log(`${name}: ${JSON.stringify(text)}`)
if (seen['postal-mime'].trim() !== '> Eg vil > ikkje ha fleire brev.') {
  console.error('postal-mime now joins quoted lines otherwise: this finding has changed.')
  process.exit(1)
}
if (seen.mailparser.trim() !== '> Eg vil ikkje ha fleire brev.') {
  console.error('mailparser now joins quoted lines otherwise: this finding has changed.')
  process.exit(1)
}
JS
node "$work/reply.mjs"
