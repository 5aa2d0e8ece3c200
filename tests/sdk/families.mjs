// What the tests of all SDKs share: one model of each family of providers, tools, schemas, and the ledger's row.
import assert from 'node:assert/strict';

export const url = process.env.WEIR_URL;
export const apiKey = process.env.WEIR_KEY;
export const families = ['chat', 'responses', 'anthropic', 'gemini'];

export const question = 'What does a weir do?';
export const weatherSchema = {
  type: 'object',
  properties: {city: {type: 'string', description: 'where'}, days: {type: 'integer'}},
  required: ['city', 'days'],
  additionalProperties: false,
};
export const clockSchema = {
  type: 'object', properties: {zone: {type: 'string'}}, required: ['zone'], additionalProperties: false};
// The simulator calls the tools that the user names (src/simulate/compose.h).
export const askForBoth = 'Use get_weather and read_clock.';
export const askForWeather = 'Use get_weather.';

export async function usageRow(requestId) {
  // The row is written behind the answer, in batches: ask until it is there (the runner's hang guard ends us).
  for (;;) {
    const response = await fetch(`${url}/api/v1/usage/${requestId}`, {
      headers: {authorization: `Bearer ${process.env.WEIR_ADMIN_KEY}`},
    });
    if (response.status === 200) return response.json();
    assert.equal(response.status, 404);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// The words of a model do not depend on the dialect they were asked for in: OpenAI's chat, untranslated, says them.
export async function expectedText(content = question) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
    body: JSON.stringify({model: 'sim-small', messages: [{role: 'user', content}]}),
  });
  return (await response.json()).choices[0].message.content;
}
