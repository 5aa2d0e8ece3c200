#!/usr/bin/env python3
"""Writes ../characters.txt: kinds of characters as Python knows them, to test unicode_runs.inc against another source.

Blocks of 128 code points that this Python's Unicode has filled whole: what is assigned keeps its category, but for a
few corrections, so an older Unicode must agree on them.

    python3 src/tokens/ranks/make_characters.py
"""
import pathlib
import unicodedata

BLOCK = 128
SPACES = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
LETTERS = {'Lu': 'U', 'Lt': 'U', 'Ll': 'l', 'Lm': 'L', 'Lo': 'L'}


def kind(c: int) -> str:
    category = unicodedata.category(chr(c))
    if c in (0x0A, 0x0D):
        return 'n'
    if c in SPACES:
        return 's'
    return LETTERS.get(category) or {'M': 'm', 'N': 'd'}.get(category[0], 'o')


lines = []
for first in range(0, 0x110000, BLOCK):
    block = range(first, first + BLOCK)
    if any(unicodedata.category(chr(c)) in ('Cn', 'Cs') for c in block):
        continue
    kinds = ''.join(kind(c) for c in block)
    if kinds == kinds[0] * BLOCK:
        kinds = kinds[0]
        if lines and lines[-1][1:] == [first - 1, kinds]:
            lines[-1][1] = block[-1]
            continue
    lines.append([first, block[-1], kinds])

out = pathlib.Path(__file__).parent.parent / 'characters.txt'
out.write_text(f'''\
# Written by ranks/make_characters.py from Unicode {unicodedata.unidata_version}: first and last code point, and the
# kind of each between, or of all: s space, n line end, U upper, l lower, L letter, m mark, d number, o other.
''' + ''.join(f'{first:x} {last:x} {kinds}\n' for first, last, kinds in lines))
print(f'{len(lines)} lines')
