// Packs one vocabulary for the library, at build time:
//
//   node pack.mjs cl100k_base FOLDER      writes FOLDER/cl100k_base.bin
//
// The file: two 32-bit little-endian numbers, how many tokens there are and how many bytes the rest inflates
// to, then a zlib stream of one length byte per token and all tokens' bytes, both in order of rank.
import {createHash} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {deflateSync} from 'node:zlib';

// Of OpenAI's own files (one line of base64 and rank per token), as its tokenizer checks them: what npm
// gave us is that vocabulary and no other.
const PUBLISHED = {
  cl100k_base: '223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7',
  o200k_base: '446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d',
};

const [name, folder] = process.argv.slice(2);
if (!(name in PUBLISHED) || folder === undefined) {
  console.error(`usage: node pack.mjs ${Object.keys(PUBLISHED).join('|')} FOLDER`);
  process.exit(2);
}
const source = new URL(`node_modules/tiktoken/encoders/${name}.json`, import.meta.url);
const tokens = [];
for (const line of JSON.parse(readFileSync(source, 'utf8')).bpe_ranks.split('\n').filter(Boolean)) {
  const [, first, ...encoded] = line.split(' ');
  encoded.forEach((token, i) => { tokens[Number(first) + i] = token; });
}
const digest = createHash('sha256').update(tokens.map((token, rank) => `${token} ${rank}\n`).join('')).digest('hex');
if (digest !== PUBLISHED[name]) {
  console.error(`${source.pathname}: not the vocabulary that OpenAI published (SHA-256 ${digest})`);
  process.exit(1);
}
const bytes = tokens.map((token) => Buffer.from(token, 'base64'));
const body = Buffer.concat([Buffer.from(bytes.map((token) => token.length)), ...bytes]);
const head = Buffer.alloc(8);
head.writeUInt32LE(tokens.length, 0);
head.writeUInt32LE(body.length, 4);
writeFileSync(join(folder, `${name}.bin`), Buffer.concat([head, deflateSync(body, {level: 9})]));
