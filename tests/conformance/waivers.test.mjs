// The list of waivers lets through what it names, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, waivers } from './waivers.mjs';

const known = new Map(waivers.map(({ rule }) => [rule, ['somewhere']]));

test('what is waived passes', () => {
  assert.deepEqual(judge(known, waivers), { faults: [], unneeded: [], unexplained: [] });
});

test('anything else is a fault', () => {
  const { faults } = judge(new Map([...known, ['Weir: new fault', ['here', 'there']]]), waivers);
  assert.deepEqual(faults, [['Weir: new fault', ['here', 'there']]]);
});

test('a waiver that nothing needs is a fault', () => {
  assert.deepEqual(judge(new Map(), waivers).unneeded, waivers);
});

test('a waiver needs its reason', () => {
  assert.equal(judge(known, [...waivers, { rule: 'x', reason: ' ' }]).unexplained.length, 1);
});
