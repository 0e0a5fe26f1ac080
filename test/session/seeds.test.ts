/** The seeds of an owner's masks of secret weights: overwritten with the run, and not drawn from behind that. */
import { expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { OwnerSeeds } from '../../src/session/secret-parameters.ts';
import { failure } from '../failure.ts';
import { MODEL } from './harness.ts';

it('gives words of its masks until it is wiped, and an error behind that: never the masks of a seed of zeros', async () => {
  const kernels = new ReferenceKernels();
  const given = Uint8Array.from({ length: 64 }, (_, i) => i + 1);
  const seeds = new OwnerSeeds(MODEL.config, given.slice());
  const zeros = new OwnerSeeds(MODEL.config, new Uint8Array(64));
  const [parameter] = listParameters(MODEL.config);
  const before = await seeds.words(kernels, parameter, 'l1', [0]);
  expect(before).not.toEqual(await zeros.words(kernels, parameter, 'l1', [0]));
  const stream = seeds.maskStream(parameter, 'l2');
  expect(stream.key).toEqual(given.slice(32));
  seeds.wipe();
  for (const part of ['l1', 'l2', 'l1+l2'] as const)
    for (const rows of [undefined, [0], [0, 2]])
      await failure('ERR_STATE', () => seeds.words(kernels, parameter, part, rows));
  // A stream that was given out before ends with the seeds.
  await failure('ERR_STATE', async () => stream.key);
});
