/**
 * The cells of the matrix: who changes which message, and how. Messages of gates are those of `messages.ts`, so a kind
 * that is added there has cells; those of sessions and proofs follow.
 */
import { SYMMETRIC_MESSAGES } from '../../mpc/protocol/aby3/messages.ts';
import { MESSAGES } from '../../mpc/protocol/malicious/messages.ts';
import { VERIFIERS } from '../../mpc/protocol/malicious/proving/plan.ts';
import type { PartyId } from '../../net/wire/types.ts';
import type { WeightMode } from '../../session/request.ts';
import { CHANGES, type Change, isContent, isOfBoth, waits } from './changes.ts';
import { KEPT_CELLS } from './kept.ts';
import { FAMILIES, type Family, taskOf } from './models.ts';
import type { ProvedProtocol } from './world.ts';

export interface Cell {
  readonly family: Family;
  readonly weights: WeightMode;
  readonly cheater: PartyId;
  readonly to: PartyId;
  /** The first part of its tag, or all of it for a message of a proof. */
  readonly message: string;
  readonly change: Change;
}

/** Where honest parties end. */
export interface Expected {
  /** At whoever notices it. Undefined: where a link is noticed to be wrong first depends on who waits for what. */
  readonly phase: 'agreement' | 'proof' | 'output' | undefined;
  /** Nothing follows from a text yet: who sees no more than that another leaves may say so. */
  readonly beforeText: boolean;
  /** An honest party may have said its last word, and not hear of it. */
  readonly late: boolean;
}

interface Target {
  readonly from: PartyId;
  readonly to: PartyId;
  readonly message: string;
}

/** With open weights P0 has nothing to gain by what it deals; in the rounds it has. */
function ownerProves(protocol: ProvedProtocol, weights: WeightMode): boolean {
  return weights === 'secret' || protocol === 'aby3';
}

/**
 * Messages that somebody is caught with. What P0 deals of open weights is not among them: it has nothing to gain, and
 * spoils its own answer.
 */
function gateMessages(protocol: ProvedProtocol, weights: WeightMode): Target[] {
  const all = (protocol === 'aby3' ? SYMMETRIC_MESSAGES : MESSAGES)
    .filter((kind) => (kind.weights ?? weights) === weights)
    .filter(({ tag, from }) => ownerProves(protocol, weights) || from !== 0 || !tag.endsWith('-deal'))
    .map(({ tag, from, to }): Target => ({ from, to, message: tag }));
  // One kind may have two words of one message.
  return all.filter((one, i) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === i);
}

/** @param stages of a proof, the verdict with them */
function proofMessages(owner: boolean, stages: (proof: PartyId) => number): Target[] {
  const provers: readonly PartyId[] = owner ? [0, 1, 2] : [1, 2];
  return provers.flatMap((proof): Target[] => {
    const [v, w] = VERIFIERS[proof];
    const last = stages(proof);
    const at = (what: string, stage: number) => `proof-${what}/${proof}.0.${stage}`;
    return [
      { from: w, to: proof, message: `proof-anchor/${proof}` },
      { from: w, to: v, message: at('statement', 0) },
      ...[1, 2, last].map((stage) => ({ from: v, to: proof, message: at('seed', stage) })),
      ...[1, 2, Math.ceil(last / 2), last - 1].map((stage) => ({ from: proof, to: v, message: at('answer', stage) })),
      { from: v, to: w, message: at('verdict', 0) },
    ];
  });
}

const SESSION: readonly Target[] = [
  { from: 1, to: 2, message: 'agreement' },
  { from: 2, to: 1, message: 'agreement' },
  { from: 1, to: 2, message: 'binding/nonce' },
  { from: 2, to: 1, message: 'binding/nonce' },
];

/** Words that a party kept of the step before: m, and the masks that it has. */
function keptWords(owner: boolean): Target[] {
  const held: readonly (readonly [from: PartyId, words: readonly string[]])[] = [
    [1, ['m', 'l1']],
    [2, ['m', 'l2']],
    ...(owner ? [[0, ['l1', 'l2']] as const] : []),
  ];
  return held.flatMap(([from, words]) =>
    words.flatMap((word) =>
      KEPT_CELLS.map((kind): Target => ({ from, to: VERIFIERS[from][0], message: `${kind}/${word}` })),
    ),
  );
}

