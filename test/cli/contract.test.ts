/**
 * `tercet infer --json`: the contract that scripts and benchmarks rely on (docs/ARCHITECTURE.md), end to end among
 * three processes.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { RunProofs } from '../../src/owner/types/index.ts';
import { type Ended, TINY, Workplace, expectNoWordOf, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());

const FRANCE = 'The capital of France is [MASK].';
const TIMEOUT = 90_000;

interface Bytes {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

interface Prediction {
  readonly token: string;
  readonly score: number;
}

interface Answer {
  readonly predictions?: readonly Prediction[];
  readonly masks?: readonly { readonly predictions: readonly Prediction[] }[];
  readonly labels?: readonly { readonly label: string; readonly score: number }[];
}

interface Contract {
  readonly result: Answer;
  readonly tokens: number;
  readonly weights: string;
  readonly plaintext?: { readonly maxAbsLogitError: number; readonly argmaxEqual: boolean; readonly result: Answer };
  readonly proofs?: RunProofs;
  readonly cost: {
    readonly p0: Bytes & { readonly onlineRounds: number };
    readonly p1: Bytes;
    readonly p2: Bytes;
    readonly rounds: number;
  };
}

/** One JSON object and a line feed on stdout, nothing on stderr. */
function parse(ended: Ended, protocol?: 'aby3'): Contract {
  expectSuccess(ended);
  expect(ended.stderr).toBe('');
  expect(ended.stdout).toMatch(/^\{[^\n]*\}\n$/);
  const json = JSON.parse(ended.stdout) as Contract;
  expectContract(json, protocol);
  return json;
}

const BYTES = { sentBytes: expect.toSatisfy(count), receivedBytes: expect.toSatisfy(count) };

