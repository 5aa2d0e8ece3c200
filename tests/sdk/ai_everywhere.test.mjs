// The Vercel AI SDK, whose schemas are the strictest reader of streams there is, in all four dialects against a
// provider of each family.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {createAnthropic} from '@ai-sdk/anthropic';
import {createGoogleGenerativeAI} from '@ai-sdk/google';
import {createOpenAI} from '@ai-sdk/openai';
import {generateObject, generateText, stepCountIs, streamObject, streamText, tool} from 'ai';
import {z} from 'zod';
import {apiKey, askForBoth, expectedText, families, question, url} from './families.mjs';

const openai = createOpenAI({baseURL: `${url}/v1`, apiKey});
const anthropic = createAnthropic({baseURL: `${url}/v1`, apiKey});
const google = createGoogleGenerativeAI({baseURL: `${url}/v1beta`, apiKey});
const dialects = {
  chat: (model) => openai.chat(model),
  responses: (model) => openai.responses(model),
  messages: (model) => anthropic(model),
  generateContent: (model) => google(model),
};
const tools = {
  get_weather: tool({
    description: 'the weather', inputSchema: z.object({city: z.string(), days: z.number().int()}),
    execute: async ({city}) => `${city}: dry`}),
  read_clock: tool({description: 'the time', inputSchema: z.object({zone: z.string()}), execute: async () => 'noon'}),
};

for (const [dialect, of] of Object.entries(dialects)) {
  for (const family of families) {
    const model = of(`on-${family}`);
    const once = {model, maxRetries: 0};

    test(`ai, ${dialect} on ${family}: text and stream`, async () => {
      const {text, finishReason} = await generateText({...once, prompt: question});
      assert.equal(text, await expectedText());
      assert.equal(finishReason, 'stop');
      const streamed = streamText({...once, prompt: question, onError: ({error}) => { throw error; }});
      let words = '';
      for await (const piece of streamed.textStream) words += piece;
      assert.equal(words, text);
      assert.equal(await streamed.finishReason, 'stop');
      assert.ok((await streamed.usage).outputTokens > 0);
    });

    test(`ai, ${dialect} on ${family}: the loop of tools, streamed`, async () => {
      const result = streamText({
        ...once, prompt: askForBoth, tools, stopWhen: stepCountIs(3), onError: ({error}) => { throw error; }});
      await result.consumeStream();
      const steps = await result.steps;
      assert.deepEqual(steps[0].toolCalls.map((call) => call.toolName), ['get_weather', 'read_clock']);
      assert.equal(steps.length, 2);
      assert.ok((await result.text).length > 0);
    });

    test(`ai, ${dialect} on ${family}: an object`, async () => {
      const {object} = await generateObject({...once, prompt: question, schema: z.object({city: z.string(), days: z.number()})});
      assert.deepEqual(object, {city: 'river', days: 1});
    });
  }
}

// With its default settings this SDK sends, in the place of what a model said, references to items that it takes to be
// kept.
for (const family of ['chat', 'anthropic', 'gemini']) {
  const model = openai.responses(`on-${family}`);
  const thinking = {openai: {forceReasoning: true, reasoningEffort: 'low', reasoningSummary: 'auto'}};

  test(`ai, responses on ${family}: two turns with tools and thoughts, default settings`, async () => {
    const first = await generateText({
      model, maxRetries: 0, prompt: askForBoth, tools, stopWhen: stepCountIs(1), providerOptions: thinking});
    assert.equal(first.toolCalls.length, 2);
    assert.ok(first.reasoningText.length > 0);
    const second = await generateText({
      model, maxRetries: 0, tools, providerOptions: thinking,
      messages: [{role: 'user', content: askForBoth}, ...first.response.messages]});
    assert.ok(JSON.stringify(second.request.body).includes('item_reference'), 'the thought was sent as a reference');
    assert.equal(second.finishReason, 'stop');
    assert.ok(second.text.length > 0);
  });

  test(`ai, responses on ${family}: a text by reference is refused with what to do, and that works`, async () => {
    const first = await generateText({model, maxRetries: 0, prompt: question});
    const messages = [{role: 'user', content: question}, ...first.response.messages, {role: 'user', content: 'And then?'}];
    await assert.rejects(generateText({model, maxRetries: 0, messages}), (error) =>
      error.statusCode === 400 && /store: false/.test(error.message));
    const second = await generateText({model, maxRetries: 0, messages, providerOptions: {openai: {store: false}}});
    assert.ok(second.text.length > 0);
  });
}

test('ai, responses on responses: a text by reference is the provider\'s own', async () => {
  const model = openai.responses('on-responses');
  const first = await generateText({model, maxRetries: 0, prompt: question});
  const second = await generateText({
    model, maxRetries: 0,
    messages: [{role: 'user', content: question}, ...first.response.messages, {role: 'user', content: 'And then?'}]});
  assert.ok(JSON.stringify(second.request.body).includes('item_reference'));
  assert.ok(second.text.length > 0);
});

for (const dialect of ['chat', 'responses', 'generateContent']) {
  test(`ai, ${dialect} on a Claude that knows no schemas: an object, whole and streamed`, async () => {
    const once = {
      model: dialects[dialect]('old-claude'), maxRetries: 0, prompt: question,
      schema: z.object({city: z.string(), days: z.number()})};
    const {object, finishReason} = await generateObject(once);
    assert.deepEqual(object, {city: 'river', days: 1});
    assert.equal(finishReason, 'stop');
    const streamed = streamObject({...once, onError: ({error}) => { throw error; }});
    for await (const part of streamed.partialObjectStream) void part;
    assert.deepEqual(await streamed.object, {city: 'river', days: 1});
  });
}
