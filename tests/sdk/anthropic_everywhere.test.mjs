// Anthropic's SDK against a provider of each family.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import {apiKey, askForBoth, clockSchema, expectedText, families, question, url, usageRow, weatherSchema} from './families.mjs';

const client = new Anthropic({baseURL: url, apiKey, maxRetries: 0});
const tools = [
  {name: 'get_weather', description: 'the weather', input_schema: weatherSchema},
  {name: 'read_clock', description: 'the time', input_schema: clockSchema},
];

for (const family of families) {
  const model = `on-${family}`;
  const messages = [{role: 'user', content: question}];
  const call = {model, messages, max_tokens: 1024};

  test(`messages on ${family}: plain, and its row`, async () => {
    const {data, response} = await client.messages.create(call).withResponse();
    assert.equal(data.type, 'message');
    assert.equal(data.model, model);
    assert.equal(data.content[0].text, await expectedText());
    assert.equal(data.stop_reason, 'end_turn');
    const row = await usageRow(response.headers.get('request-id'));
    assert.equal(row.input_tokens, data.usage.input_tokens);
    assert.equal(row.output_tokens, data.usage.output_tokens);
  });

  test(`messages on ${family}: stream, every event in its order`, async () => {
    const stream = client.messages.stream(call);
    const seen = [];
    for await (const event of stream) {
      if (seen.at(-1) !== event.type) seen.push(event.type);
    }
    assert.deepEqual(seen.filter((type) => type !== 'ping'), [
      'message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop']);
    const final = await stream.finalMessage();
    assert.equal(final.content[0].text, await expectedText());
    assert.ok(final.usage.output_tokens > 1);
  });

  test(`messages on ${family}: parallel tools, streamed, and their results`, async () => {
    const asked = [{role: 'user', content: askForBoth}];
    const final = await client.messages.stream({...call, messages: asked, tools}).finalMessage();
    assert.equal(final.stop_reason, 'tool_use');
    const uses = final.content.filter((block) => block.type === 'tool_use');
    assert.deepEqual(uses.map((use) => [use.name, use.input]), [
      ['get_weather', {city: 'river', days: 1}], ['read_clock', {zone: 'river'}]]);
    assert.ok(final.content.every((block) => block.type !== 'text' || block.text.length > 0));
    const answered = await client.messages.create({
      ...call, tools,
      messages: [...asked, {role: 'assistant', content: final.content},
        {role: 'user', content: uses.map((use) => ({type: 'tool_result', tool_use_id: use.id, content: 'dry'}))}]});
    assert.equal(answered.stop_reason, 'end_turn');
  });

  test(`messages on ${family}: thoughts come back signed and are taken back`, async () => {
    const asked = [{role: 'user', content: askForBoth}];
    const thinking = {type: 'enabled', budget_tokens: 1024};
    const final = await client.messages.stream({...call, max_tokens: 4096, messages: asked, tools, thinking}).finalMessage();
    const [first] = final.content;
    assert.equal(first.type, 'thinking');
    assert.ok(first.thinking.length > 0);
    const uses = final.content.filter((block) => block.type === 'tool_use');
    const answered = await client.messages.create({
      ...call, max_tokens: 4096, tools, thinking,
      messages: [...asked, {role: 'assistant', content: final.content},
        {role: 'user', content: uses.map((use) => ({type: 'tool_result', tool_use_id: use.id, content: 'dry'}))}]});
    assert.equal(answered.stop_reason, 'end_turn');
  });

  test(`messages on ${family}: system, image, length, JSON`, async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const seen = await client.messages.create({
      ...call, system: 'Be brief.', messages: [{role: 'user', content: [
        {type: 'image', source: {type: 'base64', media_type: 'image/png', data: pixel}}, {type: 'text', text: question}]}]});
    assert.ok(seen.content[0].text.length > 0);
    const short = await client.messages.create({...call, max_tokens: 3});
    assert.equal(short.stop_reason, 'max_tokens');
    const json = await client.messages.create({
      ...call, output_config: {format: {type: 'json_schema', schema: weatherSchema}}});
    assert.deepEqual(JSON.parse(json.content[0].text), {city: 'river', days: 1});
  });

  test(`messages on ${family}: tokens are counted`, async () => {
    const counted = await client.messages.countTokens({model, messages, tools});
    assert.ok(counted.input_tokens > 0);
  });

  test(`messages on ${family}: errors before and in the middle`, async () => {
    await assert.rejects(
      client.messages.create(call, {headers: {'x-sim': 'status=429'}}),
      (error) => error instanceof Anthropic.RateLimitError && error.error.error.type === 'rate_limit_error');
    await assert.rejects(
      client.messages.create(call, {headers: {'x-sim': 'status=503'}}),
      (error) => error instanceof Anthropic.InternalServerError);
    const stream = client.messages.stream(call, {headers: {'x-sim': 'error-in-stream;after=3'}});
    await assert.rejects(stream.finalMessage());
  });
}

test('messages: bad key and unknown model are the classes its users expect', async () => {
  const stranger = new Anthropic({baseURL: url, apiKey: 'sk-weir-nobody', maxRetries: 0});
  const call = {model: 'on-chat', max_tokens: 16, messages: [{role: 'user', content: question}]};
  await assert.rejects(stranger.messages.create(call), Anthropic.AuthenticationError);
  await assert.rejects(client.messages.create({...call, model: 'no-such'}), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create({...call, max_tokens: undefined}), Anthropic.BadRequestError);
});

test('models: the list has the shape of its clients', async () => {
  const page = await client.models.list();
  assert.ok(page.data.some((model) => model.id === 'on-anthropic' && model.type === 'model'));
  assert.equal((await client.models.retrieve('on-chat')).id, 'on-chat');
});
