/**
 * `securityLevel` 256 of `3pc_malicious` and `aby3` (PROTOCOL §15.8): all parties prove at it or there is no run, and a
 * lie in the tail of either prime is caught. The controls are the same sessions left alone, and at 128.
 */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/core/bytes.ts';
import { SecurityViolationError, type TercetError } from '../../src/core/errors.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import type { SessionEnd } from '../../src/session/compute.ts';
import type { OwnerResult } from '../../src/session/owner.ts';
import { SEGMENT_BYTES } from '../../src/session/proved-price.ts';
import { checkLevel, provingOf } from '../../src/session/proving.ts';
import { type Request, type SecurityLevel, requestCode, requestOfCode } from '../../src/session/request.ts';
import { thrown } from '../failure.ts';
import { completeCircuit, symmetricCircuit } from '../support/proved.ts';
import type { StartOptions } from './harness.ts';
import { TOY_INPUT, provingOfCircuit, sending, toy, toyAnswer, toyCircuit, toyRequest } from './proved-toy.ts';

type Weights = 'open' | 'secret';
const LONG = { timeout: 60_000 };
/** At full size, by the level of the request alone. */
const proving = provingOfCircuit(toyCircuit, {});
type Protocol = '3pc_malicious' | 'aby3';
const requestOf = (weights: Weights, level: SecurityLevel, protocol: Protocol = '3pc_malicious'): Request => ({
  ...toyRequest(weights),
  protocol,
  securityLevel: level === 256 ? 256 : undefined,
});

interface Outcome {
  readonly result: OwnerResult | undefined;
  readonly ended: readonly (SessionEnd | TercetError | undefined)[];
  /** Payload bytes of proofs and of the agreement, by sender and receiver. */
  readonly bytes: readonly (readonly number[])[];
  readonly tags: readonly string[];
}

async function play(weights: Weights, level: SecurityLevel, options: StartOptions = {}): Promise<Outcome> {
  const bytes = [0, 1, 2].map(() => [0, 0, 0]);
  const tags: string[] = [];
  const started = toy(weights, {
    ...{ request: requestOf(weights, level), proving },
    ...options,
    tap: ({ from, to }, tag, message) => {
      tags.push(tag);
      if (/^(proof-|agreement)/.test(tag)) bytes[from as number][to as number] += message.length;
    },
  });
  let result: OwnerResult | undefined;
  let failed: TercetError | undefined;
  try {
    const session = await started.owner;
    await session.prepare();
    result = await session.run(TOY_INPUT);
  } catch (error) {
    failed = error as TercetError;
  }
  return { result, ended: [failed, ...(await Promise.all(started.ends))], bytes, tags };
}

describe.each([
  ['open', '3pc_malicious'],
  ['secret', '3pc_malicious'],
  ['open', 'aby3'],
] as const)('a run of %s weights, %s', (weights, protocol) => {
  it('answers at both levels, costs what is declared for each, and says its bound', LONG, async () => {
    const circuit = (protocol === 'aby3' ? symmetricCircuit : completeCircuit)(toyCircuit(weights), weights);
    for (const level of [128, 256] as const) {
      const { result, ended, bytes } = await play(weights, level, { request: requestOf(weights, level, protocol) });
      expect(ended).toEqual([undefined, 'answered', 'answered']);
      expect(Array.from(result?.logits ?? [])).toEqual(toyAnswer(weights).map(Math.fround));
      const price = proofPrice(circuit, PARAMETERS[level], SEGMENT_BYTES);
      expect(bytes).toEqual(price.bytes);
      expect(result?.proofs?.soundness).toBe(price.soundness);
      expect(price.soundness).toBeLessThan(level === 256 ? -62.9 : -46.9);
      expect(price.soundness).toBeGreaterThan(level === 256 ? -63.1 : -47.1);
    }
  });
});

/** A party whose answers, of proofs that it makes, have one bit changed. */
function lying(cheater: PartyId, stage: number, place: (length: number) => number) {
  return (self: PartyId, channel: Channel): Channel =>
    self !== cheater
      ? channel
      : sending(channel, (tag, message, send) => {
          if (!tag.startsWith('proof-answer/') || !tag.endsWith(`.${stage}`)) return send(tag, message);
          const changed = message.slice();
          changed[place(message.length)] ^= 1;
          return send(tag, changed);
        });
}

