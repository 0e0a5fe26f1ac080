/** The form: task, text, examples, button. The button keeps its place and its focus while it turns from Run into Stop. */
import type { Controller } from '../controller.ts';
import { BLANK, TASKS } from '../copy.ts';
import { explain, failureOf } from '../errors.ts';
import { type State, entryOf, operatorsOf } from '../state.ts';
import type { Store } from '../store.ts';
import { button, byId, el, radio, reducedMotion, setAttribute } from './dom.ts';

/** A second click this soon after Run is a double click, not Stop. */
const DOUBLE_CLICK_MS = 400;

export function ask(store: Store, controller: Controller): (now: State, before: State) => void {
  const text = byId<HTMLTextAreaElement>('text');
  const run = byId<HTMLButtonElement>('run');
  const problem = byId('text-problem');
  const choices = new Map(TASKS.map(({ task, long, short }) => [task, choice(task, long, short)]));
  byId('tasks').append(...[...choices.values()].map(({ label }) => label));

  for (const [task, { input }] of choices) input.addEventListener('change', () => controller.setTask(task));
  text.addEventListener('input', () => controller.setText(text.value));
  let pressedAt = Number.NEGATIVE_INFINITY;
  const press = async (): Promise<void> => {
    if (store.state.slot === 'running') {
      if (performance.now() - pressedAt > DOUBLE_CLICK_MS) controller.stop();
      return;
    }
    pressedAt = performance.now();
    await controller.run();
    if (store.state.nagging) text.focus();
  };
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    void press();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (store.state.slot !== 'running') void press();
  });
  const addBlank = byId<HTMLButtonElement>('add-blank');
  addBlank.addEventListener('click', () => {
    text.setRangeText(BLANK, text.selectionStart, text.selectionEnd, 'end');
    text.focus();
    controller.setText(text.value);
  });

  return (now, before) => {
    const running = now.slot === 'running';
    if (text.value !== now.text) text.value = now.text;
    text.readOnly = running;
    run.disabled = now.model === undefined;
    // One filled button in a view: an error brings its own.
    run.classList.toggle('is-stop', running || now.slot === 'error');
    addBlank.hidden = TASKS.find(({ task }) => task === now.task)?.hasBlank !== true;
    addBlank.disabled = running;
    for (const [task, { label, input }] of choices) {
      label.hidden = now.deployment !== undefined && !now.deployment.entries.some((entry) => entry.task === task);
      input.checked = task === now.task;
      input.disabled = running;
    }
    if (entryOf(now) !== entryOf(before) || byId('examples').childElementCount === 1) examples(now, controller, text);
    for (const node of byId('examples').querySelectorAll('button')) node.disabled = running;
    const found = now.nagging ? now.check?.problem : undefined;
    problem.hidden = found === undefined;
    setAttribute(text, 'aria-invalid', found === undefined ? undefined : 'true');
    if (found !== undefined && (before.check?.problem !== found || !before.nagging)) {
      const { title, happened, remedy } = explain(failureOf(found), { operators: operatorsOf(now), maxTokens: now.model?.maxTokens });
      problem.replaceChildren(el('b', '', `${title}.`), ` ${happened} `, el('b', '', 'What to do:'), ` ${remedy}`);
    }
    if (running && before.slot !== 'running' && innerWidth < 1240) run.scrollIntoView({ block: 'start', behavior: reducedMotion() ? 'auto' : 'smooth' });
  };
}

function choice(task: string, long: string, short: string): { readonly label: HTMLLabelElement; readonly input: HTMLInputElement } {
  const input = radio('task', task, false);
  // A screen reader gets the long name; the eye gets the one that fits.
  input.setAttribute('aria-label', long);
  const name = el('span', '', el('span', 'long', long), el('span', 'short', short));
  return { label: el('label', '', input, name), input };
}

function examples(now: State, controller: Controller, text: HTMLTextAreaElement): void {
  const found = entryOf(now)?.examples ?? [];
  const holder = byId('examples');
  holder.hidden = found.length === 0;
  const buttons = found.map((example) =>
    button('text-btn', example.label, () => {
      text.value = example.text;
      controller.setText(example.text);
    }),
  );
  holder.replaceChildren(el('span', 'ex-k', 'Try'), ...buttons);
}
