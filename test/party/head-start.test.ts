/** What a party begins before the daemon's code is loaded. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { headStart, openAhead } from '../../src/daemon/head-start.ts';
import { type ModelSource, loadServedModels } from '../../src/daemon/served-model.ts';
import { openModel } from '../../src/node/model.ts';
import { failure } from '../failure.ts';

const capitals = fileURLToPath(new URL('../../models/capitals-bert', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'head-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open = (path: string): ModelSource => ({ weights: 'open', model: { kind: 'folder', path } });

describe('a head start', () => {
  it('opens and hashes models of this machine, and leaves those of a hub to the daemon', async () => {
    const here = open(capitals);
    const hub: ModelSource = { weights: 'open', model: { kind: 'hub', id: 'org/name' } };
    const opened = openAhead([here, hub, { weights: 'secret', folder }]);
    expect([...opened.keys()]).toEqual([here]);
    const hash = await (await openModel({ kind: 'folder', path: capitals })).hash();
    expect(await (await opened.get(here))?.hash()).toBe(hash);
  });

  it('is used by one load: the next one reads the files again', async () => {
    const source = open(capitals);
    const { openKernels, opened, end } = headStart({ models: [source], device: 'wasm', threads: 0 });
    const { kernels, close } = await openKernels('wasm', 0);
    const ahead = await opened.get(source);
    let asked = 0;
    const counted = async () => {
      asked++;
      return (await openModel({ kind: 'folder', path: capitals })).hash();
    };
    if (ahead !== undefined) opened.set(source, Promise.resolve({ ...ahead, hash: counted }));
    const [first] = await loadServedModels(1, [source], kernels, { opened });
    expect(asked).toBe(1);
    const [second] = await loadServedModels(1, [source], kernels, { opened });
    expect(asked).toBe(1);
    expect(second.hash).toBe(first.hash);
    await end();
    // Who took the kernels closes them.
    expect(kernels.fault.failed).toBe(false);
    await close();
  });

  it('fails where the model is waited for', async () => {
    const source = open(join(folder, 'nothing'));
    const { openKernels, opened } = headStart({ models: [source], device: 'wasm', threads: 0 });
    const { kernels, close } = await openKernels('wasm', 0);
    await failure('ERR_MODEL_NOT_FOUND', () => loadServedModels(1, [source], kernels, { opened }));
    await close();
  });

  it('closes kernels that no daemon took', async () => {
    const begun = headStart({ models: [], device: 'wasm', threads: 0 });
    await begun.end();
    const { kernels } = await begun.openKernels('wasm', 0);
    expect(kernels.fault.failed).toBe(true);
  });
});