function count(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function duration(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 120_000;
}

function expectContract(json: Contract, protocol?: 'aby3'): void {
  // With symmetric products the owner answers in the rounds.
  const onlineRounds =
    protocol === undefined ? 1 : expect.toSatisfy((rounds: unknown) => count(rounds) && rounds !== 1);
  expect(json).toMatchObject({
    protocol: protocol ?? (json.proofs === undefined ? '3pc_semi_honest' : '3pc_malicious'),
    ringBits: 64,
    fracBits: 16,
    cost: { p0: { ...BYTES, onlineRounds }, p1: BYTES, p2: BYTES, rounds: expect.toSatisfy(count) },
    timing: {
      setupMs: expect.toSatisfy(duration),
      preprocessMs: expect.toSatisfy(duration),
      onlineMs: expect.toSatisfy(duration),
      totalMs: expect.toSatisfy(duration),
    },
    // A process of Node.js takes 30 MB before it does anything.
    memory: Object.fromEntries(
      ['p0PeakBytes', 'p1PeakBytes', 'p2PeakBytes'].map((key) => [
        key,
        expect.toSatisfy((n: number) => n > 30e6 && n < 8e9),
      ]),
    ),
    devices: { p0: 'wasm', p1: 'wasm', p2: 'wasm' },
  });
  expect(Object.keys(json).filter((key) => key !== 'plaintext' && key !== 'proofs')).toEqual([
    ...[
      'task',
      'model',
      'protocol',
      'weights',
      'ringBits',
      'fracBits',
      'tokens',
      'result',
      'cost',
      'timing',
      'memory',
      'devices',
    ],
  ]);
  const { timing } = json as unknown as { timing: Record<string, number> };
  expect(timing['setupMs'] + timing['preprocessMs'] + timing['onlineMs']).toBeLessThan(timing['totalMs'] + 1000);
  expectBytesConserved(json);
}

/**
 * What one party sent, the others received. The totals differ by the two reports at the very end alone: each is
 * written before it is sent, and the owner counts after both have come.
 */
function expectBytesConserved({ cost: { p0, p1, p2 } }: Contract): void {
  const reports = p0.receivedBytes + p1.receivedBytes + p2.receivedBytes - p0.sentBytes - p1.sentBytes - p2.sentBytes;
  expect(reports).toBeGreaterThan(2 * (28 + 'control/report'.length));
  expect(reports).toBeLessThan(8_000);
  // The owner's bytes go to both compute parties and nowhere else, and P1's bulk goes to P2.
  expect(p0.sentBytes).toBeLessThan(p1.receivedBytes + p2.receivedBytes);
  expect(p1.sentBytes).toBeLessThanOrEqual(p2.receivedBytes + p0.receivedBytes);
  expect(p2.sentBytes).toBeLessThanOrEqual(p1.receivedBytes + p0.receivedBytes);
}

function expectScores(list: readonly { readonly score: number }[]): void {
  const scores = list.map(({ score }) => score);
  expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  expect(scores.reduce((a, b) => a + b)).toBeLessThanOrEqual(1 + 1e-9);
}

describe('the JSON contract', () => {
  it(
    'answers fill-mask with every documented key, and no compute party is told the text',
    async () => {
      const ended = await place.run(['infer', '--text', FRANCE, '--compare', '--json']);
      const json = parse(ended);
      expect(json).toMatchObject({ task: 'fill-mask', model: 'capitals-bert', weights: 'open', tokens: 9 });
      expect(json.result.predictions).toHaveLength(5);
      expect(json.result.predictions?.[0].token).toBe('paris');
      expectScores(json.result.predictions ?? []);
      expect(json.plaintext).toMatchObject({
        argmaxEqual: true,
        result: { predictions: [{ token: 'paris' }, {}, {}, {}, {}] },
      });
      expect(json.plaintext?.result.predictions?.[0].score).toBeCloseTo(json.result.predictions?.[0].score ?? 0, 2);
      expect(json.plaintext?.maxAbsLogitError).toBeGreaterThan(0);
      expect(json.plaintext?.maxAbsLogitError).toBeLessThan(0.05);
      const parties = ended.run.started().filter(({ argv }) => argv[0] === 'party');
      expect(parties).toHaveLength(2);
      for (const { argv } of parties) expectNoWordOf('France', argv.join(' '));
    },
    TIMEOUT,
  );

  it(
    'gives the same answer with secret weights, and removes the shares',
    async () => {
      const json = parse(await place.run(['infer', '--text', FRANCE, '--weights', 'secret', '--compare', '--json']));
      expect(json.weights).toBe('secret');
      expect(json.result.predictions?.[0].token).toBe('paris');
      expect(json.plaintext?.argmaxEqual).toBe(true);
      expect(json.plaintext?.maxAbsLogitError).toBeLessThan(0.05);
    },
    TIMEOUT,
  );

  it(
    'classifies with the labels of the model, and opens nothing in the clear without --compare',
    async () => {
      const json = parse(
        await place.run(['infer', '--task', 'text-classification', '--text', 'A warm, funny film.', '--json']),
      );
      expect(json).toMatchObject({ task: 'text-classification', model: 'sst2-bert' });
      expect(json.plaintext).toBeUndefined();
      expect(json.result.labels?.map(({ label }) => label)).toEqual(['POSITIVE', 'NEGATIVE']);
      expectScores(json.result.labels ?? []);
      expect(json.result.labels?.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
    },
    TIMEOUT,
  );

  it(
    'lists no more classes than --top-k asks for',
    async () => {
      const args = [
        'infer',
        '--task',
        'text-classification',
        '--text',
        'A dull, endless film.',
        '--top-k',
        '1',
        '--compare',
        '--json',
      ];
      const json = parse(await place.run(args));
      expect(json.result.labels?.map(({ label }) => label)).toEqual(['NEGATIVE']);
      expect(json.plaintext).toMatchObject({ argmaxEqual: true, result: { labels: [{ label: 'NEGATIVE' }] } });
    },
    TIMEOUT,
  );
});

describe('where the text may come from', () => {
  it(
    'a pipe of the shell; with two masks and --top-k',
    async () => {
      const file = place.write(
        'two-masks.txt',
        'The capital of France is [MASK] and the capital of Spain is [MASK].\n',
      );
      const json = parse(
        await place.run(['infer', '--text-file', '-', '--top-k', '2', '--compare', '--json'], { pipe: file }),
      );
      expect(json.result.predictions).toBeUndefined();
      expect(json.result.masks?.map(({ predictions }) => predictions.length)).toEqual([2, 2]);
      const first = ({ masks }: Answer) => masks?.map(({ predictions }) => predictions[0].token);
      expect(json.plaintext && first(json.plaintext.result)).toEqual(first(json.result));
      expect(json.plaintext).toMatchObject({ argmaxEqual: true });
      for (const { predictions } of json.result.masks ?? []) expectScores(predictions);
    },
    TIMEOUT,
  );

  it(
    'a pipe of a program (a socket); with --threads 0',
    async () => {
      const json = parse(await place.run(['infer', '--text-file', '-', '--threads', '0', '--json'], { input: FRANCE }));
      expect(json.tokens).toBe(9);
      expect(json.result.predictions?.[0].token).toBe('paris');
    },
    TIMEOUT,
  );

  it(
    'a file with a byte order mark and a line end of Windows; with --profile lan',
    async () => {
      const file = place.write('windows.txt', `\ufeff${FRANCE}\r\n`);
      const json = parse(await place.run(['infer', '--text-file', file, '--profile', 'lan', '--json']));
      expect(json.tokens).toBe(9);
      expect(json.result.predictions?.[0].token).toBe('paris');
    },
    TIMEOUT,
  );

  it(
    'a file of 10,000 characters with tabs and line breaks, of which all but nine tokens are white space',
    async () => {
      const file = place.write('long.txt', `${FRANCE.padEnd(9_999, ' \t\n')}.`);
      const json = parse(await place.run(['infer', '--text-file', file, '--json']));
      expect(json.tokens).toBe(10);
    },
    TIMEOUT,
  );
});

describe('messages that are proved', () => {
  // Open weights: test/cli/credentials.test.ts.
  it.each(['3pc_malicious', 'aby3'] as const)(
    '%s, secret weights: the answer is that of the model, and says who proved what to whom',
    async (protocol) => {
      const config = place.write('proved.json', JSON.stringify(TINY));
      const run = ['--random-weights', '7', '--architecture', config, '--tokens', '4', '--compare', '--json'];
      const proved = [...run, '--weights', 'secret', '--protocol', protocol];
      const ended = await place.run(['infer', ...proved], { timeoutMs: TIMEOUT });
      const json = parse(ended, protocol === 'aby3' ? protocol : undefined);
      expect(json.plaintext?.maxAbsLogitError).toBeLessThan(0.05);
      expect(json.weights).toBe('secret');
      const { provers = [], soundness, ms, bytes } = json.proofs ?? {};
      expect(provers.map(({ prover }) => prover)).toEqual([0, 1, 2]);
      for (const { messages, segments, verifiers, prover } of provers) {
        expect(messages).toBeGreaterThan(10);
        expect(segments).toBe(1);
        expect([prover, ...verifiers].sort()).toEqual([0, 1, 2]);
      }
      expect(bytes).toBeGreaterThan(100_000);
      expect(soundness).toBeLessThanOrEqual(-46);
      expect(ms?.every((each) => each > 0)).toBe(true);
    },
    TIMEOUT,
  );
});

describe('random weights', () => {
  it(
    'run an architecture at a given length, without an answer to show',
    async () => {
      const config = place.write('config.json', JSON.stringify({ ...TINY, max_position_embeddings: 128 }));
      const json = parse(
        await place.run([
          'infer',
          '--random-weights',
          '7',
          '--architecture',
          config,
          '--tokens',
          '128',
          '--compare',
          '--json',
        ]),
      );
      expect(json).toMatchObject({ model: 'random-7', tokens: 128, result: {} });
      expect(json.plaintext?.maxAbsLogitError).toBeLessThan(0.05);
    },
    TIMEOUT,
  );
});
