/** The credential of a model with secret weights: a file that stays in this tab. Shown only where it is needed. */
import type { Controller } from '../controller.ts';
import { type State, entryOf, weightsOf } from '../state.ts';
import { byId } from './dom.ts';

export function credential(controller: Controller): (now: State) => void {
  const field = byId('credential');
  const input = byId<HTMLInputElement>('credential-file');
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file !== undefined) controller.setCredential(file);
  });
  return (now) => {
    field.hidden = entryOf(now) === undefined || weightsOf(now) !== 'secret';
    input.disabled = now.slot === 'running';
  };
}
