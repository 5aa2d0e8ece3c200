// Holds every request, answer, event and error of cases/ and expected/ against the providers' own
// OpenAPI files (WEIR_REFERENCE/specs), whose required fields, types and words are strict. Requests
// that Weir writes must also have no field that the file does not know: providers refuse those. What
// differs for a reason stands in waivers.mjs.
//
//   node specs.mjs            all; exits 77 where the files or the packages are not there
//   node specs.mjs tools      only the paths with that word in them
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { judge, waivers } from './waivers.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.join(process.env.WEIR_REFERENCE ?? path.join(here, '../../../shared/reference'), 'specs');
const packages = createRequire(path.join(here, '../sdk/package.json'));
if (!existsSync(folder) || !existsSync(path.join(here, '../sdk/node_modules/ajv'))) {
  console.log('skipped: needs WEIR_REFERENCE/specs and the packages of tests/sdk (script/test installs them)');
  process.exit(77);
}
const Ajv = packages('ajv/dist/2020').default;
const yaml = packages('js-yaml');

// Google publishes no schema of its errors in that file: this is google.rpc.Status.
const googleError = {
  type: 'object', required: ['error'],
  properties: {
    error: {
      type: 'object', required: ['code', 'message', 'status'],
      properties: {
        code: { type: 'integer' }, message: { type: 'string' }, status: { type: 'string' },
        details: { type: 'array', items: { type: 'object', required: ['@type'] } },
      },
    },
  },
};
// Where each dialect is written down, and as what.
const dialects = {
  openai_chat: {
    file: 'openai/openapi.yaml', request: 'CreateChatCompletionRequest', answer: 'CreateChatCompletionResponse',
    event: 'CreateChatCompletionStreamResponse', error: 'ErrorResponse',
  },
  openai_responses: {
    file: 'openai/openapi.yaml', request: 'CreateResponse', answer: 'Response', event: 'ResponseStreamEvent',
    error: 'ErrorResponse',
  },
  anthropic: {
    file: 'anthropic/openapi.json', request: 'CreateMessageParams', answer: 'Message', event: 'MessageStreamEvent',
    error: 'ErrorResponse',
  },
  gemini: {
    file: 'gemini/openapi.json', request: 'GenerateContentRequest', answer: 'GenerateContentResponse',
    event: 'GenerateContentResponse', error: googleError,
  },
};

