// OpenAI's SDK, chat, against a provider of each family.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import OpenAI from 'openai';
import {apiKey, askForBoth, clockSchema, expectedText, families, question, url, usageRow, weatherSchema} from './families.mjs';

const client = new OpenAI({baseURL: `${url}/v1`, apiKey, maxRetries: 0});
const tools = [
  {type: 'function', function: {name: 'get_weather', description: 'the weather', parameters: weatherSchema}},
  {type: 'function', function: {name: 'read_clock', description: 'the time', parameters: clockSchema}},
];

for (const family of families) {
  const model = `on-${family}`;
  const messages = [{role: 'user', content: question}];

  test(`chat on ${family}: plain, and its row`, async () => {
    const {data, response} = await client.chat.completions.create({model, messages}).withResponse();
    assert.equal(data.model, model);
    assert.equal(data.choices[0].message.content, await expectedText());
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
    const row = await usageRow(response.headers.get('x-request-id'));
    assert.equal(row.input_tokens, data.usage.prompt_tokens);
    assert.equal(row.output_tokens, data.usage.completion_tokens);
  });

  test(`chat on ${family}: stream with usage`, async () => {
    const stream = await client.chat.completions.create({model, messages, stream: true, stream_options: {include_usage: true}});
    let text = '';
    let finish = null;
    let usage = null;
    for await (const chunk of stream) {
      assert.equal(chunk.model, model);
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, await expectedText());
    assert.equal(finish, 'stop');
    assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
  });

  test(`chat on ${family}: parallel tools, whole and streamed, and their results`, async () => {
    const asked = [{role: 'user', content: askForBoth}];
    const whole = await client.chat.completions.create({model, messages: asked, tools});
    assert.equal(whole.choices[0].finish_reason, 'tool_calls');
    const calls = whole.choices[0].message.tool_calls;
    assert.deepEqual(calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]), [
      ['get_weather', {city: 'river', days: 1}], ['read_clock', {zone: 'river'}]]);
    const streamed = await client.chat.completions.stream({model, messages: asked, tools}).finalChatCompletion();
    assert.deepEqual(
      streamed.choices[0].message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
      calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]));
    assert.equal(streamed.choices[0].finish_reason, 'tool_calls');
    const answered = await client.chat.completions.create({
      model, tools,
      messages: [...asked, whole.choices[0].message,
        ...calls.map((call) => ({role: 'tool', tool_call_id: call.id, content: 'dry'}))]});
    assert.equal(answered.choices[0].finish_reason, 'stop');
    assert.ok(answered.choices[0].message.content.length > 0);
  });

  test(`chat on ${family}: a forced tool, and none`, async () => {
    const forced = await client.chat.completions.create({
      model, messages, tools, tool_choice: {type: 'function', function: {name: 'read_clock'}}});
    assert.equal(forced.choices[0].message.tool_calls[0].function.name, 'read_clock');
    const none = await client.chat.completions.create({
      model, messages: [{role: 'user', content: askForBoth}], tools, tool_choice: 'none'});
    assert.equal(none.choices[0].message.tool_calls ?? null, null);
  });

  test(`chat on ${family}: JSON that the schema allows`, async () => {
    const answer = await client.chat.completions.create({
      model, messages,
      response_format: {type: 'json_schema', json_schema: {name: 'weather', schema: weatherSchema, strict: true}}});
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), {city: 'river', days: 1});
  });

  test(`chat on ${family}: an image, a length stop, thinking`, async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const seen = await client.chat.completions.create({
      model, messages: [{role: 'user', content: [
        {type: 'text', text: question}, {type: 'image_url', image_url: {url: `data:image/png;base64,${pixel}`}}]}]});
    assert.ok(seen.choices[0].message.content.length > 0);
    const short = await client.chat.completions.create({model, messages, max_completion_tokens: 3});
    assert.equal(short.choices[0].finish_reason, 'length');
    const thought = await client.chat.completions.create({model, messages, reasoning_effort: 'low'});
    assert.ok(thought.choices[0].message.reasoning_content.length > 0);
    assert.equal(thought.choices[0].message.content, await expectedText());
  });

  test(`chat on ${family}: thoughts and calls go back to who thought them`, async () => {
    const asked = [{role: 'user', content: askForBoth}];
    const first = await client.chat.completions.create({model, messages: asked, tools, reasoning_effort: 'high'});
    const calls = first.choices[0].message.tool_calls;
    assert.equal(calls.length, 2);
    const second = await client.chat.completions.create({
      model, tools, reasoning_effort: 'high',
      messages: [...asked, first.choices[0].message,
        ...calls.map((call) => ({role: 'tool', tool_call_id: call.id, content: 'dry'}))]});
    assert.equal(second.choices[0].finish_reason, 'stop');
  });

  test(`chat on ${family}: errors before and in the middle`, async () => {
    await assert.rejects(
      client.chat.completions.create({model, messages}, {headers: {'x-sim': 'status=429'}}),
      (error) => error instanceof OpenAI.RateLimitError && error.code === 'rate_limited');
    await assert.rejects(
      client.chat.completions.create({model, messages}, {headers: {'x-sim': 'status=500'}}),
      (error) => error.status === 502 && error.code === 'upstream_error');
    const stream = await client.chat.completions.create(
      {model, messages, stream: true}, {headers: {'x-sim': 'error-in-stream;after=3'}});
    let text = '';
    await assert.rejects(async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    }, (error) => error instanceof OpenAI.APIError);
    assert.ok((await expectedText()).startsWith(text) && text.length > 0);
  });

  test(`chat on ${family}: a stream that breaks off is no whole one`, async () => {
    const stream = await client.chat.completions.create(
      {model, messages, stream: true}, {headers: {'x-sim': 'cut;after=2'}});
    await assert.rejects(async () => {
      for await (const chunk of stream) void chunk;
    });
  });

  test(`chat on ${family}: a refusal`, async () => {
    const answer = await client.chat.completions.create({model, messages}, {headers: {'x-sim': 'refusal'}});
    const {message, finish_reason: reason} = answer.choices[0];
    assert.ok(reason === 'content_filter' || message.refusal, JSON.stringify(answer));
  });
}
