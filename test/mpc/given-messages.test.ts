/** Which messages of a party nobody has a use for once they are sent, and that what proofs look at is none of them. */
import { expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { Transcript } from '../../src/mpc/protocol/malicious/proving/transcript.ts';
import { Link } from '../../src/mpc/protocol/frame/party.ts';
import { Masked } from '../../src/mpc/share/masked.ts';
import { letGo } from '../../src/core/let-go.ts';
import type { Channel } from '../../src/net/wire/types.ts';

/** A channel that frees what it is given at once, and what it was told of each message. */
function watched() {
  const sent: [tag: string, length: number, given: 'given' | undefined][] = [];
  const channel = {
    self: 1,
    peer: 2,
    send: async (tag: string, bytes: Uint8Array, given?: 'given') => {
      sent.push([tag, bytes.length, given]);
      if (given !== undefined) letGo(bytes);
      return Promise.resolve();
    },
  } as unknown as Channel;
  return { channel, sent };
}

const COUNT = 1 << 13;

it('words that a link packs are given, bytes where their sender says so, and no part of a long message', async () => {
  const { channel, sent } = watched();
  const kernels = new ReferenceKernels();
  const link = new Link(channel, kernels);
  const words = wordsFrom(
    Array.from({ length: COUNT }, (_, i) => BigInt(i)),
    64,
  );
  const key = new Uint8Array(1 << 16);
  const long = new Uint8Array(Link.PART + 1);
  await link.send('words', Masked.plain('output to its owner', words));
  await link.send('key', Masked.plain('point function key', key));
  await link.send('table', Masked.plain('point function key', new Uint8Array(5)), 'given');
  await link.send('long', Masked.plain('point function key', long), 'given');
  await link.flush();
  expect(sent).toEqual([
    ['words', 8 * COUNT, 'given'],
    ['key', 1 << 16, undefined],
    ['table', 5, 'given'],
    ['long', Link.PART, undefined],
    ['long', 1, undefined],
  ]);
  expect([words.data.length, key.length, long.length]).toEqual([COUNT, 1 << 16, Link.PART + 1]);
});

it('what passes over a transcript is kept, whoever gave it', async () => {
  const { channel, sent } = watched();
  const transcript = new Transcript();
  const bytes = new Uint8Array(1 << 16).fill(3);
  await transcript.over(channel).send('12', bytes, 'given');
  expect(sent).toEqual([['12', 1 << 16, undefined]]);
  expect(transcript.message(1, 2, '12')).toEqual(new Uint8Array(1 << 16).fill(3));
});
