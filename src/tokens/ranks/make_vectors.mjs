// Writes ../vectors.txt: texts and how many tokens OpenAI's own tokenizer (the Rust core of the npm package)
// makes of them.
//
//   node src/tokens/ranks/make_vectors.mjs
import {readFileSync, writeFileSync} from 'node:fs';
import {Tiktoken} from 'tiktoken';

const tokenizers = ['cl100k_base', 'o200k_base'].map((name) => {
  const file = new URL(`node_modules/tiktoken/encoders/${name}.json`, import.meta.url);
  const {bpe_ranks, pat_str} = JSON.parse(readFileSync(file, 'utf8'));
  return new Tiktoken(bpe_ranks, {}, pat_str);  // without special tokens: their text is ordinary
});

const lines = [];
// A Buffer holds bytes that may be no UTF-8.
function add(text, times = 1) {
  const bytes = Buffer.concat(new Array(times).fill(Buffer.from(text)));
  const whole = new TextDecoder('utf-8', {ignoreBOM: true}).decode(bytes);
  const counts = tokenizers.map((tokenizer) => tokenizer.encode_ordinary(whole).length);
  lines.push([...counts, times, escaped(text)].join(' '));
}
function escaped(text) {
  if (typeof text !== 'string') {
    return [...text].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
  const named = {'\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\'};
  return text.replace(/[\p{M}\p{C}\p{Z}\\]/gu, (character, at) => {
    const isInner = at > 0 && at < text.length - 1;
    return character === ' ' && isInner ? ' ' : named[character] ?? `\\u{${character.codePointAt(0).toString(16)}}`;
  });
}
const section = (title) => lines.push(`# ${title}`);

section('English, contractions');
add('The quick brown fox jumps over the lazy dog.');
add("It's what they'd said: we'll go, I'm sure you've seen they're not, isn't it?");
add("IT'S WE'LL THEY'VE I'M YOU'RE HE'D DON'T It'S we'Ll tHeY'rE");
add("'s't're've'm'll'd 'S 'x ''s' it''s rock'n'roll O'Reilly d'être l'eau");
add("the long s: it'\u017fand, WE'\u017fX; the kelvin: \u212a'\u212a");
add('HTTPServer parseJSONResponse camelCaseWord XMLHttpRequest aBcDeF ABCdef ABc');
add('Supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis');
section('code');
add('int main(int argc, char** argv) {\n    std::printf("%d\\n", argc);\n\treturn 0;\n}\n');
add('def f(x):\n    """Doc."""\n\n    return [i**2 for i in range(x) if i % 2 == 0]\n\n\n');
add('// comment\n/// <summary>\n//////////\n/* block\n */\n\n/path/to/file.txt\n/\n//\n!\n/\n/x');
add('{"key": [1, 2.5e-10, null, true], "nested": {"a": "b\\u00e9"}}');
add('SELECT * FROM users WHERE id = 42 AND name LIKE \'%foo%\'; -- done');
add('<div class="a b">&nbsp;</div>\n<!-- note -->\n<p>\n</p>');
add('https://example.com/a/b?c=d&e=f#frag user@example.org 192.168.0.1 2001:db8::1');
add('$x=@($y[0]);#!/bin/sh -e\nfoo=${BAR:-baz} && echo "$foo" | sed -e \'s/a/b/g\' > /dev/null 2>&1');
section('digits');
for (const digits of ['1', '12', '123', '1234', '12345678901', ' 1 22 333 4444', '3.14159', '1,000,000', '0x1F', '１２３４５', '٠١٢٣٤٥', '½¼²³ⅣⅫ', '2026-11-21T09:00:00Z', 'a1b22c333d4444']) {
  add(digits);
}
section('white space');
for (const white of ['', ' ', '  ', '   ', '\n', '\n\n', '\r\n', '\r\n\r\n', '\t', ' \n', '\n ', ' \n ', 'a\n  ', 'a  \n  \n  b', '  a', '\ta', '\t\ta', ' \ta', 'a \n\n\n b', 'a\r\nb\r\rc', 'x   \r\n\r\n   y', '   1', '   !', ' !', '  !\n\n', '\u00a0a', '\u00a0\u00a0a', '\u3000あ', '\u2028x\u2029', 'x\u0085y\u0085\u0085z', '\ufeffab', '\ufeff', 'a\u000b\u000cb', '\u200bx\u200b', '\u2003\u2003\u2003z', '\u1680\u180e', 'end   ', 'end \n \n   ']) {
  add(white);
}
section('scripts');
add('Größe, Straße, naïve café, Þórður, Łódź, Dvořák, İstanbul ıI ǅ ǈ ǲ ŒUVRE');
add('Привет, мир! Как дела? ЁЖИК съел ЯБЛОКО. Київ');
add('Καλημέρα κόσμε, ΑΘΗΝΑ ς Σ ὈΔΥΣΣΕΎΣ');
add('你好，世界！今天天气很好。中文和English混排123');
add('こんにちは世界。カタカナとひらがな、漢字ー々〆ヶ');
add('안녕하세요 세계! 한국어 토큰화');
add('שלום עולם! הַתּוֹרָה וְהַנְּבִיאִים');
add('مرحبا بالعالم! اَلسَّلَامُ عَلَيْكُمْ ١٢٣');
add('नमस्ते दुनिया! क्षत्रिय, হ্যালো বিশ্ব, வணக்கம் உலகம், ສະບາຍດີ');
add('สวัสดีชาวโลก ภาษาไทยไม่มีช่องว่าง');
add('გამარჯობა ᲒᲐᲛᲐᲠᲯᲝᲑᲐ Բարեւ ՀԱՅԵՐԵՆ ሰላም ᏣᎳᎩ ꮳꮃꭹ ᓀᐦᐃᔭᐍᐏᐣ');
add('𝕳𝖊𝖑𝖑𝖔 𝒲ℴ𝓇𝓁𝒹 𐐀𐐨 𞤀𞤢 𝟘𝟙𝟚 𠀀𠮷 𓀀 𒀀');
section('marks');
add('e\u0301 E\u0301 a\u0308b\u0308 Ze\u0301Ro\u0301 \u0301A \u0301b !\u0301 !!\u0301 1\u0301 \n\u0301x');
add('\u0301\u0301\u0301ABC \u0301abc \u0301 \u0301\u0301 A\u0301B\u0301C\u0301D');
add('Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034fA\u0334\u0319\u0324L\u030d\u0317G\u0330\u0326O\u0329');
section('emoji');
add('👍 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 ❤️ ☕ 1️⃣ 🫠🫨');
add('Done ✅! →←↑ ™©® ½ € £ ¥ ₿ ∑∏∫ ≤≥≠ “quotes” ‘single’ – — … «guillemets»');
section('special tokens are text');
add('<|endoftext|>');
add('a<|endoftext|>b <|fim_prefix|><|fim_middle|><|fim_suffix|> <|endofprompt|> <|im_start|>system<|im_end|>');
section('not UTF-8');
for (const bytes of [[0x80], [0xff, 0xfe], [0x61, 0xc0, 0x80, 0x62], [0xe2, 0x82], [0xe2, 0x82, 0x41], [0xf0, 0x9f, 0x98], [0xf0, 0x9f, 0x98, 0x20, 0x78], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80], [0xe0, 0x9f, 0xbf], [0x41, 0xe9, 0x74, 0xe9], [0xc3], [0xc3, 0xa9, 0xc3]]) {
  add(Buffer.from(bytes));
}
section('long pieces');
for (const [text, times] of [['a', 5000], ['A', 3000], ['ab', 2000], ['aB', 2000], [' ', 3000], ['\n', 3000], ['\r\n', 1000], [' \n', 1000], ['\t', 1000], ['=', 3000], ['=-', 1000], ['7', 3000], ['é', 2000], ['字', 1500], ['漢字かな', 500], ['😀', 800], ['e\u0301', 800], ['\u0301', 800], ['ACGT', 900], ['dGhpcyBpcyBiYXNlNjQ', 100], ['x\u200d', 500], ['ς', 64], ['abcdefghijklmnop', 4], ['abcdefghijklmnopq', 4]]) {
  add(text, times);
}

// A generator of our own: the same texts everywhere.
let state = 20241121n;
function below(limit) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number((state >> 33n) % BigInt(limit));
}
const pick = (list) => list[below(list.length)];

