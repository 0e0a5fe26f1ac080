/** Where a model is that a program of this machine names, and the kernels that its runs share. */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TercetError } from '../../core/errors.ts';
import { defaultThreads, embeddedModels } from '../../node/defaults.ts';
import { nodeKernels } from '../../node/kernels.ts';
import type { ModelLocation } from '../../node/model.ts';
import { openTlsModel } from '../../node/tls-model.ts';
import type { TlsParties } from '../../node/tls-owner.ts';
import type { OwnerModel } from '../../owner/owner-model.ts';
import type { RunPlan } from '../../session/run-plan.ts';

/** A folder, the name of a model that ships with Tercet, or `org/name` on the hub. */
export function locationOf(name: string): ModelLocation {
  if (existsSync(name)) return { kind: 'folder', path: name };
  const embedded = embeddedModels().find((path) => basename(path) === name);
  if (embedded !== undefined) return { kind: 'folder', path: embedded };
  if (/^[\w.-]+\/[\w.-]+(@[\w.-]+)?$/.test(name)) return { kind: 'hub', id: name };
  throw new TercetError(
    'ERR_MODEL_NOT_FOUND',
    'there is no model of that name',
    `give a folder, org/name of a hub, or one of ${embeddedModels()
      .map((path) => basename(path))
      .join(', ')}`,
  );
}

/** The program that a party runs: what the package says that its command is. */
export function commandLine(): string {
  const root = new URL('../../../package.json', import.meta.url);
  const { bin } = JSON.parse(readFileSync(root, 'utf8')) as { readonly bin: { readonly tercet: string } };
  return fileURLToPath(new URL(bin.tercet, root));
}

export interface OpenTogether {
  readonly names: readonly string[];
  readonly parties: TlsParties;
  readonly device: 'auto' | 'wasm' | 'native' | 'webgpu';
  readonly plan: RunPlan;
  /** Default '3pc_semi_honest'. */
  readonly protocol?: string | undefined;
  /** Default 128. */
  readonly securityLevel?: 128 | 256 | undefined;
}

/** Models of the same parties, on kernels of their own. */
export async function openTogether({ names, parties, device, ...run }: OpenTogether): Promise<{
  readonly models: readonly OwnerModel[];
  close(): Promise<void>;
}> {
  const places = names.map(locationOf);
  const { kernels, close } = await nodeKernels(device === 'auto' ? 'wasm' : device, defaultThreads());
  const models: OwnerModel[] = [];
  const end = async () => {
    await Promise.all(models.map((model) => model.dispose()));
    await close();
  };
  try {
    for (const place of places)
      models.push(await openTlsModel(place, parties, { ...run, kernels, named: names.length > 1 }));
  } catch (error) {
    await end();
    throw error;
  }
  return { models, close: end };
}
