// Google's SDK against a provider of each family.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ApiError, GoogleGenAI} from '@google/genai';
import {apiKey, askForBoth, clockSchema, expectedText, families, question, url, weatherSchema} from './families.mjs';

const client = new GoogleGenAI({apiKey, httpOptions: {baseUrl: url}});
const tools = [{functionDeclarations: [
  {name: 'get_weather', description: 'the weather', parametersJsonSchema: weatherSchema},
  {name: 'read_clock', description: 'the time', parametersJsonSchema: clockSchema},
]}];

for (const family of families) {
  const model = `on-${family}`;

  test(`generateContent on ${family}: plain`, async () => {
    const answer = await client.models.generateContent({model, contents: question});
    assert.equal(answer.text, await expectedText());
    assert.equal(answer.candidates[0].finishReason, 'STOP');
    assert.ok(answer.usageMetadata.totalTokenCount > 0);
  });

  test(`generateContent on ${family}: stream`, async () => {
    let text = '';
    let finish;
    let usage;
    for await (const chunk of await client.models.generateContentStream({model, contents: question})) {
      text += chunk.text ?? '';
      finish = chunk.candidates?.[0]?.finishReason ?? finish;
      usage = chunk.usageMetadata ?? usage;
    }
    assert.equal(text, await expectedText());
    assert.equal(finish, 'STOP');
    assert.ok(usage.candidatesTokenCount > 0);
  });

  test(`generateContent on ${family}: parallel tools, streamed, and their results`, async () => {
    const parts = [];
    for await (const chunk of await client.models.generateContentStream({model, contents: askForBoth, config: {tools}})) {
      parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    }
    const calls = parts.filter((part) => part.functionCall).map((part) => part.functionCall);
    assert.deepEqual(calls.map((call) => [call.name, call.args]), [
      ['get_weather', {city: 'river', days: 1}], ['read_clock', {zone: 'river'}]]);
    const answered = await client.models.generateContent({
      model, config: {tools},
      contents: [{role: 'user', parts: [{text: askForBoth}]}, {role: 'model', parts},
        {role: 'user', parts: calls.map((call) => ({functionResponse: {id: call.id, name: call.name, response: {result: 'dry'}}}))}]});
    assert.equal(answered.candidates[0].finishReason, 'STOP');
    assert.ok(answered.text.length > 0);
  });

  test(`generateContent on ${family}: system, JSON, thinking, length`, async () => {
    const json = await client.models.generateContent({
      model, contents: question,
      config: {systemInstruction: 'Be brief.', responseMimeType: 'application/json', responseJsonSchema: weatherSchema}});
    assert.deepEqual(JSON.parse(json.text), {city: 'river', days: 1});
    const thought = await client.models.generateContent({
      model, contents: question, config: {thinkingConfig: {thinkingBudget: 1024, includeThoughts: true}}});
    assert.ok(thought.candidates[0].content.parts.some((part) => part.thought));
    const short = await client.models.generateContent({model, contents: question, config: {maxOutputTokens: 3}});
    assert.equal(short.candidates[0].finishReason, 'MAX_TOKENS');
  });

  test(`generateContent on ${family}: tokens are counted`, async () => {
    assert.ok((await client.models.countTokens({model, contents: question})).totalTokens > 0);
  });

  test(`generateContent on ${family}: errors before and in the middle`, async () => {
    const failing = (how) => new GoogleGenAI({apiKey, httpOptions: {baseUrl: url, headers: {'x-sim': how}}});
    await assert.rejects(
      failing('status=429').models.generateContent({model, contents: question}),
      (error) => error instanceof ApiError && error.status === 429);
    await assert.rejects(async () => {
      for await (const chunk of await failing('error-in-stream;after=3').models.generateContentStream({model, contents: question})) {
        void chunk;
      }
    });
  });
}

test('generateContent: bad key, unknown model', async () => {
  const stranger = new GoogleGenAI({apiKey: 'sk-weir-nobody', httpOptions: {baseUrl: url}});
  await assert.rejects(stranger.models.generateContent({model: 'on-chat', contents: question}), (error) => error.status === 401);
  await assert.rejects(client.models.generateContent({model: 'no-such', contents: question}), (error) => error.status === 404);
});

test('models: the list has the shape of its clients', async () => {
  const names = [];
  for await (const model of await client.models.list()) names.push(model.name);
  assert.ok(names.includes('models/on-gemini'), names.join());
  assert.equal((await client.models.get({model: 'on-chat'})).name, 'models/on-chat');
});
