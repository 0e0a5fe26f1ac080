/**
 * The form: task, fields, examples, button. The button keeps its place and its focus while it turns from Run into
 * Stop.
 */
import type { Controller } from '../controller.ts';
import { TASKS } from '../copy.ts';
import { problemOf } from '../problems.ts';
import { type State, entryOf } from '../state.ts';
import type { Store } from '../store.ts';
import { type Field, blankOf, examplesOf } from '../form.ts';
import { all, button, byId, el, setAttribute } from './dom.ts';

/** A click this soon after another is a double click, not Stop. */
const DOUBLE_CLICK_MS = 400;

/** What describes a field at all times. */
const HELP: Partial<Record<Field, string>> = {
  text: 'text-help',
  template: 'template-help',
  temperature: 'options-help',
};

type Box = HTMLTextAreaElement | HTMLInputElement;

/** @param picker draws the task picker, where there is one */
export function ask(
  store: Store,
  controller: Controller,
  picker: (now: State) => void,
): (now: State, before: State) => void {
  const text = byId<HTMLTextAreaElement>('text');
  const run = byId<HTMLButtonElement>('run');
  const boxes = all<Box>('[data-field]').map((box) => [box.dataset['field'] as Field, box] as const);
  const parts = all('[data-for]');

  let pressedAt = Number.NEGATIVE_INFINITY;
  const press = async (): Promise<void> => {
    // Of several quick clicks each counts from the one before it.
    const quick = performance.now() - pressedAt <= DOUBLE_CLICK_MS;
    pressedAt = performance.now();
    if (store.state.slot === 'running') {
      if (!quick) controller.stop();
      return;
    }
    await controller.run();
    if (!store.state.problemShown) return;
    const field = problemOf(store.state)?.field ?? 'text';
    boxes.find(([name]) => name === field)?.[1].focus();
  };
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    void press();
  });
  for (const [field, box] of boxes) {
    box.addEventListener('input', () => controller.edit({ [field]: box.value }));
    box.addEventListener('keydown', (event) => {
      // In a box of one line the key runs too. Nowhere does it stop: that takes the button.
      if (!(event instanceof KeyboardEvent) || event.key !== 'Enter' || event.isComposing) return;
      if (box === text && !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (store.state.slot !== 'running') void press();
    });
  }
  const addBlank = byId<HTMLButtonElement>('add-blank');
  addBlank.addEventListener('click', () => {
    text.setRangeText(blankOf(entryOf(store.state)), text.selectionStart, text.selectionEnd, 'end');
    text.focus();
    controller.edit({ text: text.value });
  });

  return (now, before) => {
    const running = now.slot === 'running';
    for (const [field, box] of boxes) {
      if (box.value !== now.subject[field]) box.value = now.subject[field];
      box.readOnly = running;
    }
    for (const part of parts) part.hidden = part.dataset['for'] !== now.task;
    picker(now);
    run.disabled = now.model === undefined;
    // One filled button in a view: an error brings its own.
    run.classList.toggle('is-stop', running || now.slot === 'error');
    addBlank.hidden = !TASKS[now.task].hasBlank;
    addBlank.disabled = running;
    if (now.task !== before.task || entryOf(now) !== entryOf(before) || byId('examples').childElementCount === 1)
      examples(now, controller);
    for (const node of byId('examples').querySelectorAll('button')) node.disabled = running;
    showProblem(now, boxes);
  };
}

/** The message stands under the field that it is about, and belongs to it. */
function showProblem(now: State, boxes: readonly (readonly [Field, Box])[]): void {
  const message = byId('text-problem');
  const found = now.problemShown ? problemOf(now) : undefined;
  for (const [field, box] of boxes) {
    const invalid = field === found?.field;
    setAttribute(box, 'aria-invalid', invalid ? 'true' : undefined);
    const described = [invalid && message.id, HELP[field]].filter(Boolean).join(' ');
    setAttribute(box, 'aria-describedby', described || undefined);
    if (!invalid) continue;
    const options = box.closest('details');
    if (options !== null) options.open = true;
    const place = options?.querySelector('.option-grid') ?? box;
    if (place.nextElementSibling !== message) place.after(message);
  }
  message.hidden = found === undefined;
  if (found === undefined) return;
  const { title, happened, remedy } = found;
  const words = `${title}. ${happened} What to do: ${remedy}`;
  // Said once, not at every frame.
  if (message.textContent !== words)
    message.replaceChildren(el('b', '', `${title}.`), ` ${happened} `, el('b', '', 'What to do:'), ` ${remedy}`);
}

function examples(now: State, controller: Controller): void {
  const found = examplesOf(now.task, entryOf(now));
  const holder = byId('examples');
  holder.hidden = found.length === 0;
  holder.replaceChildren(
    el('span', 'ex-k', 'Try'),
    ...found.map(({ label, fields }) => button('text-btn', label, () => controller.edit(fields))),
  );
}
