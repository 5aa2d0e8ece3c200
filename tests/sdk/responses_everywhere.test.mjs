// OpenAI's SDK, Responses, against a provider of each family.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import OpenAI from 'openai';
import {apiKey, askForBoth, clockSchema, expectedText, families, question, url, usageRow, weatherSchema} from './families.mjs';

const client = new OpenAI({baseURL: `${url}/v1`, apiKey, maxRetries: 0});
const tools = [
  {type: 'function', name: 'get_weather', description: 'the weather', parameters: weatherSchema, strict: true},
  {type: 'function', name: 'read_clock', description: 'the time', parameters: clockSchema, strict: true},
];

for (const family of families) {
  const model = `on-${family}`;

  test(`responses on ${family}: plain, and its row`, async () => {
    const {data, response} = await client.responses.create({model, input: question}).withResponse();
    assert.equal(data.status, 'completed');
    assert.equal(data.model, model);
    assert.equal(data.output_text, await expectedText());
    const row = await usageRow(response.headers.get('x-request-id'));
    assert.equal(row.input_tokens, data.usage.input_tokens);
    assert.equal(row.output_tokens, data.usage.output_tokens);
  });

  test(`responses on ${family}: stream, every event in its order`, async () => {
    const stream = client.responses.stream({model, input: question});
    const seen = [];
    let sequence = -1;
    for await (const event of stream) {
      assert.ok(event.sequence_number > sequence, event.type);
      sequence = event.sequence_number;
      if (seen.at(-1) !== event.type) seen.push(event.type);
    }
    assert.deepEqual(seen, [
      'response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added',
      'response.output_text.delta', 'response.output_text.done', 'response.content_part.done',
      'response.output_item.done', 'response.completed']);
    const final = await stream.finalResponse();
    assert.equal(final.output_text, await expectedText());
    assert.ok(final.usage.output_tokens > 0);
  });

  test(`responses on ${family}: parallel tools, streamed, and their results`, async () => {
    const final = await client.responses.stream({model, input: askForBoth, tools}).finalResponse();
    const calls = final.output.filter((item) => item.type === 'function_call');
    assert.deepEqual(calls.map((call) => [call.name, JSON.parse(call.arguments)]), [
      ['get_weather', {city: 'river', days: 1}], ['read_clock', {zone: 'river'}]]);
    const answered = await client.responses.create({
      model, tools,
      input: [{role: 'user', content: askForBoth}, ...final.output,
        ...calls.map((call) => ({type: 'function_call_output', call_id: call.call_id, output: 'dry'}))]});
    assert.equal(answered.status, 'completed');
    assert.ok(answered.output_text.length > 0);
  });

  test(`responses on ${family}: JSON, length, thinking`, async () => {
    const json = await client.responses.create({
      model, input: question, text: {format: {type: 'json_schema', name: 'weather', schema: weatherSchema, strict: true}}});
    assert.deepEqual(JSON.parse(json.output_text), {city: 'river', days: 1});
    const short = await client.responses.create({model, input: question, max_output_tokens: 16});
    assert.ok(short.status === 'incomplete' || short.usage.output_tokens <= 16);
    const thought = await client.responses.create({
      model, input: question, reasoning: {effort: 'low', summary: 'auto'}, include: ['reasoning.encrypted_content']});
    assert.ok(thought.output.some((item) => item.type === 'reasoning'));
    assert.equal(thought.output_text, await expectedText());
  });

  test(`responses on ${family}: errors before and in the middle`, async () => {
    await assert.rejects(
      client.responses.create({model, input: question}, {headers: {'x-sim': 'status=429'}}),
      (error) => error instanceof OpenAI.RateLimitError);
    const stream = client.responses.stream(
      {model, input: question}, {headers: {'x-sim': 'error-in-stream;after=3'}});
    await assert.rejects(async () => {
      for await (const event of stream) assert.notEqual(event.type, 'response.completed');
      await stream.finalResponse();
    });
  });
}

test('responses: what another provider keeps cannot be asked of one that does not', async () => {
  await assert.rejects(
    client.responses.create({model: 'on-anthropic', input: question, previous_response_id: 'resp_of_nobody'}),
    (error) => error.status === 404 || (error.status === 400 && error.param === 'previous_response_id'));
});
