// Writes ../unicode_runs.inc: what kind of character every code point is, as the regular expressions of
// OpenAI's own tokenizer see it (the Rust core of the npm package, not this Node's ICU), so that the table
// is the same wherever it is made.
//
//   node src/tokens/ranks/make_unicode.mjs
import {writeFileSync} from 'node:fs';
import {Tiktoken} from 'tiktoken';

const END = 0x110000;
const isSurrogate = (c) => c >= 0xd800 && c <= 0xdfff;
const everything = [];
for (let c = 0; c < END; ++c) {
  if (!isSurrogate(c)) {
    everything.push(String.fromCodePoint(c));
  }
}
const text = everything.join('');

// A vocabulary of the 256 bytes alone gives back what a pattern matches, and nothing else.
const bytes = Array.from({length: 256}, (_, byte) => Buffer.from([byte]).toString('base64')).join(' ');
function matches(pattern) {
  const tokenizer = new Tiktoken(`! 0 ${bytes}`, {}, pattern);
  const matched = Buffer.from(tokenizer.decode(tokenizer.encode_ordinary(text))).toString();
  tokenizer.free();
  return [...matched].map((character) => character.codePointAt(0));
}

// Later ones win: line ends are white space too.
const PATTERNS = {
  space: '\\s', newline: '[\\r\\n]', upper: '[\\p{Lu}\\p{Lt}]', lower: '\\p{Ll}', letter: '[\\p{Lm}\\p{Lo}]',
  mark: '\\p{M}', number: '\\p{N}',
};
const kinds = new Array(END).fill('other');
for (const [kind, pattern] of Object.entries(PATTERNS)) {
  for (const c of matches(pattern)) {
    kinds[c] = kind;
  }
}

// The version shows in a letter that came with it and one that came with the next.
const UNICODE = '16.0.0';
if (kinds[0x10d50] !== 'upper' || kinds[0x16ea0] !== 'other') {
  throw new Error(`the tokenizer's tables are no longer of Unicode ${UNICODE}: change the version here`);
}

// Scripts that write capital and small letters in turn are one run, not hundreds.
const isPair = (c) => kinds[c] === 'upper' && kinds[c + 1] === 'lower';
const runs = [];
for (let c = 0; c < END;) {
  let end = c + 1;
  let kind = kinds[c];
  if (isPair(c) && isPair(c + 2)) {
    kind = 'cased_pairs';
    for (end = c + 4; isPair(end); end += 2) {}
  } else {
    while (end < END && kinds[end] === kind && !(isPair(end) && isPair(end + 2))) {
      ++end;
    }
  }
  runs.push(`{0x${c.toString(16)}, ${kind}},`);
  c = end;
}

const lines = [];
for (const run of runs) {
  if (lines.length === 0 || lines.at(-1).length + run.length + 1 > 100) {
    lines.push(run);
  } else {
    lines[lines.length - 1] += ` ${run}`;
  }
}
writeFileSync(new URL('../unicode_runs.inc', import.meta.url), `\
// Written by ranks/make_unicode.mjs from Unicode ${UNICODE}: the first code point of each run and its kind;
// it ends where the next begins. In cased_pairs upper and lower case stand in turn.
${lines.join('\n')}
`);
console.log(`${runs.length} runs`);
