// A model folder of real dimensions with random weights, for parties that load what they serve from files.
import { once } from 'node:events';
import { copyFileSync, createWriteStream, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { parseModelConfig } from '../dist/ml/config.js';
import { randomWeights } from '../dist/ml/models/random.js';
import { storedTensor } from '../dist/ml/models/weight-layouts.js';
import { tensorNames } from '../dist/ml/models/weights.js';
import { safetensorsHeader } from '../dist/ml/safetensors-encode.js';

/** Writes random weights in the layout of a checkpoint, one tensor after the other. */
export async function writeModel(folder, configPath) {
  const config = parseModelConfig(JSON.parse(readFileSync(configPath, 'utf8')));
  const weights = randomWeights(config, 1);
  const names = tensorNames(config).filter((name) => !(weights.tiedDecoder && name.endsWith('.decoder')));
  const layouts = names.map((name) => {
    const { names: stored, shape } = storedTensor(config, name);
    return { name: stored[0], dtype: 'F32', shape };
  });
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, 'model.draft');
  const file = createWriteStream(draft);
  file.write(safetensorsHeader(layouts));
  for (const name of names)
    if (!file.write(new Uint8Array((await weights.tensor(name)).buffer))) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
  copyFileSync(configPath, join(folder, 'config.json'));
  renameSync(draft, join(folder, 'model.safetensors'));
}
