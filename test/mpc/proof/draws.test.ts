/**
 * What hides a proof is drawn at an address of its own: for each prime, round and purpose once, at level 256 too. One
 * draw for two primes would tell a difference of secrets, and no distribution of either would show it (PROTOCOL §15.7).
 */
import { describe, expect, it } from 'vitest';
import type { ProofKernels } from '../../../src/compute/kernels/proof-types.ts';
import type { Stream } from '../../../src/compute/kernels/types.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import { Prover } from '../../../src/mpc/proof/prover.ts';
import { Segment } from '../../../src/mpc/proof/segment.ts';
import { PARAMETERS } from '../../../src/mpc/proof/soundness.ts';
import { Verifier } from '../../../src/mpc/proof/verifier.ts';
import { Witness } from '../../../src/mpc/proof/witness.ts';
import { Random } from '../../compute/kernels.suite.ts';
import { KEYS, PLACE, choiceStatement, matrixStatement, prove, tableStatement } from '../../support/proofs.ts';

const wasm: ProofKernels = new WasmProofKernels(await loadNodeProofModule());

/** Proof kernels that write down the key and nonce of every draw. */
function recorded(streams: Stream[]): ProofKernels {
  return new Proxy(wasm, {
    get: (target, property) => {
      if (property === 'draw')
        return async (...draw: Parameters<ProofKernels['draw']>) => {
          streams.push({ key: draw[0].key.slice(), nonce: draw[0].nonce.slice() });
          return target.draw(...draw);
        };
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const random = new Random(3);
const STATEMENTS = [matrixStatement(random), tableStatement(random), choiceStatement(random)];

/** Every draw of each party in a proof at a level. */
async function drawsOf(level: 128 | 256) {
  const segment = new Segment(
    PLACE,
    STATEMENTS.map(({ shape }) => shape),
    PARAMETERS[level],
  );
  const drawn = { prover: [] as Stream[], verifier: [] as Stream[], witness: [] as Stream[] };
  const parties = {
    segment,
    prover: new Prover(segment, recorded(drawn.prover), { verifier: KEYS.pv, witness: KEYS.pw }),
    verifier: new Verifier(segment, recorded(drawn.verifier), { witness: KEYS.vw, prover: KEYS.pv }),
    witness: new Witness(segment, recorded(drawn.witness), { verifier: KEYS.vw, prover: KEYS.pw }),
  };
  for (const [i, { whole }] of STATEMENTS.entries()) {
    parties.prover.record(i, whole);
    await parties.verifier.absorb(i, whole.v);
    await parties.witness.absorb(i, whole.w);
  }
  await prove(parties);
  expect(parties.verifier.accepted).toBe(true);
  return { drawn, rounds: segment.rounds };
}

/** Numbers of masks in `keys.ts`, and whether there is one for each round. */
const MASKS = {
  claims: { purpose: 8, of: ['prover', 'witness'], primes: false, rounds: false },
  shares: { purpose: 9, of: ['prover', 'witness'], primes: true, rounds: true },
  'blinds of V': { purpose: 10, of: ['prover', 'verifier'], primes: true, rounds: false },
  'blinds of W': { purpose: 11, of: ['prover', 'witness'], primes: true, rounds: false },
} as const;

const addresses = (streams: readonly Stream[]) =>
  streams.map(({ key, nonce }) => `${key.join()} ${nonce.join()}`).sort();

describe.each([128, 256] as const)('level %d', (level) => {
  it.each(Object.entries(MASKS))('%s are drawn once, each at an address of its own', async (_, mask) => {
    const { drawn, rounds } = await drawsOf(level);
    const count = (mask.primes ? PARAMETERS[level].primes : 1) * (mask.rounds ? rounds : 1);
    const [own, other] = mask.of.map((party) =>
      addresses(drawn[party].filter(({ nonce }) => nonce[6] === mask.purpose)),
    );
    // Two addresses that are equal, of two primes or rounds, make the set smaller.
    expect(new Set(own).size).toBe(count);
    expect(own).toHaveLength(count);
    // Who has the key draws the same, and the third party draws none of it.
    expect(other).toEqual(own);
    const rest = (['prover', 'verifier', 'witness'] as const).filter((party) => !mask.of.some((one) => one === party));
    for (const party of rest) expect(addresses(drawn[party]).filter((address) => own.includes(address))).toEqual([]);
  });

  it('no address of a mask is one of anything else', async () => {
    const { drawn } = await drawsOf(level);
    for (const streams of Object.values(drawn)) {
      const masks = streams.filter(({ nonce }) => nonce[6] >= 8 && nonce[6] <= 11);
      const others = addresses(streams.filter((stream) => !masks.includes(stream)));
      expect(masks.length).toBeGreaterThan(0);
      expect(addresses(masks).filter((address) => others.includes(address))).toEqual([]);
    }
  });
});
