/**
 * A data owner whose graphics device is lost in the middle of a run: the session ends at all three parties, and the
 * next run has another device.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWebGpuKernels } from '../../src/compute/kernels/webgpu/kernels.ts';
import type { NodeDevice } from '../../src/compute/kernels/webgpu/node-device.ts';
import { openOwnerLink } from '../../src/net/gateway/owner-link.ts';
import { nodeOfferer, releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { capabilitiesOf } from '../../src/owner/capabilities.ts';
import type { Environment } from '../../src/owner/environment.ts';
import { OwnerModel } from '../../src/owner/owner-model.ts';
import { Workplace } from '../cli/command.ts';
import { failure } from '../failure.ts';
import { LocalDemo } from '../support/local-demo.ts';
import { openTestDevice } from './swiftshader.ts';

const place = new Workplace();
const TEXT = 'The capital of France is [MASK].';
let demo: LocalDemo;
let deployment: string;

beforeAll(async () => {
  ({ demo, deployment } = await LocalDemo.start(place.home, ['--device', 'wasm']));
}, 60_000);

afterAll(async () => {
  await releaseWebRtc();
  await demo.stop();
  place.close();
});

describe('an owner on WebGPU', () => {
  it('loses its device while it deals: ERR_DEVICE_LOST here, a broken link at the parties; the next run answers on a new device', async () => {
    const opened: NodeDevice[] = [];
    const environment: Environment = {
      base: 'http://127.0.0.1/',
      fetch: (url, init) => fetch(url, init),
      hub: () => Promise.reject(new Error('no hub is asked here')),
      now: () => performance.now(),
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      peakMemory: () => 0,
      capabilities: () =>
        capabilitiesOf({
          gpu: undefined,
          secureContext: true,
          webrtc: true,
          workers: true,
          threads: 1,
          crossOriginIsolated: false,
        }),
      openKernels: async () => {
        const device = await openTestDevice();
        opened.push(device);
        return createWebGpuKernels(device);
      },
      openLink: ({ onFallback, ...request }) =>
        openOwnerLink({
          ...request,
          offerer: nodeOfferer(),
          onFallback: (event) => onFallback({ what: 'transport', ...event }),
        }),
    };
    let lose = true;
    const model = await OwnerModel.load(
      'capitals-bert',
      {
        deployment,
        device: 'webgpu',
        progress_callback: (event) => {
          if (!lose || event.status !== 'preprocess' || event.progress < 0.3) return;
          lose = false;
          opened[0].device.destroy();
        },
      },
      environment,
    );
    await failure('ERR_DEVICE_LOST', () => model.predict(TEXT));
    expect(opened).toHaveLength(2);
    const { predictions, cost } = await model.predict(TEXT);
    expect(predictions[0].token).toBe('paris');
    expect(cost.devices).toEqual(['webgpu', 'wasm', 'wasm']);
    expect(demo.log).toMatch(/the data owner left|ERR_PEER/);
    await model.dispose();
  });
});
