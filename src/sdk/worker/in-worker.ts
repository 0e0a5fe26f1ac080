/** A model whose party runs in the worker that asks for it. */
import { workerEnvironment } from '../browser/environment.ts';
import { OwnerModel } from '../../owner/owner-model.ts';
import type { Model, PretrainedOptions } from '../../owner/types/index.ts';

export function loadHere(id: string, { page, ...options }: PretrainedOptions): Promise<Model> {
  return OwnerModel.load(id, options, workerEnvironment(location.href, page));
}
