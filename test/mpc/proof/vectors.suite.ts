/**
 * Every byte of two proofs as docs/checks/malicious/proofs.py computes them, which was written from PROTOCOL §15 and
 * folds dense vectors where the engine never has any. Written by test/vectors/make_proofs.py.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { indexGroup } from '../../../src/compute/index-group.ts';
import type { ProofKernels } from '../../../src/compute/kernels/proof-types.ts';
import { tableLayout } from '../../../src/compute/kernels/table-layout.ts';
import { wordsFrom } from '../../../src/compute/ring.ts';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { Challenges } from '../../../src/mpc/proof/challenges.ts';
import type { MatrixTerm, PublicTable } from '../../../src/mpc/proof/relations.ts';
import type { ProofPlace } from '../../../src/mpc/proof/segment.ts';
import type { ProofParameters } from '../../../src/mpc/proof/soundness.ts';
import { type Statement, packTables, parties } from '../../support/proofs.ts';

type Int = number | string;
interface Half {
  readonly factors: readonly (readonly Int[])[];
  readonly index: readonly number[];
  readonly a: readonly Int[];
  readonly b: readonly Int[];
  readonly e: readonly Int[];
  readonly w: readonly Int[];
  readonly entries: readonly Int[];
  readonly choice: readonly number[];
  readonly basis: readonly Int[];
}
interface Relation {
  readonly kind: 'matrix' | 'table' | 'choice';
  readonly k: number;
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly xorBits: number;
  readonly n: number;
  readonly widths: readonly number[];
  readonly elements: number;
  readonly terms: readonly (MatrixTerm | number)[];
  readonly id: string;
  readonly functions: readonly (readonly (readonly Int[])[])[];
  readonly factorBits: number;
  readonly v: Half;
  readonly w: Half;
}
interface Vectors {
  readonly session: string;
  readonly proof: 0 | 1 | 2;
  readonly segment: number;
  readonly parameters: ProofParameters;
  readonly keys: Readonly<Record<'vw' | 'pv' | 'pw', string>>;
  readonly relations: readonly Relation[];
  readonly primesDrawn: readonly string[];
  readonly seeds: readonly string[];
  readonly statement: string;
  readonly messages: readonly string[];
}

const CASES = JSON.parse(
  readFileSync(new URL('../../vectors/proofs.json', import.meta.url), 'utf8'),
) as readonly Vectors[];

const big = (values: readonly Int[]): bigint[] => values.map(BigInt);
const ring = (values: readonly Int[], k: number) => wordsFrom(big(values), k);

function statement(rel: Relation): Statement {
  const { v, w, k } = rel;
  if (rel.kind === 'matrix') {
    const half = (of: Half, linear: readonly Int[]) =>
      ({ kind: 'matrix', linear: ring(linear, k), factors: of.factors.map((f) => ring(f, k)) }) as const;
    return {
      shape: { ...rel, kind: 'matrix', message: 'matrix', terms: rel.terms as MatrixTerm[] },
      whole: { v: half(v, v.a), w: half(w, w.b) },
    };
  }
  if (rel.kind === 'choice') {
    const layout = tableLayout(rel.n, k, rel.widths);
    return {
      shape: { kind: 'choice', message: 'choice', elements: rel.elements, layout },
      whole: {
        v: {
          kind: 'choice',
          entries: { kind: 'packed', bytes: packTables(layout, rel.elements, big(v.entries)) },
          linear: ring(v.a, k),
        },
        w: { kind: 'choice', choice: wordsFrom(w.choice, 32), basis: ring(w.basis, k), linear: ring(w.b, k) },
      },
    };
  }
  const layout = tableLayout(rel.n, Math.max(...rel.widths), rel.widths);
  const group = indexGroup(rel.bits, rel.xorBits);
  const table: PublicTable = {
    id: rel.id,
    group,
    layout,
    functions: rel.functions.map(() => ({ first: 0, layout })),
    words: async (term, indices) =>
      packTables(
        layout,
        indices.length,
        Array.from(indices).flatMap((index) => big(rel.functions[term][index])),
      ),
  };
  const half = (of: Half, words: readonly Int[]) =>
    ({
      kind: 'table',
      entries: { kind: 'packed', bytes: packTables(layout, rel.elements, big(words)) },
      index: wordsFrom(of.index, Math.max(1, rel.bits + rel.xorBits)),
      // Factors of one are left out: that must not change a byte.
      factors: of.factors.map((f) => (rel.factorBits === 0 ? undefined : ring(f, rel.factorBits / 2))),
    }) as const;
  return {
    shape: { ...rel, kind: 'table', message: 'table', table, terms: rel.terms as number[] },
    whole: { v: half(v, v.e), w: half(w, w.w) },
  };
}

/** Whether kernels make those bytes, and the prover's, V's and W's parts of them agree. */
export function proofVectors(name: string, create: () => ProofKernels | Promise<ProofKernels>): void {
  describe.each(CASES.map((vectors) => [vectors.parameters.primes, vectors] as const))(
    'a proof with %d primes',
    (_, vectors) => {
      it(`is that of the other implementation, on ${name} kernels`, async () => {
        const kernels = await create();
        const { session, proof, segment: number, parameters, keys, seeds } = vectors;
        const place: ProofPlace = { session: fromHex(session), proof, segment: number };
        const { segment, prover, verifier, witness } = await parties(vectors.relations.map(statement), {
          parameters,
          place,
          kernels,
          keys: { vw: fromHex(keys.vw), pv: fromHex(keys.pv), pw: fromHex(keys.pw) },
        });
        expect(segment.stages).toBe(seeds.length - 1);
        const challenges = new Challenges(segment, kernels, (stage) => fromHex(seeds[stage]));
        expect((await challenges.primes()).map(({ q }) => `${q}`)).toEqual(vectors.primesDrawn);
        expect(toHex(witness.anchor())).toBe(seeds[0]);
        expect(toHex(await witness.statement())).toBe(vectors.statement);
        prover.anchor(witness.anchor());
        await verifier.witness(await witness.statement());
        let seed = verifier.begin();
        for (const [i, expected] of vectors.messages.entries()) {
          expect(toHex(seed)).toBe(seeds[i + 1]);
          const message = await prover.answer(seed);
          expect(toHex(message), `message ${i}`).toBe(expected);
          expect(message.length).toBe(segment.messageBytes[i]);
          seed = await verifier.answer(message);
        }
        prover.verdict(seed);
        witness.verdict(seed);
        expect(verifier.accepted).toBe(true);
        await kernels.close();
      });
    },
  );
}
