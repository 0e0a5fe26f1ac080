/** Choose a model and a task, see the card live, copy its tag. */
import { JOBS, TASKS } from '../../app/copy.ts';
import { modelTask } from '../../app/form.ts';
import { el } from '../../app/views/dom.ts';
import type { Deployment } from '../../owner/types/index.ts';
import { type WidgetScript, WIDGET_FILE, snippetOf, widgetScriptOf } from '../snippet.ts';

function byName<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id} in the page`);
  return found as T;
}

const model = byName<HTMLSelectElement>('gen-model');
const task = byName<HTMLSelectElement>('gen-task');
const theme = byName<HTMLSelectElement>('gen-theme');
const share = byName<HTMLInputElement>('gen-share');
const copy = byName<HTMLButtonElement>('copy');

async function json(path: string): Promise<unknown> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return response.json();
}

/** All of it comes from this server, as this page does. */
async function start(): Promise<void> {
  const [deployment, found] = await Promise.all([json('./tercet.json'), json(`./${WIDGET_FILE}`)]);
  const script = widgetScriptOf(found);
  if (script === undefined) throw new Error(`${WIDGET_FILE} is not what the build writes`);
  const { entries } = deployment as Deployment;
  model.replaceChildren(...entries.map(({ id, title }) => option(id, `${id}: ${title}`)));
  const tasks = (): void => {
    const entry = entries.find(({ id }) => id === model.value);
    task.replaceChildren(
      ...JOBS.filter((job) => modelTask(job) === entry?.task).map((job) => option(job, TASKS[job].long)),
    );
  };
  tasks();
  load(script);
  const show = (): void => draw(script);
  model.addEventListener('change', () => {
    tasks();
    show();
  });
  for (const choice of [task, theme, share]) choice.addEventListener('change', show);
  copy.addEventListener('click', () => {
    const words = byName('tag').textContent;
    navigator.clipboard.writeText(words).then(
      () => say('Copied.'),
      () => say('This browser does not copy. Select the tag above.'),
    );
  });
  copy.disabled = false;
  show();
}

function option(value: string, words: string): HTMLOptionElement {
  const made = el('option', '', words);
  made.value = value;
  return made;
}

function say(words: string): void {
  byName('copied').textContent = words;
}

/** As a page of somebody else loads it, hash and all. */
function load({ script, integrity }: WidgetScript): void {
  const tag = el('script');
  tag.type = 'module';
  tag.src = new URL(script, location.href).href;
  tag.integrity = integrity;
  tag.crossOrigin = '';
  document.head.append(tag);
}

function draw(script: WidgetScript): void {
  say('');
  const tag = { model: model.value, task: task.value, theme: theme.value, shareResult: share.checked };
  byName('tag').textContent = snippetOf(script, new URL('./', location.href).href, tag);
  const card = el('tercet-infer');
  for (const [name, value] of Object.entries({ model: tag.model, task: tag.task, theme: tag.theme }))
    card.setAttribute(name, value);
  card.toggleAttribute('share-result', tag.shareResult);
  byName('live').replaceChildren(card);
}

start().catch((error: unknown) => {
  const problem = byName('gen-problem');
  problem.hidden = false;
  problem.textContent = `The page could not be started (${error instanceof Error ? error.message : 'unknown'}). Load it again.`;
});
