/**
 * A cheat between two steps of a generation in `3pc_malicious`, among an owner and two daemons: the answer of the first
 * step stands, nothing follows on it, and both operators read of it in their metrics and audit logs.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordOf } from '../../src/audit/record.ts';
import type { SecurityViolationError } from '../../src/core/errors.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import type { Request } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { sending } from '../session/proved-toy.ts';
import { proofWasm } from '../support/proved.ts';
import { QUICK } from '../support/tamper.ts';
import { Parties } from './parties.ts';

const LONG = { timeout: 240_000 };
/** For what comes soon, on a busy machine. */
const PATIENT = { timeout: 20_000 };
const PROMPT = [3, 1];
/** As small as a decoder can be. */
const DECODER = {
  ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], activation_function: 'gelu_new' },
  ...{ n_embd: 4, n_layer: 1, n_head: 1, n_inner: 4, vocab_size: 5, n_positions: 4, layer_norm_epsilon: 1e-5 },
};
const folder = mkdtempSync(join(tmpdir(), 'tercet-proved-steps-'));
const proving = provingWith({ kernels: proofWasm, parameters: QUICK });
const watched: string[] = [];
let parties: Parties;

beforeAll(async () => {
  parties = await Parties.start(
    (id) => ({
      ...{ proving, audit: join(folder, String(id)), recvTimeoutMs: 120_000 },
      watch: { host: '127.0.0.1', port: 0 },
      onWatch: (url) => watched.push(url),
    }),
    DECODER,
  );
}, 60_000);
afterAll(async () => {
  await parties.stop();
  rmSync(folder, { recursive: true });
});

const request = (): Request => {
  const shape = { sequences: 1, tokens: PROMPT.length, rows: 0, padded: false, pair: false, steps: 1 };
  return { ...parties.request, protocol: '3pc_malicious', ...shape };
};

/** What party 1 or 2 has counted, by sample. */
async function counted(party: 1 | 2, sample: string): Promise<number> {
  const text = await (await fetch(`${watched[party - 1]}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  return Number(line?.slice(sample.length) ?? 0);
}
const both = async (sample: string) => [await counted(1, sample), await counted(2, sample)];

const VIOLATIONS = 'mpc_security_violations_total{code="ERR_SECURITY_VIOLATION"}';
const ANSWERED = 'mpc_sessions_total{outcome="answered"}';

/** Types of a party's records of sessions, and the codes of those that failed. */
const audited = (party: 1 | 2) =>
  readFileSync(join(folder, String(party), 'audit-000000.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => recordOf(line))
    .flatMap((record) => (record?.type === 'violation' ? [record.facts['code']] : []));

it(
  'a cheat between two steps is counted and written down by both parties, and a session that is none is not',
  LONG,
  async () => {
    // Control: two steps of an owner that follows the protocol.
    const honest = await parties.prepare({ request: request(), proving });
    await honest.run([{ inputIds: PROMPT, rows: [] }]);
    await honest.next({ tokenId: 1, position: PROMPT.length });
    await expect.poll(() => both(ANSWERED), PATIENT).toEqual([1, 1]);
    expect(await both(VIOLATIONS)).toEqual([0, 0]);
    expect([audited(1), audited(2)]).toEqual([[], []]);
    const rounds = await both('mpc_rounds_total{phase="online"}');

    // The owner begins its second step with a session of its own making.
    const cheating = await parties.prepare({
      ...{ request: request(), proving },
      change: (channel) =>
        sending(channel, (tag, bytes, send) => {
          if (tag !== 'control/step') return send(tag, bytes);
          const body = JSON.parse(new TextDecoder().decode(bytes)) as object;
          return send(tag, new TextEncoder().encode(JSON.stringify({ ...body, session: '00'.repeat(32) })));
        }),
    });
    const { logits } = await cheating.run([{ inputIds: PROMPT, rows: [] }]);
    expect(logits).toHaveLength(DECODER.vocab_size);
    const next = () => cheating.next({ tokenId: 1, position: PROMPT.length });
    await failure('ERR_SECURITY_VIOLATION', next);
    await expect.poll(() => both(VIOLATIONS), PATIENT).toEqual([1, 1]);
    expect(await both(ANSWERED)).toEqual([1, 1]);
    for (const { failures } of parties.parties) {
      const found = failures.filter(({ code }) => code === 'ERR_SECURITY_VIOLATION');
      expect(found.map((error) => (error as SecurityViolationError).phase)).toEqual(['agreement']);
    }
    await expect
      .poll(() => [audited(1), audited(2)], PATIENT)
      .toEqual([['ERR_SECURITY_VIOLATION'], ['ERR_SECURITY_VIOLATION']]);
    // Of the second step no round was done, where the first session had both.
    const after = await both('mpc_rounds_total{phase="online"}');
    for (const [i, count] of after.entries()) {
      expect(count).toBeGreaterThan(rounds[i]);
      expect(count).toBeLessThan(2 * rounds[i]);
    }
  },
);