/** Whether a tag is one of a kind of message: tags may say of which proof, stage or gate they are. */
export function isOf(message: string, tag: string): boolean {
  return tag === message || tag.startsWith(`${message}/`);
}

/** Circuits that take rows of their owner: those of the blanks of a text. */
const ROWS_IN: readonly string[] = ['gates', 'fill-mask', 'zero-shot-classification'];

function hasSteps(family: Family): boolean {
  return family === 'steps' || taskOf(family) === 'text-generation';
}

const isProof = (message: string) => message.startsWith('proof-');
const isDealt = (message: string) => /^(proof-anchor|binding|.*-(deal|ahead)$)/.test(message);

/** One change or two of every class. Every session of a whole model takes seconds. */
const FEW: readonly Change[] = ['bit', 'all', 'repeat', 'short', 'leave'];
const FEW_OF_PROOFS: readonly Change[] = ['bit', 'lift', 'repeat', 'short', 'leave'];

function fewOf(family: Family, message: string): readonly Change[] {
  const few = isProof(message) ? FEW_OF_PROOFS : FEW;
  // Behind a step, an earlier message is that of the step before.
  return hasSteps(family) ? few.map((change) => (change === 'repeat' ? 'replay' : change)) : few;
}

/** Changes that a message of this kind is worth in a family. */
function changesOf(family: Family, { from, to, message }: Target): readonly Change[] {
  // What was kept is in no message: it has no form, and nobody waits for it.
  if (message.startsWith('kept-')) return ['one', 'all'];
  if (family === 'steps') return ['bit', 'replay'];
  const fits = CHANGES.filter((change) => {
    if (change === 'replay') return hasSteps(family);
    if (isOfBoth(change)) return message === 'lookup-deal' && to === 1;
    if (change === 'lift') return /^proof-answer\/\d\.0\.1$/.test(message);
    // Who leaves before the text has broken no promise, and an owner may leave whenever it likes.
    if (change === 'leave') return from !== 0 && !isDealt(message);
    if (waits(change)) return !isDealt(message) || message.endsWith('-deal');
    return true;
  });
  if (family === 'gates') return isProof(message) ? fits.filter((change) => change !== 'top') : fits;
  const few = fewOf(family, message);
  return fits.filter((change) => few.includes(change));
}

/**
 * All cells of one world.
 * @param stages of each of its proofs
 */
export function cellsOf(
  family: Family,
  weights: WeightMode,
  stages: (proof: PartyId) => number,
  protocol: ProvedProtocol = '3pc_malicious',
): readonly Cell[] {
  const owner = ownerProves(protocol, weights);
  const kept = hasSteps(family) ? keptWords(owner) : [];
  const proofs = proofMessages(owner, stages);
  const targets = [...kept, ...gateMessages(protocol, weights), ...proofs, ...SESSION];
  const has = (message: string) =>
    ROWS_IN.includes(taskOf(family) ?? family) ||
    !(message.startsWith('input') || (hasSteps(family) && message.startsWith('binding')));
  return targets
    .filter(({ message }) => has(message))
    .flatMap((target) =>
      changesOf(family, target).map(
        (change): Cell => ({
          ...{ family, weights, cheater: target.from, to: target.to, message: target.message },
          change,
        }),
      ),
    );
}

export const WORLDS = (['3pc_malicious', 'aby3'] as const).flatMap((protocol) =>
  FAMILIES.flatMap((family) => (['open', 'secret'] as const).map((weights) => ({ protocol, family, weights }))),
);

/** @param formed whether what came in its place has its length, where the change does not say that */
export function expectedOf({ weights, cheater, message, change }: Cell, formed: boolean): Expected {
  const late = message.startsWith('output') || message.startsWith('proof-verdict') || /^proof-seed/.test(message);
  const beforeText = isDealt(message);
  const content = change === 'replay' ? formed : isContent(change) || change === 'lift';
  if (!content) return { phase: undefined, beforeText, late };
  if (message === 'agreement' || message === 'binding/nonce') return { phase: 'agreement', beforeText, late };
  if (cheater === 0 && message.endsWith('-input'))
    // Behind δ of one byte P2 gets a word of its own, and a proof is about that.
    return { phase: weights === 'secret' && message === 'lookup-input' ? undefined : 'agreement', beforeText, late };
  return { phase: message.startsWith('output') ? 'output' : 'proof', beforeText, late };
}
