// Writes the vectors of src/provider/sigv4_test.cpp: requests as Weir sends them to Bedrock and odd
// ones, signed by AWS's own signer and by a second one, which must agree.
import {createHash, createHmac} from 'node:crypto';
import {SignatureV4} from '@smithy/signature-v4';
import aws4 from 'aws4';

class Sha256 {
  constructor(secret) { this.hash = secret ? createHmac('sha256', secret) : createHash('sha256'); }
  update(data) { this.hash.update(data); }
  async digest() { return new Uint8Array(this.hash.digest()); }
}

const KEY = {access_key_id: 'AKIDEXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'};
const HOST = 'bedrock-runtime.us-east-1.amazonaws.com';
const TOKEN = 'FwoGZXIvYXdzEXAMPLE//////////wEXAMPLEtc764bNrC9SAPBSM22w+4=';
const BODY = '{"messages":[{"role":"user","content":[{"text":"Gr\u00fc\u00dfe \u4f60\u597d"}]}]}';
const JSON_TYPE = ['content-type', 'application/json'];

// What is not said: POST, Bedrock in us-east-1, no query, the body above, lasting credentials.
const cases = [
  {name: 'converse', path: '/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse'},
  {name: 'converse_stream', path: '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream'},
  {name: 'arn', path: '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-2-lite-v1%3A0/converse'},
  {name: 'colon_unescaped', path: '/model/amazon.nova-micro-v1:0/converse'},
  {name: 'session_token', path: '/model/amazon.nova-micro-v1%3A0/converse', session_token: TOKEN},
  {name: 'other_region', path: '/model/m/converse', region: 'eu-central-1', host: 'bedrock-runtime.eu-central-1.amazonaws.com'},
  {name: 'another_day', path: '/model/m/converse', time: 1795219199},
  {name: 'first_second_of_a_day', path: '/model/m/converse', time: 1795219200},
  {name: 'empty_body', path: '/model/m/converse', body: ''},
  {name: 'get_models', method: 'GET', path: '/foundation-models', query: 'byProvider=Anthropic&byOutputModality=TEXT', body: '', headers: [],
   host: 'bedrock.us-east-1.amazonaws.com'},
  {name: 'query_is_sorted', method: 'GET', path: '/x', query: 'b=2&a=3&a=1&A=0&c', body: '', headers: []},
  {name: 'query_is_encoded', method: 'GET', path: '/x', query: 'q=a%20b%2Fc%2B&t=%7E-_.%21%2A', body: '', headers: []},
  {name: 'more_headers', path: '/model/m/converse',
   headers: [JSON_TYPE, ['X-Custom', '  two   spaces  '], ['accept', 'application/vnd.amazon.eventstream']]},
  {name: 'content_sha256', path: '/model/m/converse',
   headers: [JSON_TYPE, ['x-amz-content-sha256', createHash('sha256').update(BODY).digest('hex')]]},
  {name: 'bytes_beyond_ascii', path: '/model/%E4%BD%A0/converse'},
  {name: 'slashes', path: '//model//m/', body: ''},
];

async function sign(one) {
  const entry = {method: 'POST', query: '', body: BODY, headers: [JSON_TYPE], host: HOST, region: 'us-east-1',
                 service: 'bedrock', session_token: '', time: 1440938160, ...KEY, ...one};
  const headers = Object.fromEntries([['host', entry.host], ...entry.headers]);
  const query = {};
  for (const [name, value] of new URLSearchParams(entry.query.replaceAll('+', '%2B')))
    query[name] = name in query ? [query[name], value].flat() : value;
  const date = new Date(entry.time * 1000);
  const signer = new SignatureV4({
    service: entry.service, region: entry.region, sha256: Sha256, applyChecksum: false, uriEscapePath: true,
    credentials: {accessKeyId: entry.access_key_id, secretAccessKey: entry.secret_access_key,
                  ...(entry.session_token && {sessionToken: entry.session_token})}});
  const signed = await signer.sign({method: entry.method, protocol: 'https:', hostname: entry.host, path: entry.path,
                                    query, headers, body: entry.body}, {signingDate: date});
  entry.date = signed.headers['x-amz-date'];
  entry.authorization = signed.headers.authorization;

  const second = aws4.sign({
    service: entry.service, region: entry.region, method: entry.method, body: entry.body || undefined,
    path: entry.path + (entry.query && '?' + entry.query),
    // It would add these two by itself.
    headers: {...headers, 'X-Amz-Date': entry.date}, extraHeadersToIgnore: {'content-length': true}},
    {accessKeyId: entry.access_key_id, secretAccessKey: entry.secret_access_key,
     sessionToken: entry.session_token || undefined});
  if (second.headers.Authorization !== entry.authorization)
    throw new Error(`${entry.name}: the signers differ:\n${entry.authorization}\n${second.headers.Authorization}`);
  return entry;
}

const vectors = [];
for (const one of cases) vectors.push(await sign(one));
process.stdout.write(JSON.stringify(vectors, null, 1) + '\n');
