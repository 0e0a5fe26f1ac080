/**
 * Sessions of `3pc_malicious` over their own messages (PROTOCOL §16.7): what begins one, what ends it, and what a party
 * that does not follow the protocol meets. Every attack has the control that the same session, left alone, answers.
 */
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { SecurityViolationError, type TercetError, type ViolationPhase } from '../../src/core/errors.ts';
import { violationCause } from '../../src/core/violation-cause.ts';
import { MESSAGES, OTHER_MESSAGES } from '../../src/mpc/protocol/malicious/messages.ts';
import type { ProvedRun } from '../../src/mpc/protocol/malicious/proving/run.ts';
import type { Channel, PartyId, PeerChannel } from '../../src/net/wire/types.ts';
import type { SessionEnd } from '../../src/session/compute.ts';
import { type Proving, provingOf } from '../../src/session/proving.ts';
import { failure, thrown } from '../failure.ts';
import type { StartOptions } from './harness.ts';
import { TOY_INPUT, proving, sending, toy, toyAnswer, toyRequest } from './proved-toy.ts';

type Weights = 'open' | 'secret';
interface Message {
  readonly from: PartyId;
  readonly to: PartyId;
  readonly tag: string;
  readonly bytes: Uint8Array;
}
interface Outcome {
  readonly logits: readonly number[] | undefined;
  /** Of the owner and both compute parties, in order. */
  readonly ended: readonly (SessionEnd | TercetError | undefined)[];
  readonly messages: readonly Message[];
  /** Whether each party that had begun to deal overwrote its keys. */
  readonly wiped: readonly boolean[];
}

/** A session of the toy to its end, whatever that is. */
async function play(weights: Weights, options: StartOptions = {}): Promise<Outcome> {
  const messages: Message[] = [];
  const runs: ProvedRun[] = [];
  const watched: Proving = {
    protocols: proving.protocols,
    check: (request) => proving.check(request),
    builder: (request) => proving.builder(request),
    begin(self) {
      const session = proving.begin(self);
      return {
        nonce: session.nonce,
        agree: (nonces, names) => session.agree(nonces, names),
        next: () => session.next(),
        end: () => session.end(),
        walk: (walk) => {
          const run = session.walk(walk);
          runs.push(run as ProvedRun);
          return run;
        },
      };
    },
  };
  const started = toy(weights, {
    proving: watched,
    ...options,
    tap: ({ from, to }, tag, bytes) => {
      messages.push({ from: from as PartyId, to: to as PartyId, tag, bytes });
      return options.tap?.({ from, to }, tag, bytes);
    },
  });
  let logits: readonly number[] | undefined;
  let failed: TercetError | undefined;
  try {
    const session = await started.owner;
    await session.prepare();
    logits = Array.from((await session.run(TOY_INPUT)).logits);
  } catch (error) {
    failed = error as TercetError;
  }
  const ends = await Promise.all(started.ends);
  return { logits, ended: [failed, ...ends], messages, wiped: runs.map(({ ended }) => ended) };
}

/** The control: the session answers, all keys are overwritten. */
async function answers(weights: Weights, options?: StartOptions): Promise<Outcome> {
  const outcome = await play(weights, options);
  const { logits, ended, wiped } = outcome;
  expect(ended).toEqual([undefined, 'answered', 'answered']);
  expect(logits).toEqual(toyAnswer(weights).map(Math.fround));
  expect(wiped).toEqual([true, true, true]);
  return outcome;
}

function violation(end: SessionEnd | TercetError | undefined, phase?: ViolationPhase): SecurityViolationError {
  expect(end).toBeInstanceOf(SecurityViolationError);
  const error = end as SecurityViolationError;
  expect(error.code).toBe('ERR_SECURITY_VIOLATION');
  if (phase !== undefined) expect(error.phase).toBe(phase);
  return error;
}

const sessionsOf = ({ messages }: Outcome): string[] =>
  messages.filter(({ tag }) => tag === 'control/start').map(({ bytes }) => bodyOf(bytes)['session'] ?? '');
const bodyOf = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string>;
const encoded = (body: object) => new TextEncoder().encode(JSON.stringify(body));

