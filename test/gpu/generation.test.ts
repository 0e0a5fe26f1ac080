/**
 * A text that goes on, on Dawn: keys and values that are kept leave the device after every step and come back to it
 * in the next.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { createWebGpuKernels } from '../../src/compute/kernels/webgpu/kernels.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { Request } from '../../src/session/request.ts';
import { TINY_GPT2 } from '../ml/tiny-bert.ts';
import { SHAPE, prepared, servedModel } from '../session/harness.ts';
import { openTestDevice } from './swiftshader.ts';

const webgpu = await createWebGpuKernels(await openTestDevice());
afterAll(() => webgpu.close());

describe('GPT-2 on WebGPU kernels', () => {
  it('gives the logits of the float model behind a padded prompt, step by step, and leaves no vector', async () => {
    const source = randomWeights(TINY_GPT2, 9);
    const model = await servedModel(source, webgpu);
    const request: Request = {
      model: model.hash,
      protocol: '3pc_semi_honest',
      weights: 'open',
      ...SHAPE,
      tokens: 4,
      rows: 1,
      steps: 2,
    };
    const { session, ends } = await prepared({ request, model, on: webgpu });
    let known = [5, 11, 2];
    const check = async (logits: Float32Array) => {
      const want = (await runFloat(source, known, { positions: [known.length - 1] })).logits;
      expect(Math.max(...logits.map((value, i) => Math.abs(value - want[i])))).toBeLessThan(4e-3);
    };
    await check((await session.run([{ inputIds: known, rows: [2] }])).logits);
    for (const tokenId of [7, 3]) {
      const { logits } = await session.next({ tokenId, position: known.length });
      known = [...known, tokenId];
      await check(logits);
    }
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(webgpu.describe().vectors).toBe(0);
  });
});