section('patterns meet: every kind of character beside every other');
const kinds = ['a', 'b', 'A', 'B', 'ǅ', 'ʰ', '字', '\u0301', '1', '٣', '!', '/', "'", "'s", "'LL", ' ', ' ', '\t', '\n', '\r\n', '\u00a0', '😀', '\u200d', 'é', 'É'];
for (let i = 0; i < 160; ++i) {
  add(Array.from({length: 4 + below(36)}, () => pick(kinds)).join(''));
}
section('letters and marks from all of Unicode');
// Most scripts stand below U+3000, nearly all of the rest below U+20000. What is unassigned is drawn too.
function anywhere() {
  const c = 0x80 + below(pick([0x3000, 0x3000, 0x20000, 0x110000]) - 0x80);
  return c >= 0xd800 && c <= 0xdfff ? anywhere() : String.fromCodePoint(c);
}
for (let i = 0; i < 80; ++i) {
  add(Array.from({length: 24}, () => (below(4) > 0 ? anywhere() : pick([' ', 'a', 'B', "'s"]))).join(''));
}
section('random letters');
for (let i = 0; i < 30; ++i) {
  add(Array.from({length: 10 + below(120)}, () => pick('etaoinshrdlucmfwypvbgkqjxz')).join(''));
}

writeFileSync(new URL('../vectors.txt', import.meta.url), `\
# Written by ranks/make_vectors.mjs. A line: tokens in cl100k_base, in o200k_base, how many times the text is
# repeated, and the text, with \\n \\r \\t \\\\ \\xHH (a byte) \\u{HEX} (a code point).
${lines.join('\n')}
`);
console.log(`${lines.length} lines`);
