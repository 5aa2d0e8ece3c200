// A conversation that began at a provider of one family and goes on at one of its client's own: there it would pass as
// it is, with signatures in it that no other provider takes. The simulator refuses every signature that is not its own.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import {GoogleGenAI} from '@google/genai';
import OpenAI from 'openai';
import {apiKey, askForBoth, clockSchema, families, url, weatherSchema} from './families.mjs';

const openai = new OpenAI({baseURL: `${url}/v1`, apiKey, maxRetries: 0});
const anthropic = new Anthropic({baseURL: url, apiKey, maxRetries: 0});
const google = new GoogleGenAI({apiKey, httpOptions: {baseUrl: url}});

for (const family of families) {
  for (const streamed of [false, true]) {
    const begun = `begun on ${family}${streamed ? ', streamed' : ''}`;

    test(`messages ${begun}, go on at anthropic`, async () => {
      const call = {
        max_tokens: 4096, thinking: {type: 'enabled', budget_tokens: 1024},
        tools: [{name: 'get_weather', input_schema: weatherSchema}, {name: 'read_clock', input_schema: clockSchema}]};
      const asked = [{role: 'user', content: askForBoth}];
      const first = {...call, model: `on-${family}`, messages: asked};
      const answer = streamed
        ? await anthropic.messages.stream(first).finalMessage() : await anthropic.messages.create(first);
      assert.equal(answer.content[0].type, 'thinking');
      const results = answer.content.filter((block) => block.type === 'tool_use')
        .map((use) => ({type: 'tool_result', tool_use_id: use.id, content: 'dry'}));
      assert.equal(results.length, 2);
      const messages = [...asked, {role: 'assistant', content: answer.content}, {role: 'user', content: results}];
      const next = await anthropic.messages.create({...call, model: 'on-anthropic', messages});
      assert.equal(next.stop_reason, 'end_turn');
      const counted = await anthropic.messages.countTokens({model: 'on-anthropic', messages});
      assert.ok(counted.input_tokens > 0);
    });

    test(`generateContent ${begun}, goes on at gemini`, async () => {
      const config = {
        thinkingConfig: {thinkingBudget: 1024, includeThoughts: true},
        tools: [{functionDeclarations: [
          {name: 'get_weather', parametersJsonSchema: weatherSchema}, {name: 'read_clock', parametersJsonSchema: clockSchema}]}]};
      const first = {model: `on-${family}`, contents: askForBoth, config};
      const parts = [];
      if (streamed) {
        for await (const chunk of await google.models.generateContentStream(first)) {
          parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
        }
      } else {
        parts.push(...(await google.models.generateContent(first)).candidates[0].content.parts);
      }
      assert.ok(parts.some((part) => part.thought));
      const results = parts.filter((part) => part.functionCall)
        .map(({functionCall: {id, name}}) => ({functionResponse: {id, name, response: {result: 'dry'}}}));
      assert.equal(results.length, 2);
      const next = await google.models.generateContent({
        model: 'on-gemini', config,
        contents: [{role: 'user', parts: [{text: askForBoth}]}, {role: 'model', parts}, {role: 'user', parts: results}]});
      assert.equal(next.candidates[0].finishReason, 'STOP');
    });

    test(`responses ${begun}, go on at openai`, async () => {
      const call = {
        store: false, reasoning: {effort: 'low', summary: 'auto'}, include: ['reasoning.encrypted_content'],
        tools: [
          {type: 'function', name: 'get_weather', parameters: weatherSchema, strict: true},
          {type: 'function', name: 'read_clock', parameters: clockSchema, strict: true}]};
      const first = {...call, model: `on-${family}`, input: askForBoth};
      const answer = streamed
        ? await openai.responses.stream(first).finalResponse() : await openai.responses.create(first);
      assert.equal(answer.output[0].type, 'reasoning');
      const results = answer.output.filter((item) => item.type === 'function_call')
        .map((item) => ({type: 'function_call_output', call_id: item.call_id, output: 'dry'}));
      assert.equal(results.length, 2);
      const next = await openai.responses.create({
        ...call, model: 'on-responses', input: [{role: 'user', content: askForBoth}, ...answer.output, ...results]});
      assert.equal(next.status, 'completed');
    });

    test(`chat ${begun}, goes on at openai`, async () => {
      const tools = [['get_weather', weatherSchema], ['read_clock', clockSchema]].map(
        ([name, parameters]) => ({type: 'function', function: {name, parameters, strict: true}}));
      const messages = [{role: 'user', content: askForBoth}];
      const first = {model: `on-${family}`, messages, tools, reasoning_effort: 'low'};
      const answer = streamed
        ? await openai.chat.completions.stream(first).finalChatCompletion() : await openai.chat.completions.create(first);
      const {message} = answer.choices[0];
      assert.equal(message.tool_calls.length, 2);
      const next = await openai.chat.completions.create({
        model: 'on-chat', tools, metadata: {kept: 'yes'},
        messages: [...messages, {role: 'assistant', tool_calls: message.tool_calls},
          ...message.tool_calls.map((made) => ({role: 'tool', tool_call_id: made.id, content: 'dry'}))]});
      assert.equal(next.choices[0].finish_reason, 'stop');
    });
  }
}
