/**
 * The code of an error decides its class: here, and behind a port that clones what it carries. And what a caller does
 * with one: half of the batch, where a device has not the memory for the whole.
 */
import { describe, expect, it } from 'vitest';
import {
  ERROR_CODES,
  type ErrorCode,
  GpuOutOfMemoryError,
  InputError,
  NetworkError,
  NetworkTimeoutError,
  SecurityViolationError,
  TercetError,
} from '../../src/core/errors.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { memoryError } from '../../src/compute/kernels/webgpu/fault.ts';
import type { BatchResult } from '../../src/owner/types/index.ts';
import * as node from '../../src/sdk/node.ts';
import * as page from '../../src/sdk/index.ts';
import { fromEnvelope, toEnvelope } from '../../src/sdk/worker/result-envelope.ts';
import { memorySite } from '../sdk/memory-site.ts';

const CLASSES = { GpuOutOfMemoryError, NetworkTimeoutError, NetworkError, InputError, SecurityViolationError };
const namesOf = (error: unknown) =>
  Object.entries(CLASSES).flatMap(([name, type]) => (error instanceof (type as typeof TercetError) ? [name] : []));
const made = (code: ErrorCode) => new TercetError(code, 'what', 'hint', { party: 2 });

/** As a page gets it from its worker: through a structured clone. */
const behindPort = async (error: Error): Promise<unknown> => {
  const envelope = structuredClone(await toEnvelope(() => Promise.reject(error)));
  try {
    return fromEnvelope(envelope);
  } catch (thrown) {
    return thrown;
  }
};

const EXPECTED: readonly (readonly [ErrorCode, readonly string[]])[] = [
  ['ERR_DEVICE_MEMORY', ['GpuOutOfMemoryError']],
  ['ERR_PEER_TIMEOUT', ['NetworkTimeoutError', 'NetworkError']],
  ['ERR_PEER_UNREACHABLE', ['NetworkError']],
  ['ERR_DOWNLOAD', ['NetworkError']],
  ['ERR_NO_MASK', ['InputError']],
  ['ERR_TEXT_TOO_LONG', ['InputError']],
  ['ERR_IDENTITY_KEY', ['SecurityViolationError']],
  ['ERR_FRAME_TAG', ['SecurityViolationError']],
  ['ERR_INTEGRITY', ['SecurityViolationError']],
  ['ERR_ARGUMENT', []],
  ['ERR_DEVICE_LOST', []],
  ['ERR_PEER_BUSY', []],
];

describe('a class of errors', () => {
  it.each(EXPECTED)('%s is %j, here and behind a port', async (code, names) => {
    for (const error of [made(code), await behindPort(made(code))]) {
      expect(error).toBeInstanceOf(TercetError);
      expect(namesOf(error)).toEqual(names);
      expect(error).toMatchObject({ code, message: 'what', hint: 'hint', party: 2, name: names[0] ?? 'TercetError' });
    }
  });

  it('is at most one for each code, and its name is in the stack', () => {
    for (const code of ERROR_CODES) {
      const error = made(code);
      expect(namesOf(error).filter((name) => name !== 'NetworkError' || error.name === name).length, code).toBeLessThan(
        2,
      );
      expect(error.line()).toBe(`tercet: ${code}: what — hint`);
    }
  });

  it('keeps where a party was caught', async () => {
    const behind = await behindPort(new SecurityViolationError('proof', 1));
    expect(behind).toBeInstanceOf(SecurityViolationError);
    expect(behind).toMatchObject({ code: 'ERR_SECURITY_VIOLATION', phase: 'proof', party: 1 });
    expect((made('ERR_IDENTITY_KEY') as SecurityViolationError).phase).toBeUndefined();
  });

  it('is the same in the page and in Node', () => {
    const known = { ...CLASSES, TercetError };
    expect(node).toMatchObject(known);
    expect(page).toMatchObject(known);
  });
});

describe('a device without the memory for a batch', () => {
  it('fails that run with GpuOutOfMemoryError, and the half of it answers', async () => {
    /** Has room for the longest vector of one text, once it has seen one. */
    class Small extends ReferenceKernels {
      most = 0;
      full = false;
      override async draw(...[stream, k, count, first]: Parameters<ReferenceKernels['draw']>) {
        if (this.full && count > this.most) throw memoryError('the buffer is larger than the device takes');
        this.most = Math.max(this.most, count);
        return super.draw(stream, k, count, first);
      }
    }
    const kernels = new Small();
    const model = await (await memorySite('classifier')).load({}, kernels);
    const texts = ['cat sat', 'the mat'];
    const { label } = await model.classify(texts[0]);
    kernels.full = true;
    const sizes: number[] = [];
    async function classifyAll(batchSize: number): Promise<BatchResult> {
      sizes.push(batchSize);
      try {
        return await model.classifyBatch(texts, { batchSize });
      } catch (error) {
        if (!(error instanceof GpuOutOfMemoryError)) throw error;
        return classifyAll(Math.floor(batchSize / 2));
      }
    }
    const { results } = await classifyAll(2);
    expect(sizes).toEqual([2, 1]);
    expect(results).toHaveLength(2);
    expect(results[0].label).toBe(label);
    await model.dispose();
  });
});
