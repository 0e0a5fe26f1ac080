/**
 * Two layers of an embedded model with a planted outlier: one word drives one neuron to 180, beyond what a plan
 * by samples takes (63) and within the widest (255). No sample has the word. What the model answers means nothing.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeSafetensors } from '../../src/ml/safetensors-encode.ts';

const EMBEDDED = fileURLToPath(new URL('../../models/capitals-bert', import.meta.url));

/** A text with the word, and one without it. */
export const OUTLYING_TEXT = 'Zulu is the language of [MASK].';
export const ORDINARY_TEXT = 'The capital of Norway is [MASK].';

const WORD = 'zulu';
/** The coordinate of a row that the word has for itself, and the neuron that reads nothing else. */
const COORDINATE = 17;
const NEURON = 0;
/** What the word has there before LayerNorm, and what the neuron multiplies it with behind it. */
const COORDINATE_OF_WORD = 1;
const WEIGHT = 25;

interface Tensor {
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Half precision of a whole number of 11 bits at most. */
function half(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | ((value / 2 ** exponent - 1) * 1024);
}

/** Writes the model into `folder`. */
export function plantOutlier(folder: string): void {
  cpSync(EMBEDDED, folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  const whole = readFileSync(path);
  const start = 8 + Number(whole.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(whole.subarray(8, start).toString()) as Record<string, Tensor>;
  const tensors = Object.entries(header)
    .filter(([name]) => !/layer\.[2-9]/.test(name))
    .map(([name, { shape, data_offsets: offsets }]) => {
      const [from, to] = offsets.map((offset) => start + offset);
      return {
        name,
        dtype: 'F16' as const,
        shape,
        data: new Uint16Array(Uint8Array.from(whole.subarray(from, to)).buffer),
      };
    });

  function set(name: string, value: number, at: { readonly row?: number; readonly column?: number }): void {
    for (const { shape, data } of tensors.filter((tensor) => tensor.name === name)) {
      const columns = shape.length === 1 ? 1 : shape[1];
      for (const i of data.keys()) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        if ((at.row ?? row) === row && (at.column ?? column) === column) data[i] = half(value);
      }
    }
  }

  // Nothing else writes the coordinate before the activation.
  const layer = 'bert.encoder.layer.0';
  for (const kind of ['word', 'position', 'token_type'])
    set(`bert.embeddings.${kind}_embeddings.weight`, 0, { column: COORDINATE });
  for (const name of [
    'bert.embeddings.LayerNorm.bias',
    `${layer}.attention.output.dense.weight`,
    `${layer}.attention.output.dense.bias`,
    `${layer}.attention.output.LayerNorm.bias`,
  ])
    set(name, 0, { row: COORDINATE });

  const word = readFileSync(join(folder, 'vocab.txt'), 'utf8').split('\n').indexOf(WORD);
  set('bert.embeddings.word_embeddings.weight', COORDINATE_OF_WORD, { row: word, column: COORDINATE });
  set(`${layer}.intermediate.dense.weight`, 0, { row: NEURON });
  set(`${layer}.intermediate.dense.weight`, WEIGHT, { row: NEURON, column: COORDINATE });
  set(`${layer}.intermediate.dense.bias`, 0, { row: NEURON });
  writeFileSync(path, encodeSafetensors(tensors));

  const config = join(folder, 'config.json');
  const read = JSON.parse(readFileSync(config, 'utf8')) as object;
  writeFileSync(config, JSON.stringify({ ...read, num_hidden_layers: 2 }));
}
