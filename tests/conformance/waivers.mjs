// Where what Weir sends differs from a provider's OpenAPI file, and why: real providers, or the SDKs that read them,
// do otherwise. `rule` is the line that specs.mjs prints. Anything else that differs is a fault, and so is a waiver that
// nothing needs any more.
export const waivers = [
  {
    rule: `Weir: anthropic event /content_block: must have required property 'citations' ""`,
    reason: 'Anthropic leaves citations out where there are none, in its streams as in the recordings; Vercel\'s '
      + '@ai-sdk/anthropic reads an array or nothing, and breaks on the null that the file would have.',
  },
  {
    rule: `Weir: anthropic answer /content/n: must have required property 'citations' ""`,
    reason: 'The same of whole answers: Vercel\'s SDK reads an array or nothing.',
  },
];

// `violations` maps a rule to where it is broken.
export function judge(violations, list) {
  const waived = new Set(list.map(({ rule }) => rule));
  return {
    faults: [...violations].filter(([rule]) => !waived.has(rule)),
    unneeded: list.filter(({ rule }) => !violations.has(rule)),
    unexplained: list.filter(({ reason }) => !(reason?.trim().length > 0)),
  };
}