describe.each(['open', 'secret'] as const)('a session of %s weights', (weights) => {
  it('answers, is never the same twice, and opens behind the verdicts', async () => {
    const [one, two] = [await answers(weights), await answers(weights)];
    // Keys and names of the links are the same here in every session: only the nonces are new.
    const [first, second] = [sessionsOf(one), sessionsOf(two)];
    expect(new Set(first).size).toBe(1);
    expect(first[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(second[0]).not.toBe(first[0]);
    for (const party of [1, 2] as const) {
      const mine = one.messages.filter(({ from, to }) => from === party && to === 0).map(({ tag }) => tag);
      const verdict = mine.findLastIndex((tag) => tag.startsWith('proof-'));
      expect(verdict).toBeGreaterThanOrEqual(0);
      expect(verdict).toBeLessThan(mine.findIndex((tag) => tag.startsWith('output-output')));
    }
    // With open weights the owner answers nothing: behind its statements it only listens.
    const last = one.messages.findLast(({ from }) => from === 0)?.tag;
    expect(last?.startsWith(weights === 'open' ? 'proof-statement/' : 'proof-answer/0.')).toBe(true);
  });
});

describe('every message of a session', () => {
  /** Kinds of message that neither list has. */
  const unknown = ({ messages }: Outcome, others: typeof OTHER_MESSAGES): string[] => {
    const gates = new Set(MESSAGES.map(({ tag, from, to }) => `${from} ${to} ${tag}`));
    const found = messages.filter(
      ({ from, to, tag }) =>
        !gates.has(`${from} ${to} ${tag.split('/')[0]}`) && !others.some(([begin]) => tag.startsWith(begin)),
    );
    return [...new Set(found.map(({ tag }) => tag.replace(/\d.*$/, '')))].sort();
  };

  it.each(['open', 'secret'] as const)('%s weights: has a relation, or a reason why it has none', async (weights) => {
    const outcome = await answers(weights);
    expect(unknown(outcome, OTHER_MESSAGES)).toEqual([]);
    // The control: a kind that is left out.
    expect(
      unknown(
        outcome,
        OTHER_MESSAGES.filter(([begin]) => begin !== 'proof-verdict/'),
      ),
    ).toEqual(['proof-verdict/']);
  });
});

describe('what is not there is refused by name', () => {
  it('at an owner and at a party that were handed no proofs', async () => {
    await answers('open');
    const owner = await failure('ERR_PROTOCOL_UNAVAILABLE', () => toy('open', { proving: undefined as never }).owner);
    expect(owner.message).toContain('3pc_malicious');
    const { ended } = await play('open', { compute: (id) => (id === 2 ? { proving: undefined } : {}) });
    expect(ended[2]).toMatchObject({ code: 'ERR_PROTOCOL_UNAVAILABLE' });
    expect(ended[0]).toMatchObject({ code: 'ERR_PEER_MISMATCH', party: 2 });
  });

  it.each([
    ['oblivious transfers', { widening: 'ot' }, /wan-cloud/],
    ['what a dealer deals', { dealer: 'ab'.repeat(32) }, /dealer/],
  ] as const)('also with proofs: %s', (_what, change, says) => {
    const request = toyRequest('open');
    expect(provingOf(request, proving)).toBe(proving);
    const error = thrown('ERR_PROTOCOL_UNAVAILABLE', () => provingOf({ ...request, ...change }, proving));
    expect(error.message).toMatch(says);
  });

  it('over a link of the compute parties whose handshake gave no key', async () => {
    const { ended } = await play('open', {
      corrupt: (self, channel) => (self === 1 && channel.peer === 2 ? secretly(channel, undefined) : channel),
    });
    expect(ended[1]).toMatchObject({ code: 'ERR_INSECURE' });
  });
});

describe('the agreement on a session', () => {
  it('an owner that begins with a session that was before is refused by both, before anything is dealt', async () => {
    const [before] = sessionsOf(await answers('open'));
    const { ended, messages } = await play('open', {
      corrupt: (self, channel) =>
        self !== 0
          ? channel
          : sending(channel, (tag, bytes, send) =>
              send(tag, tag === 'control/start' ? encoded({ ...bodyOf(bytes), session: before }) : bytes),
            ),
    });
    for (const party of [1, 2]) violation(ended[party], 'agreement');
    // Neither has said anything of a proof, or to the other.
    const said = messages.filter(({ from, tag }) => from !== 0 && !/^(control|binding)\//.test(tag));
    expect(said).toEqual([]);
  });

  it('with the nonces of two cheaters from before it is still another session', async () => {
    const one = await answers('open');
    const nonces = new Map(
      one.messages
        .filter(({ tag }) => tag === 'control/request' || tag === 'control/offer')
        .map(({ from, bytes }) => [from, bodyOf(bytes)['nonce']]),
    );
    // The third is drawn by a party that repeats nothing.
    expect([...nonces.keys()].sort()).toEqual([0, 1, 2]);
    const again = proving.begin(2);
    const old = [nonces.get(0), nonces.get(1), nonces.get(2)].map((hex) => fromHex(hex ?? ''));
    const names = [new Uint8Array(32), new Uint8Array(32).fill(1)] as const;
    const [n0, n1, n2] = old;
    // Its own from before is refused, and with its own of now the session is new.
    expect(await failure('ERR_SECURITY_VIOLATION', () => again.agree([n0, n1, n2], names))).toMatchObject({
      phase: 'agreement',
    });
    expect(sessionsOf(one)).not.toContain(toHex(again.agree([n0, n1, again.nonce], names)));
    await failure('ERR_SECURITY_VIOLATION', () => again.agree([n0, n1, again.nonce], names));
  });

  it('party 1, that tells the others different nonces, is caught by party 2, and the owner hears it', async () => {
    const { ended, messages } = await play('open', {
      corrupt: (self, channel) =>
        self !== 1
          ? channel
          : sending(channel, (tag, bytes, send) => send(tag, tag === 'binding/nonce' ? flipped(bytes) : bytes)),
    });
    violation(ended[2], 'agreement');
    expect(violation(ended[0], 'agreement').party).toBeUndefined();
    expect(messages.some(({ tag }) => tag.includes('-input'))).toBe(false);
  });

  it('parties whose handshakes gave them two keys, as with somebody in between, open nothing', async () => {
    const own = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const { ended, logits } = await play('open', {
      corrupt: (self, channel) => (self === 0 || channel.peer === 0 ? channel : secretly(channel, own[self - 1])),
    });
    expect(logits).toBeUndefined();
    violation(ended[0]);
    expect([ended[1], ended[2]].some((end) => end instanceof SecurityViolationError)).toBe(true);
  });
});

interface Attack {
  readonly name: string;
  readonly weights: Weights;
  readonly cheater: PartyId;
  /** Every link of the cheater. */
  readonly change: (channel: Channel) => Channel;
  /** Who sees it itself, where, and whose proof it was. */
  readonly caughtBy: PartyId;
  readonly phase: ViolationPhase;
  readonly proofOf?: PartyId;
  /** Honest parties that may have said their last word before. */
  readonly late?: readonly PartyId[];
  readonly never?: RegExp;
}

/** The first message of a kind is changed, and the cheater goes on with what it sent. */
const once = (kind: string, peer: PartyId, change: (bytes: Uint8Array) => Uint8Array | undefined) => {
  return (channel: Channel): Channel => {
    let done = channel.peer !== peer;
    return sending(channel, async (tag, bytes, send) => {
      if (done || !tag.startsWith(kind)) return send(tag, bytes);
      done = true;
      const other = change(bytes);
      if (other === undefined) return;
      bytes.set(other);
      await send(tag, bytes);
    });
  };
};

const ATTACKS: readonly Attack[] = [
  {
    name: 'a seed before the prover has all of its segment',
    ...{ weights: 'open', cheater: 1, caughtBy: 2, phase: 'messages', never: /^proof-answer\/2\./ },
    change: (channel) =>
      channel.peer !== 2
        ? channel
        : sending(channel, async (tag, bytes, send) => {
            if (tag.startsWith('select-12/')) await send('proof-seed/2.0.1', new Uint8Array(32));
            return send(tag, bytes);
          }),
  },
  {
    name: 'a verdict of a proof that was never given',
    ...{ weights: 'open', cheater: 1, caughtBy: 0, phase: 'proof', proofOf: 2, late: [2], never: /^output-output.*0/ },
    change: once('proof-verdict/2', 0, (bytes) => bytes.map((_, i) => i)),
  },
  {
    name: 'an output before the verdict',
    ...{ weights: 'open', cheater: 1, caughtBy: 0, phase: 'proof', late: [2] },
    change: (channel) => {
      let verdict: Uint8Array | undefined;
      return sending(channel, async (tag, bytes, send) => {
        if (channel.peer === 0 && tag.startsWith('proof-verdict/2')) verdict = bytes.slice();
        else await send(tag, bytes);
        if (verdict !== undefined && tag.startsWith('output-output')) await send('proof-verdict/2.0.0', verdict);
      });
    },
  },
  {
    name: 'an anchor that is not of the chain',
    ...{ weights: 'open', cheater: 0, caughtBy: 1, phase: 'proof', proofOf: 1 },
    change: once('proof-anchor/1', 1, flipped),
  },
  {
    name: 'a statement that is not of the proof',
    ...{ weights: 'open', cheater: 0, caughtBy: 2, phase: 'proof', proofOf: 1 },
    change: once('proof-statement/1', 2, flipped),
  },
  {
    name: 'a product that is another',
    ...{ weights: 'open', cheater: 2, caughtBy: 1, phase: 'proof', proofOf: 2 },
    change: once('product-21', 1, flipped),
  },
  {
    name: 'a table that is another',
    ...{ weights: 'open', cheater: 1, caughtBy: 2, phase: 'proof', proofOf: 1 },
    change: once('select-12', 2, flipped),
  },
  {
    name: 'inputs that differ between the compute parties',
    ...{ weights: 'open', cheater: 0, caughtBy: 1, phase: 'agreement', never: /-(12|21)\// },
    change: once('lookup-input', 1, flipped),
  },
  {
    name: 'an output that is not what the other party says',
    ...{ weights: 'open', cheater: 2, caughtBy: 0, phase: 'output', late: [1] },
    change: once('output-output', 0, flipped),
  },
  {
    name: 'a word that the other verifier never gets',
    ...{ weights: 'secret', cheater: 0, caughtBy: 2, phase: 'messages', never: /^proof-seed\/0\./, late: [1] },
    change: once('select-deal', 2, () => undefined),
  },
  {
    name: 'a word that is another, dealt of secret weights',
    ...{ weights: 'secret', cheater: 0, caughtBy: 1, phase: 'proof', proofOf: 0 },
    change: once('product-deal', 2, flipped),
  },
];

describe('a party that cheats is caught', () => {
  it.each(ATTACKS.map((attack) => [attack.cheater, attack.name, attack] as const))(
    'party %i: %s',
    async (_cheater, _name, { weights, cheater, change, caughtBy, phase, proofOf, late = [], never }) => {
      const { logits, ended, messages, wiped } = await play(weights, {
        corrupt: (self, channel) => (self === cheater ? change(channel) : channel),
      });
      expect(logits).toBeUndefined();
      expect(violation(ended[caughtBy], phase).party).toBe(proofOf);
      // Whose proof it was is known by a check, and that it was one stays with who made it.
      if (proofOf !== undefined) expect(violationCause(ended[caughtBy])).toBe('check');
      for (const honest of [0, 1, 2] as const)
        if (honest !== cheater && !late.includes(honest)) violation(ended[honest]);
      expect(wiped).toEqual([true, true, true]);
      if (never !== undefined) expect(messages.filter(({ tag }) => never.test(tag))).toEqual([]);
    },
  );

  it('a verifier that repeats a seed gets the same bytes again, and no second answer', async () => {
    let first: Uint8Array | undefined;
    const { ended, messages } = await play('open', {
      corrupt: (self, channel) =>
        self !== 1 || channel.peer !== 2
          ? channel
          : sending(channel, (tag, bytes, send) => {
              if (tag === 'proof-seed/2.0.1') first = bytes.slice();
              return send(tag, tag === 'proof-seed/2.0.2' ? (first ?? bytes) : bytes);
            }),
    });
    violation(ended[2]);
    violation(ended[0]);
    const [once_, again] = messages.filter(({ tag }) => /^proof-answer\/2\.0\.[12]$/.test(tag));
    expect(again.bytes).toEqual(once_.bytes);
  });
});

describe('a refusal', () => {
  // Of all that other parties could tell causes by: what honest parties put on their links, and what they ended with.
  const CHEATS = [
    ['a table', once('select-12', 2, flipped)],
    ['a lift', once('product-12', 2, flipped)],
    ['claims', once('proof-answer/1.0.1', 2, (bytes) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)))],
    ['a round', once('proof-answer/1.0.2', 2, flipped)],
  ] as const;

  it('looks the same from outside, whatever was wrong: same frames of both, same errors', async () => {
    const seen = new Set<string>();
    for (const [, change] of CHEATS) {
      const { ended, messages } = await play('open', {
        corrupt: (self, channel) => (self === 1 ? change(channel) : channel),
      });
      const errors = [0, 2].map((id) => violation(ended[id])).map((error) => `${error.phase} ${error.line()}`);
      // How far a run is is said by the clock.
      const frames = messages.filter(({ from, tag }) => from !== 1 && !tag.startsWith('control/status'));
      const links = frames.map(({ from, to, tag, bytes }) => `${from} ${to} ${tag} ${bytes.length}`);
      seen.add([...errors, ...links.sort()].join('\n'));
    }
    expect(seen.size).toBe(1);
    const [one] = seen;
    expect(one).toContain('2 1 proof-seed/1.0.2');
    expect(one).not.toContain('proof-verdict/1');
  });
});

describe('the barrier', () => {
  it.each([1, 2] as const)('a link of party %i that ends behind the text is a violation everywhere', async (party) => {
    let kill: ((party: 1 | 2) => void) | undefined;
    const started = toy('open', {
      tap: (_direction, tag) => (tag.startsWith('widen-12') ? kill?.(party) : undefined),
    });
    kill = started.kill;
    const session = await started.owner;
    const error = await failure('ERR_SECURITY_VIOLATION', () => session.run(TOY_INPUT));
    expect(error.message).not.toMatch(/closed|link/);
    violation(await started.ends[2 - party]);
    await Promise.all(started.ends);
  });

  it('so is a message that never comes', async () => {
    const { ended } = await play('open', {
      timeoutMs: 1000,
      corrupt: (self, channel) => (self === 2 ? once('widen-21', 1, () => undefined)(channel) : channel),
    });
    for (const honest of [0, 1]) violation(ended[honest]);
    // Nobody's check refused: a line that broke looks the same.
    for (const honest of [0, 1]) expect(['form', 'late', 'link']).toContain(violationCause(ended[honest]));
  });

  it('before the text it is what it is: who leaves has broken no promise', async () => {
    for (const dealing of [true, false]) {
      const started = toy('open', {
        tap: (_direction, tag) => (dealing && tag.startsWith('affine-ahead') ? started.kill(1) : undefined),
      });
      const session = await started.owner;
      const prepared = session.prepare();
      if (!dealing) {
        await prepared;
        started.kill(1);
      }
      const error = await failure('ERR_PEER_CLOSED', () => prepared.then(() => session.run(TOY_INPUT)));
      expect(error.party).toBe(1);
      // Party 2 sees one of the others leave first.
      const end = await started.ends[1];
      expect(typeof end === 'string' ? end : end.code).toMatch(/^(discarded|ERR_PEER_CLOSED)$/);
      await Promise.all(started.ends);
    }
    const { owner, ends } = toy('open');
    const session = await owner;
    await session.prepare();
    await session.discard();
    expect(await Promise.all(ends)).toEqual(['discarded', 'discarded']);
  });
});

function flipped(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  out[out.length - 1] ^= 1;
  return out;
}

/** The same link, whose handshake gave this. */
function secretly(channel: Channel, secret: Uint8Array | undefined): PeerChannel {
  const same = sending(channel, (tag, bytes, send) => send(tag, bytes));
  return Object.assign(same, { secret: () => secret?.slice() as Uint8Array });
}
