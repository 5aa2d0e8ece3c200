// The official OpenAI SDK on the surfaces that pass through, with the simulator behind.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import OpenAI, {toFile} from 'openai';
import {apiKey, url, usageRow} from './families.mjs';

const client = new OpenAI({baseURL: `${url}/v1`, apiKey, maxRetries: 0});
const model = 'sim-small';

async function settled(call) {
  const {data, response} = await call.withResponse();
  return {data, response, row: await usageRow(response.headers.get('x-request-id'))};
}

test('moderations', async () => {
  const {data, row} = await settled(client.moderations.create({model, input: ['peace', 'violence']}));
  assert.deepEqual(data.results.map((one) => one.flagged), [false, true]);
  assert.equal(data.model, model);
  assert.equal(row.surface, 'moderations');
});

test('images: generated, edited, varied', async () => {
  const {data, row} = await settled(client.images.generate({model, prompt: 'a weir', n: 2}));
  assert.equal(data.data.length, 2);
  assert.equal(Buffer.from(data.data[0].b64_json, 'base64').subarray(1, 4).toString(), 'PNG');
  assert.equal(row.surface, 'images');
  const image = await toFile(Buffer.from(data.data[0].b64_json, 'base64'), 'weir.png', {type: 'image/png'});
  const edited = await client.images.edit({model, image, prompt: 'with fish'});
  assert.equal(edited.data.length, 1);
  const varied = await client.images.createVariation({model, image, n: 3});
  assert.equal(varied.data.length, 3);
});

test('images: streamed', async () => {
  const stream = await client.images.generate({
    model: 'gpt-image-1', prompt: 'a weir', stream: true, partial_images: 1});
  const types = [];
  for await (const event of stream) types.push(event.type);
  assert.deepEqual(types, ['image_generation.partial_image', 'image_generation.completed']);
});

test('speech', async () => {
  const response = await client.audio.speech.create({model, voice: 'alloy', input: 'over the weir'});
  assert.equal(response.headers.get('content-type'), 'audio/mpeg');
  const sound = Buffer.from(await response.arrayBuffer());
  assert.equal(sound.length, 1300);
  const row = await usageRow(response.headers.get('x-request-id'));
  assert.equal(row.surface, 'audio');
  assert.equal(row.estimated, true);
});

test('transcriptions: the file before the model, small and large', async () => {
  for (const size of [10_000, 5_000_000]) {
    const file = await toFile(Buffer.alloc(size, '\r\n--weir'), 'weir.mp3');
    const {data, row} = await settled(client.audio.transcriptions.create({file, model}));
    assert.ok(data.text.length > 0);
    assert.equal(row.code, 'ok');
    assert.equal(row.estimated, false);
    const text = await client.audio.translations.create({model, file, response_format: 'text'});
    assert.equal(text.trim(), data.text);
  }
});

test('transcriptions: streamed', async () => {
  const file = await toFile(Buffer.alloc(10_000, 'weir'), 'weir.mp3');
  const stream = await client.audio.transcriptions.create({file, model: 'gpt-image-1', stream: true});
  let text = '';
  let done;
  for await (const event of stream) {
    if (event.type === 'transcript.text.delta') text += event.delta;
    else done = event;
  }
  assert.equal(done.type, 'transcript.text.done');
  assert.equal(done.text, text);
});

test('embeddings: what the SDK asks for by itself is base64, and numbers come out', async () => {
  const {data} = await settled(client.embeddings.create({model: 'sim-embed', input: ['a', 'b']}));
  const plain = await client.embeddings.create({model: 'sim-embed', input: ['a', 'b'], encoding_format: 'float'});
  assert.equal(data.data.length, 2);
  data.data.forEach((one, i) => {
    assert.equal(one.embedding.length, 8);
    assert.deepEqual([...one.embedding], plain.data[i].embedding.map(Math.fround));
  });
});

test('completions: whole and streamed', async () => {
  const whole = await client.completions.create({model, prompt: 'What does a weir do?', max_tokens: 20});
  assert.equal(whole.object, 'text_completion');
  let text = '';
  const stream = await client.completions.create({
    model, prompt: 'What does a weir do?', max_tokens: 20, stream: true, stream_options: {include_usage: true}});
  let usage;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.text ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].text);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test('an error has the SDK\'s shape', async () => {
  const file = await toFile(Buffer.from('x'), 'weir.mp3');
  await assert.rejects(client.audio.transcriptions.create({file, model: 'nobody'}), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    return true;
  });
});
