#!/usr/bin/env python3
"""RELIABILITY G: what the flags promise is in the binary itself. Usage: hardening_test.py PROGRAM"""
import re
import subprocess
import sys


def main(program):
    said = subprocess.run(['llvm-readelf-19', '--file-header', '--program-headers', '--dynamic', '--dyn-syms', program],
                          check=True, capture_output=True, text=True).stdout
    stack = re.search(r'GNU_STACK\s.*?\s(RWE|RW)\s', said)
    sanitized = '__asan_init' in said or '__tsan_init' in said
    promised = {
        'its place in memory is random (PIE)': re.search(r'Type:\s+DYN', said) and re.search(r'FLAGS_1\).*\bPIE\b', said),
        'everything is bound at the start (BIND_NOW)': re.search(r'FLAGS\).*\bBIND_NOW\b', said),
        'what the loader has written is read-only then (RELRO)': 'GNU_RELRO' in said,
        'the stack is not executable': stack and stack.group(1) == 'RW',
        'nothing is both writable and executable': not re.search(r'^\s+LOAD\s.*\bRWE\b', said, re.MULTILINE),
        'the stack is protected': '__stack_chk_fail' in said,
        'copies are checked (FORTIFY)': sanitized or re.search(r'__\w+_chk@', said),
        'libraries come from where the system has them': not re.search(r'\((RPATH|RUNPATH)\)', said),
        'code is not written to when loaded': 'TEXTREL' not in said,
    }
    broken = [promise for promise, kept in promised.items() if not kept]
    for promise in broken:
        print(f'not so in {program}: {promise}')
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
