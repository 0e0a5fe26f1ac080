/**
 * Every kind of message under complete sharing, and the relation that proves it or why it needs none. The table in
 * docs/SECURITY.md is made of this, and a test holds it against the messages of real runs.
 */
import type { PartyId } from '../../../net/wire/types.ts';

export interface MessageKind {
  /** The first part of its tag. */
  readonly tag: string;
  readonly from: PartyId;
  readonly to: PartyId;
  /** With which weights it is sent; both where absent. */
  readonly weights?: 'open' | 'secret';
  readonly what: string;
  /** Names of the relations that its sender proves (`Gate.relations`). */
  readonly relations?: readonly string[];
  /** Why nobody proves it, or where it is proved. */
  readonly reason?: string;
}

const SAME = 'P1 and P2 compare hashes of what they got, before anything opens';
/** Of what is bits, or rows with a single one. An input of another form is any tensor. */
const FORM = ['input.bit', 'input.sum'];
const OWN = 'with open weights P0 has no secret to gain, and deals truthfully for its own text';

export const MESSAGES: readonly MessageKind[] = [
  { tag: 'input-input', from: 0, to: 1, weights: 'open', what: 'm', reason: SAME },
  { tag: 'input-input', from: 0, to: 2, weights: 'open', what: 'm', reason: SAME },
  { tag: 'input-input', from: 0, to: 1, weights: 'secret', what: 'm (compared, as above)', relations: FORM },
  { tag: 'input-input', from: 0, to: 2, weights: 'secret', what: 'm (compared, as above)', relations: FORM },
  { tag: 'lookup-deal', from: 0, to: 1, weights: 'open', what: 'key of e_r', reason: OWN },
  { tag: 'lookup-deal', from: 0, to: 2, weights: 'open', what: 'key of e_r', reason: OWN },
  {
    tag: 'lookup-deal',
    from: 0,
    to: 1,
    weights: 'secret',
    what: 'key of e_r',
    relations: ['lookup.unit', 'lookup.sum'],
  },
  {
    tag: 'lookup-deal',
    from: 0,
    to: 2,
    weights: 'secret',
    what: 'key of e_r',
    relations: ['lookup.unit', 'lookup.sum'],
  },
  { tag: 'lookup-input', from: 0, to: 1, what: 'δ', reason: SAME },
  { tag: 'lookup-input', from: 0, to: 2, weights: 'open', what: 'δ', reason: SAME },
  {
    tag: 'lookup-input',
    from: 0,
    to: 2,
    weights: 'secret',
    what: 'δ (compared, as above), Γ2',
    relations: ['lookup.gamma'],
  },
  { tag: 'lookup-21', from: 2, to: 1, what: 'q', relations: ['lookup.q'] },
  { tag: 'lookup-12', from: 1, to: 2, what: 'm', relations: ['lookup.m'] },
  { tag: 'affine-ahead', from: 2, to: 1, weights: 'open', what: 'q', relations: ['affine.q'] },
  { tag: 'affine-deal', from: 0, to: 2, weights: 'secret', what: 'Γ2', relations: ['affine.gamma'] },
  { tag: 'affine-21', from: 2, to: 1, weights: 'secret', what: 'q', relations: ['affine.q'] },
  { tag: 'affine-12', from: 1, to: 2, what: 'm', relations: ['affine.m'] },
  { tag: 'product-deal', from: 0, to: 2, weights: 'open', what: 'Γ2', reason: OWN },
  { tag: 'product-deal', from: 0, to: 2, weights: 'secret', what: 'Γ2', relations: ['product.gamma'] },
  { tag: 'product-21', from: 2, to: 1, what: 'q', relations: ['product.q'] },
  { tag: 'product-12', from: 1, to: 2, what: 'm', relations: ['product.m'] },
  ...(['select', 'widen'] as const).flatMap((gate): MessageKind[] => [
    { tag: `${gate}-deal`, from: 0, to: 2, weights: 'open', what: 'B', reason: OWN },
    { tag: `${gate}-deal`, from: 0, to: 2, weights: 'secret', what: 'B', relations: [`${gate}.word`] },
    { tag: `${gate}-12`, from: 1, to: 2, what: 'table', relations: [`${gate}.table`] },
    { tag: `${gate}-21`, from: 2, to: 1, what: 'm', relations: [`${gate}.m`] },
  ]),
  { tag: 'output-output', from: 1, to: 0, what: 'm', reason: 'P0 compares the two' },
  { tag: 'output-output', from: 2, to: 0, what: 'm', reason: 'P0 compares the two' },
];

/** Messages of a session and of its proofs, by how their tags begin, and what a false one comes to. */
export const OTHER_MESSAGES: readonly (readonly [begin: string, reason: string])[] = [
  ['control/', 'says what is public: request, offer, start. P1 and P2 compare the request, all three the session'],
  ['binding/', 'hash of the request, and nonces. A false one makes another session, which its receivers refuse'],
  ['agreement', 'a hash of what both have. A false one ends the run before the first half-round'],
  ['proof-anchor/', 'no seed of the other verifier fits a false one, so the prover answers nothing'],
  ['proof-statement/', 'sealed by W. A false one is refused with the proof, whatever the secrets'],
  ['proof-seed/', 'of the chain or refused. The last one is the verdict for the prover'],
  ['proof-answer/', 'what the engine checks: identity, rounds, ends'],
  ['proof-verdict/', 'the last seed, which W has. No other bytes are one'],
];

/** The table of `OTHER_MESSAGES` in docs/SECURITY.md. */
export function otherTable(): readonly string[] {
  const rows = OTHER_MESSAGES.map(([begin, reason]) => `| \`${begin}\` | ${reason} |`);
  return ['| messages | why nobody proves them |', '| --- | --- |', ...rows];
}

/** A table of docs/SECURITY.md, line by line. */
export function messageTable(messages: readonly MessageKind[] = MESSAGES): readonly string[] {
  const rows = messages.map(({ tag, from, to, weights, what, relations, reason }) => {
    const proved = relations === undefined ? reason : relations.map((name) => `\`${name}\``).join(', ');
    return `| ${tag.split('-')[0]} | P${from} → P${to} | ${weights ?? 'both'} | ${what} | ${proved} |`;
  });
  return ['| gate | message | weights | word | proved by |', '| --- | --- | --- | --- | --- |', ...rows];
}
