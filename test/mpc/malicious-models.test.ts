/**
 * The embedded models under complete sharing, in process, a text each: every architecture as it was trained, near the
 * float model, and inside its ranges. The last one goes on from keys and values that the parties kept.
 */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { decodeFixed } from '../../src/compute/fixed-point.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import type { Words } from '../../src/compute/ring.ts';
import type { ModelConfig } from '../../src/ml/config.ts';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { LOGITS, type ModelRun, OUTPUT_FORM, OUTSIDE } from '../../src/ml/models/run.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { loadTokenizer } from '../../src/ml/tokenizers/tokenizer.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import type { Inputs } from '../../src/mpc/protocol/types.ts';
import { openModel } from '../../src/node/model.ts';
import { ownerInputs, stepInputs } from '../../src/session/inputs.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { type Simulation, noParameters, simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
/** Of a logit, against the float model. */
const LOGIT_ERROR = 0.02;

async function opened(name: string) {
  const path = fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
  const model = await openModel({ kind: 'folder', path });
  const source = await model.weights();
  const tokenizer = await loadTokenizer(model.files as NonNullable<typeof model.files>);
  const view = await OpenParameters.load(source, wasm);
  return { source, tokenizer, view, plan: await modelPlan(source, COMPLETE_ROUNDING) };
}

type Opened = Awaited<ReturnType<typeof opened>>;

function shapeOf(config: ModelConfig, tokens: number, steps: number) {
  return { sequences: 1, tokens, rows: config.head === 'masked-lm' ? 1 : 0, padded: false, pair: false, steps };
}

function perform(
  { view }: Opened,
  run: ModelRun,
  step: number,
  inputs: Inputs,
  before?: Simulation,
): Promise<Simulation> {
  return simulate((g) => buildModel(g, run, step), inputs, {
    sharing: 'complete',
    kernels: () => wasm,
    parameters: (id) => (id === 0 ? noParameters : view),
    seed: 12 + step,
    ...(before === undefined ? {} : { kept: (id) => before.engines[id].kept }),
  });
}

function worst({ outputs }: Simulation, want: ArrayLike<number>): number {
  expect(Number(outputs.get(OUTSIDE)?.data[0] ?? 0), 'every value is inside its range').toBe(0);
  const got = decodeFixed(outputs.get(LOGITS) as Words, OUTPUT_FORM.open.scale);
  expect(got.length).toBe(want.length);
  const error = got.reduce((most, v, i) => Math.max(most, Math.abs(v - want[i])), 0);
  if (process.env['MEASURE'] !== undefined) console.log(`largest logit error ${error.toExponential(2)}`);
  return error;
}

it.each([
  ['capitals-bert', 'The capital of France is [MASK].'],
  ['sst2-bert', 'A warm, funny film.'],
  ['squad-distilbert', 'Who designed it? Gustave Eiffel did.'],
  ['wnut-roberta', 'Angela Merkel met Obama in Berlin.'],
])(`%s: logits within ${LOGIT_ERROR} of float`, async (name, text) => {
  const model = await opened(name);
  const { source, tokenizer, plan } = model;
  const { config } = source;
  const { ids } = tokenizer.encode(text, { allowMask: config.head === 'masked-lm' });
  const inputIds = [...ids];
  const rows = config.head === 'masked-lm' ? [inputIds.indexOf(tokenizer.maskTokenId as number)] : [];
  const shape = shapeOf(config, inputIds.length, 0);
  const result = await perform(model, { ...shape, config, plan }, 0, ownerInputs([{ inputIds, rows }], shape, config));
  const want = await runFloat(source, inputIds, rows.length > 0 ? { positions: rows } : {});
  expect(worst(result, want.logits)).toBeLessThan(LOGIT_ERROR);
});

it(`tiny-gpt2, a prompt and the token behind it on kept keys and values: logits within ${LOGIT_ERROR} of float`, async () => {
  const model = await opened('tiny-gpt2');
  const { source, tokenizer, plan } = model;
  const { config } = source;
  const inputIds = [...tokenizer.encode('The king said', { allowMask: false }).ids];
  const shape = shapeOf(config, inputIds.length, 1);
  const run = { ...shape, config, plan };
  const prompt = await perform(model, run, 0, ownerInputs([{ inputIds, rows: [] }], shape, config));
  const last = { positions: [inputIds.length - 1] };
  expect(worst(prompt, (await runFloat(source, inputIds, last)).logits)).toBeLessThan(LOGIT_ERROR);
  const tokenId = 17;
  const step = await perform(
    model,
    run,
    1,
    stepInputs({ tokenId, position: inputIds.length }, shape, inputIds.length, 1),
    prompt,
  );
  const longer = [...inputIds, tokenId];
  expect(worst(step, (await runFloat(source, longer, { positions: [inputIds.length] })).logits)).toBeLessThan(
    LOGIT_ERROR,
  );
});
