/** The task picker: what somebody wants to do, as far as the deployment serves a model for it. */
import type { Controller } from '../controller.ts';
import { JOBS, TASKS } from '../copy.ts';
import type { State } from '../state.ts';
import { modelTask } from '../form.ts';
import { byId, el, radio } from './dom.ts';

export function tasks(controller: Controller): (now: State) => void {
  const choices = JOBS.map((job) => ({ job, ...choice(job, TASKS[job].long, TASKS[job].short) }));
  for (const { job, input } of choices) input.addEventListener('change', () => controller.setTask(job));
  byId('tasks').append(...choices.map(({ label }) => label));
  return (now) => {
    for (const { job, label, input } of choices) {
      label.hidden =
        now.deployment === undefined
          ? job !== now.task
          : !now.deployment.entries.some((entry) => entry.task === modelTask(job));
      input.checked = job === now.task;
      input.disabled = now.slot === 'running';
    }
  };
}

function choice(
  job: string,
  long: string,
  short: string,
): { readonly label: HTMLLabelElement; readonly input: HTMLInputElement } {
  const input = radio('task', job, false);
  // A screen reader gets the long name; the eye gets the one that fits.
  input.setAttribute('aria-label', long);
  const name = el('span', '', el('span', 'long', long), el('span', 'short', short));
  return { label: el('label', '', input, name), input };
}
