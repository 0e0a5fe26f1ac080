import { TercetError } from '../core/errors.ts';
export const isHubId = (name: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*(@[\w.-]+)?$/.test(name);
export async function downloadedFolder(id: string, _options: unknown): Promise<string> {
  throw new TercetError('ERR_MODEL_NOT_FOUND', `hub ${id}`, 'later');
}
