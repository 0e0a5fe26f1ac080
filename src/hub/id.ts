/**
 * Names of models on a hub: `org/name`, with `@revision` for another than the main one. Names come from users and
 * configurations, so they are checked strictly.
 */
import { TercetError } from '../core/errors.ts';

export interface HubId {
  /** `org/name`. */
  readonly repository: string;
  /** Branch, tag or commit; `refs/pr/1` for a proposed change. */
  readonly revision: string;
}

const PART = /^[A-Za-z0-9][\w.-]{0,95}$/;
const REVISION = /^(?=.{1,100}$)[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*$/;

function parse(text: string): HubId | undefined {
  const [repository, revision = 'main', ...rest] = text.split('@');
  const parts = repository.split('/');
  const plain = (part: string) =>
    PART.test(part) && !part.includes('..') && !part.includes('--') && !part.endsWith('.');
  if (
    rest.length > 0 ||
    parts.length !== 2 ||
    !parts.every(plain) ||
    !REVISION.test(revision) ||
    revision.includes('..')
  )
    return undefined;
  return { repository, revision };
}

/** Whether a revision names what never changes: a whole commit. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/**
 * Whether a name can be that of a model on a hub. A folder of that name may exist as well: the caller decides which
 * is meant.
 */
export function isHubId(name: string): boolean {
  return parse(name) !== undefined;
}

/** @throws {TercetError} ERR_ARGUMENT */
export function parseHubId(name: string): HubId {
  const id = parse(name);
  if (id === undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      'that is not the name of a model on a hub',
      'give org/name, or org/name@revision',
    );
  return id;
}