// ---- the files, made into what ajv reads
const files = new Map();
function fileOf(name) {
  if (!files.has(name)) {
    const text = readFileSync(path.join(folder, name), 'utf8');
    files.set(name, (name.endsWith('.yaml') ? yaml.load(text) : JSON.parse(text)).components.schemas);
  }
  return files.get(name);
}
const combiners = ['allOf', 'anyOf', 'oneOf'];
// Whether a schema names properties, itself or in what it is combined of.
function namesProperties(schema, all, seen = new Set()) {
  if (!schema || seen.has(schema)) return false;
  seen.add(schema);
  if (schema.$ref) return namesProperties(all[schema.$ref.split('/').pop()], all, seen);
  return Boolean(schema.properties) || combiners.some((key) => schema[key]?.some((one) => namesProperties(one, all, seen)));
}
function resolved(schema, all) {
  return schema?.$ref ? resolved(all[schema.$ref.split('/').pop()], all) : schema;
}
// What `type` must be in a schema; undefined: it does not say.
function tagOf(schema, all) {
  const target = resolved(schema, all);
  const type = resolved(target?.properties?.type, all);
  const tag = type?.const ?? (type?.enum?.length === 1 ? type.enum[0] : undefined);
  return tag ?? target?.allOf?.map((one) => tagOf(one, all)).find((one) => one !== undefined);
}
// Choices inside a choice are choices of it.
function flattened(branches, all) {
  return branches.flatMap((branch) => {
    const target = resolved(branch, all);
    const inner = target.oneOf ?? target.anyOf;
    return inner && !target.properties && !target.allOf ? flattened(inner, all) : [branch];
  });
}
// One of several: the one whose `type` fits, so that only its faults are told. Branches overlap in
// these files: what fits one of them is right.
function choice(branches, all, convertBranch) {
  const tagged = new Map();
  const others = [];
  for (const branch of flattened(branches, all)) {
    const tag = tagOf(branch, all);
    const schema = convertBranch(branch);
    if (tag !== undefined) tagged.set(tag, [...(tagged.get(tag) ?? []), schema]);
    if (tag === undefined || !resolved(branch, all).required?.includes('type')) others.push(schema);
  }
  if (tagged.size < 2) return { anyOf: branches.map(convertBranch) };
  let schema = others.length > 0 ? { anyOf: others } : { required: ['type'], properties: { type: { enum: [...tagged.keys()] } } };
  for (const [tag, fitting] of tagged) {
    const anyOf = [...fitting, ...others];
    schema = {
      if: { type: 'object', required: ['type'], properties: { type: { const: tag } } },
      then: anyOf.length === 1 ? anyOf[0] : { anyOf }, else: schema,
    };
  }
  return schema;
}
function maySayNothing(schema, all) {
  const target = resolved(schema, all);
  return target?.default !== undefined || target?.nullable || [target?.type].flat().includes('null')
    || (target?.anyOf ?? target?.oneOf ?? []).some((one) => resolved(one, all)?.type === 'null');
}
// How closely a value is looked at. `closed`: a field that is not named is an error, as providers
// have it in requests; an object with no named field at all is free. `wire`: what may be left out
// may be null and the other way round, as providers have it in answers.
const plain = { closed: false, wire: false };
const closed = { closed: true, wire: false };
const wire = { closed: false, wire: true };
function convert(schema, all, mode, isPlace) {
  if (typeof schema !== 'object' || schema === null) return schema;
  const { discriminator, example, examples, oneOf, anyOf, nullable, ...out } = schema;
  const place = (one) => convert(one, all, mode, true);
  const branch = (one) => convert(one, all, mode, false);
  if (schema.allOf) out.allOf = schema.allOf.map(branch);
  for (const branches of [oneOf, anyOf]) {
    if (branches) out.allOf = [...(out.allOf ?? []), choice(branches, all, branch)];
  }
  if (schema.properties) {
    out.properties = Object.fromEntries(Object.entries(schema.properties).map(([key, one]) => [key, place(one)]));
  }
  if (schema.items) out.items = place(schema.items);
  if (typeof schema.additionalProperties === 'object') out.additionalProperties = place(schema.additionalProperties);
  if (mode.wire && schema.properties) {
    out.required = (schema.required ?? []).filter((key) => !maySayNothing(schema.properties[key], all));
    for (const key of Object.keys(schema.properties)) {
      if (!out.required.includes(key)) out.properties[key] = { anyOf: [{ type: 'null' }, out.properties[key]] };
    }
  }
  if (mode.closed && schema.type === 'object' && !schema.properties && schema.additionalProperties === undefined) {
    out.additionalProperties = true;
  }
  if (mode.closed && isPlace && namesProperties(schema, all)) out.unevaluatedProperties = false;
  return nullable ? { anyOf: [out, { type: 'null' }] } : out;  // nullable: of OpenAPI 3.0
}
const compiled = new Map();
function validator(dialect, what, mode) {
  const key = `${dialect} ${what} ${JSON.stringify(mode)}`;
  if (!compiled.has(key)) {
    const { file, [what]: name } = dialects[dialect];
    const all = fileOf(file);
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, logger: false });
    const schemas = Object.fromEntries(Object.entries(all).map(([one, schema]) => [one, convert(schema, all, mode, false)]));
    const root = typeof name === 'object' ? name
      : { $ref: `#/components/schemas/${name}`, ...(mode.closed ? { unevaluatedProperties: false } : {}) };
    compiled.set(key, ajv.compile({ ...root, components: { schemas } }));
  }
  return compiled.get(key);
}

