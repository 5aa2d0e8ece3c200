// The official OpenAI SDK against the real server with the simulator behind it. `run.py` starts both and sets
// WEIR_URL, WEIR_KEY and WEIR_ADMIN_KEY.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import OpenAI from 'openai';

const baseURL = `${process.env.WEIR_URL}/v1`;
const apiKey = process.env.WEIR_KEY;
const client = new OpenAI({baseURL, apiKey, maxRetries: 0});
const messages = [{role: 'user', content: 'What does a weir do?'}];

async function usageRow(requestId) {
  // The row is written behind the answer, in batches: ask until it is there (the runner's hang guard ends us).
  for (;;) {
    const response = await fetch(`${process.env.WEIR_URL}/api/v1/usage/${requestId}`, {
      headers: {authorization: `Bearer ${process.env.WEIR_ADMIN_KEY}`},
    });
    if (response.status === 200) return response.json();
    assert.equal(response.status, 404);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('chat, plain: text, usage and our request id', async () => {
  const {data, response} = await client.chat.completions.create({model: 'sim-small', messages}).withResponse();
  assert.equal(data.object, 'chat.completion');
  assert.equal(data.model, 'sim-small');
  assert.ok(data.choices[0].message.content.length > 0);
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.ok(data.usage.prompt_tokens > 0 && data.usage.completion_tokens > 0);
  const requestId = response.headers.get('x-request-id');
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  const row = await usageRow(requestId);
  assert.equal(row.input_tokens, data.usage.prompt_tokens);
  assert.equal(row.output_tokens, data.usage.completion_tokens);
});

test('chat, stream: the same text as plain, no usage chunk unless asked for', async () => {
  const plain = await client.chat.completions.create({model: 'sim-small', messages});
  const stream = await client.chat.completions.create({model: 'sim-small', messages, stream: true});
  let text = '';
  let finish = null;
  for await (const chunk of stream) {
    assert.equal(chunk.choices.length, 1, 'a chunk without choices is the usage chunk nobody asked for');
    assert.equal(chunk.usage ?? null, null);
    text += chunk.choices[0].delta.content ?? '';
    finish = chunk.choices[0].finish_reason ?? finish;
  }
  assert.equal(text, plain.choices[0].message.content);
  assert.equal(finish, 'stop');
});

test('chat, stream with usage: one more chunk, and it matches', async () => {
  const stream = await client.chat.completions.create({
    model: 'sim-small', messages, stream: true, stream_options: {include_usage: true}});
  let usage = null;
  let tokens = 0;
  for await (const chunk of stream) {
    if (chunk.usage) {
      assert.equal(usage, null);
      usage = chunk.usage;
    } else if (chunk.choices[0].delta.content) {
      tokens += 1;
    }
  }
  assert.equal(usage.completion_tokens, tokens);
});

test('chat, stream helper gathers the whole message', async () => {
  const runner = client.chat.completions.stream({model: 'sim-small', messages});
  const final = await runner.finalChatCompletion();
  assert.ok(final.choices[0].message.content.length > 0);
});

test('max_tokens is honoured and said', async () => {
  const answer = await client.chat.completions.create({model: 'sim-small', messages, max_tokens: 3});
  assert.equal(answer.choices[0].finish_reason, 'length');
  assert.equal(answer.usage.completion_tokens, 3);
});

test('abort in mid-stream: one usage row, marked cancelled', async () => {
  const {data: stream, response} = await client.chat.completions
      .create({model: 'sim-slow', messages, stream: true}).withResponse();
  let seen = 0;
  for await (const chunk of stream) {
    if (chunk.choices[0].delta.content && ++seen === 2) break;
  }
  stream.controller.abort();
  const row = await usageRow(response.headers.get('x-request-id'));
  assert.equal(row.code, 'cancelled');
  assert.ok(row.output_tokens >= 1);
});

test('embeddings of a Gemini provider: as the SDK asks by itself, and as numbers', async () => {
  const request = {model: 'on-gemini', input: ['one', 'two'], dimensions: 16};
  const {data, usage} = await client.embeddings.create(request);
  const plain = await client.embeddings.create({...request, encoding_format: 'float'});
  assert.equal(data.length, 2);
  for (const [i, one] of data.entries()) {
    assert.equal(one.embedding.length, 16);
    assert.deepEqual([...one.embedding], plain.data[i].embedding.map(Math.fround));
  }
  assert.ok(usage.prompt_tokens > 0);
});

test('responses.inputTokens.count: the same of every provider that counts', async () => {
  const counts = [];
  for (const family of ['anthropic', 'gemini']) {
    const {input_tokens: tokens, object} = await client.responses.inputTokens.count({
      model: `on-${family}`, input: messages[0].content, instructions: 'Be brief.'});
    assert.equal(object, 'response.input_tokens');
    counts.push(tokens);
  }
  assert.equal(counts[0], counts[1]);
  const here = await client.responses.inputTokens.count({model: 'on-chat', input: messages[0].content});
  assert.ok(here.input_tokens > 0);
});

test('embeddings: one per input', async () => {
  const answer = await client.embeddings.create({
    model: 'sim-embed', input: ['one', 'two', 'three'], encoding_format: 'float'});
  assert.equal(answer.data.length, 3);
  assert.ok(answer.usage.prompt_tokens > 0);
});

test('models: list and get', async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.includes('sim-small') && names.includes('sim-embed'));
  const one = await client.models.retrieve('sim-small');
  assert.equal(one.id, 'sim-small');
});

test('errors raise the class their status promises, with code and request id', async () => {
  const wrong = new OpenAI({baseURL, apiKey: 'sk-weir-wrong', maxRetries: 0});
  await assert.rejects(wrong.chat.completions.create({model: 'sim-small', messages}), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    assert.equal(error.code, 'invalid_api_key');
    assert.match(error.requestID, /^[0-9a-f-]{36}$/);
    return true;
  });
  await assert.rejects(client.chat.completions.create({model: 'no-such-model', messages}), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    return true;
  });
  await assert.rejects(client.chat.completions.create({model: 'sim-small', messages: 'hello'}), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, 'messages');
    return true;
  });
  await assert.rejects(client.models.retrieve('no-such-model'), OpenAI.NotFoundError);
});

test('/api/v1 is the same surface', async () => {
  const other = new OpenAI({baseURL: `${process.env.WEIR_URL}/api/v1`, apiKey, maxRetries: 0});
  const answer = await other.chat.completions.create({model: 'sim-small', messages});
  assert.ok(answer.choices[0].message.content.length > 0);
});