describe('a lie under level 256 is caught, and nothing opens', () => {
  it.each([
    ['claims of party 1', 'open', 1, 1, () => 0],
    ['claims of party 2', 'open', 2, 1, () => 0],
    ['a round of the first prime, party 1', 'open', 1, 2, () => 0],
    ['a round of the second prime, party 1', 'open', 1, 2, (length: number) => length / 2],
    ['a later round of the second prime, party 2', 'open', 2, 3, (length: number) => length / 2],
    ['a round of the second prime, the owner', 'secret', 0, 2, (length: number) => length / 2],
    [
      'the same of aby3, whose owner proves with open weights too',
      'open',
      0,
      2,
      (length: number) => length / 2,
      'aby3',
    ],
    ['a round of the second prime of aby3, party 2', 'open', 2, 2, (length: number) => length / 2, 'aby3'],
  ] as const)('%s', LONG, async (_what, weights, cheater, stage, place, protocol?: Protocol) => {
    const request = requestOf(weights, 256, protocol);
    const { ended, result, tags } = await play(weights, 256, { request, corrupt: lying(cheater, stage, place) });
    for (const party of [0, 1, 2].filter((id) => id !== cheater))
      expect(ended[party]).toBeInstanceOf(SecurityViolationError);
    expect(ended).toContainEqual(expect.objectContaining({ code: 'ERR_SECURITY_VIOLATION', phase: 'proof' }));
    expect(result).toBeUndefined();
    expect(tags.filter((tag) => tag.startsWith('output-'))).toEqual([]);
  });

  it('a message of a gate', LONG, async () => {
    const { ended, result } = await play('open', 256, {
      corrupt: (self, channel) =>
        self !== 1
          ? channel
          : sending(channel, (tag, message, send) =>
              send(tag, /^select-12/.test(tag) ? message.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : message),
            ),
    });
    expect(ended[0]).toBeInstanceOf(SecurityViolationError);
    expect(ended[2]).toMatchObject({ code: 'ERR_SECURITY_VIOLATION', phase: 'proof' });
    expect(result).toBeUndefined();
  });
});

describe('nobody gets less', () => {
  it('of a protocol that proves nothing, or of a level that is none, by name', () => {
    for (const level of [undefined, 128] as const) expect(checkLevel('3pc_semi_honest', level)).toBeUndefined();
    for (const protocol of ['3pc_malicious', 'aby3']) expect(checkLevel(protocol, 256)).toBe(256);
    for (const [protocol, level] of [
      ['3pc_semi_honest', 256],
      ['3pc_malicious', 192],
      ['3pc_malicious', '256'],
    ] as const) {
      const error = thrown('ERR_PROTOCOL_UNAVAILABLE', () => checkLevel(protocol, level as SecurityLevel));
      expect(error.message).toContain(`${protocol} has no level ${level}`);
    }
    const request = { ...requestOf('open', 256), protocol: '3pc_semi_honest' } as const;
    thrown('ERR_PROTOCOL_UNAVAILABLE', () => provingOf(request, proving));
  });

  it('the level stands in what is signed in the first message, and a version without it knows no such code', () => {
    const [low, high] = [requestCode(requestOf('open', 128)), requestCode(requestOf('open', 256))];
    expect(high).not.toBe(low);
    expect(requestOfCode(low)?.securityLevel).toBeUndefined();
    expect(requestOfCode(high)?.securityLevel).toBe(256);
    // One bit, which no version before wrote and every version before refuses: a code has one reading.
    const bits = fromHex(high).map((byte, i) => byte ^ fromHex(low)[i]);
    expect(Array.from(bits).filter((byte) => byte !== 0)).toEqual([16]);
  });

  it.each([
    ['asks one party for 256 and the other for 128', undefined, [2]],
    ['asks for a level that is none', 192, [1, 2]],
  ] as const)('an owner that %s gets nothing', LONG, async (_what, level, peers) => {
    const { ended, result, tags } = await play('open', 256, {
      corrupt: (self, channel) =>
        self !== 0 || !peers.some((peer) => peer === channel.peer)
          ? channel
          : sending(channel, async (tag, message, send) => {
              if (tag === 'control/request-length') return;
              if (tag !== 'control/request') return send(tag, message);
              const asked = JSON.parse(new TextDecoder().decode(message)) as object;
              const body = new TextEncoder().encode(JSON.stringify({ ...asked, securityLevel: level }));
              const length = new Uint8Array(4);
              new DataView(length.buffer).setUint32(0, body.length, true);
              await send('control/request-length', length);
              await send(tag, body);
            }),
    });
    expect(result).toBeUndefined();
    for (const end of ended.slice(1)) expect(end).toMatchObject({ code: 'ERR_PEER_MISMATCH' });
    // Anchors are hashes, and stand before everything that is dealt.
    expect(tags.filter((tag) => !/^(control|binding|proof-anchor)/.test(tag))).toEqual([]);
  });

  it('a party that proves at 128 although 256 was asked for is refused before anything is proved', LONG, async () => {
    const lower = provingOfCircuit(toyCircuit, { parameters: PARAMETERS[128] });
    const { ended, result, tags } = await play('open', 256, { compute: (id) => (id === 2 ? { proving: lower } : {}) });
    expect(ended[1]).toMatchObject({ code: 'ERR_SECURITY_VIOLATION' });
    expect(ended[0]).toBeInstanceOf(SecurityViolationError);
    expect(result).toBeUndefined();
    expect(tags.filter((tag) => /^(proof-answer|output-)/.test(tag))).toEqual([]);
  });
});