// ---- what is wrong with a value
function explain(errors, value) {
  const at = (pointer) => pointer.split('/').slice(1)
    .reduce((one, key) => one?.[key.replace(/~1/g, '/').replace(/~0/g, '~')], value);
  const told = errors.filter((error) => error.keyword !== 'anyOf' && error.keyword !== 'if').map((error) => {
    const about = error.params.allowedValues ?? error.params.unevaluatedProperty ?? error.params.allowedValue ?? '';
    const path = error.instancePath.replace(/[0-9]+/g, 'n') || '/';
    const found = ['required', 'unevaluatedProperties'].includes(error.keyword) ? ''
      : `, is ${JSON.stringify(at(error.instancePath))?.slice(0, 60)}`;
    return `${path}: ${error.message} ${JSON.stringify(about)}${found}`;
  });
  return [...new Set(told)];
}
let checked = 0;
const violations = new Map();  // what is wrong -> where
function check(where, dialect, what, value, mode = plain) {
  ++checked;
  const validate = validator(dialect, what, mode);
  if (validate(value)) return;
  const side = where.startsWith('cases') ? 'case' : 'Weir';
  for (const line of explain(validate.errors, value)) {
    const key = `${side}: ${dialect} ${what} ${line}`;
    violations.set(key, [...(violations.get(key) ?? []), where]);
  }
}

// ---- the texts
function sections(text) {
  return text.split(/^=== /m).slice(1).map((section) => {
    const end = section.indexOf('\n');
    return { title: section.slice(0, end), body: section.slice(end + 1) };
  });
}
function checkStream(where, dialect, body, mode = plain) {
  for (const line of body.split('\n')) {
    if (!line.startsWith('data: ') || line.trim() === 'data: [DONE]') continue;
    const event = JSON.parse(line.slice('data: '.length));
    if (event.type === 'ping') continue;  // in no file, and in every stream
    const isError = dialect !== 'openai_responses' && event.error !== undefined && event.error !== null;
    check(where, dialect, isError ? 'error' : 'event', event, mode);
  }
}
// Clients of OpenAI's chat keep the thoughts that they got, though no file has a field for them.
function withoutThoughts(request) {
  for (const message of request.messages ?? []) delete message.reasoning_content;
  return request;
}
function checkCase(file, text) {
  for (const { title, body } of sections(text)) {
    const [kind, dialect] = title.split(' ');
    const where = `${file} (${title})`;
    const json = () => JSON.parse(body);
    if (kind === 'request') check(where, dialect, 'request', withoutThoughts(json()), closed);
    if (kind === 'answer') check(where, dialect, json().error && !json().object ? 'error' : 'answer', json(), wire);
    if (kind === 'stream') checkStream(where, dialect, body, wire);
  }
}
function checkExpected(file, text) {
  const [client, provider] = path.basename(file, '.txt').split('-on-');
  const mode = client === provider ? wire : plain;
  let request;
  for (const { title, body } of sections(text)) {
    const where = `${file} (${title})`;
    if (/^(4|5)\d\d /.test(body) || /, (usage|why it broke)$/.test(title) || title === 'dropped') continue;
    if (title.endsWith(', told to the client')) {
      check(where, client, 'error', JSON.parse(body));
    } else if (title.startsWith('upstream request')) {
      request = { ...request, ...JSON.parse(body) };  // the streamed one says what differs
      // What passes is the client's own.
      check(where, provider, 'request', request, client === provider ? plain : closed);
    } else if (title.startsWith('answer')) {
      check(where, client, 'answer', JSON.parse(body), mode);
    } else if (title.startsWith('stream')) {
      checkStream(where, client, body, mode);
    } else {
      throw new Error(`no such section: ${where}`);
    }
  }
}

const only = process.argv[2] ?? '';
for (const name of readdirSync(here, { recursive: true }).map(String).sort()) {
  if (!name.includes(only)) continue;
  const text = () => readFileSync(path.join(here, name), 'utf8');
  if (/^cases.*\.case$/.test(name)) checkCase(name, text());
  if (/^expected.*\.txt$/.test(name)) checkExpected(name, text());
}
const { faults, unneeded, unexplained } = judge(violations, waivers);
for (const [what, where] of faults) {
  console.log(`${what}\n    ${where.length} times, first in ${where[0]}`);
}
// Of a part of the cases, most waivers are not needed.
const stale = only === '' ? [...unneeded, ...unexplained] : [];
for (const { rule } of stale) {
  console.log(`waivers.mjs: nothing needs this, or it has no reason\n    ${rule}`);
}
console.log(`${checked} values, ${faults.length} violations, ${violations.size - faults.length} waived`);
process.exit(faults.length === 0 && stale.length === 0 && checked > 0 ? 0 : 1);
