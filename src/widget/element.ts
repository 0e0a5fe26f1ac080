/**
 * `<tercet-infer>`, as the host page runs it: attributes, events, the form, and a frame that is made when it is
 * needed. Everything that is heavy is in the frame, or in the chunk that `mode="inline"` loads.
 */
import { FrameLink } from './frame-link.ts';
import type { Inline } from './inline.ts';
import { COLOURS, type Look, type Setup, type ToHost } from './messages.ts';
import type { TercetInferElement, WidgetAnswer, WidgetMode, WidgetText } from './types.ts';

/** Another value takes another frame: nothing that a visitor typed is used under other terms. */
const TERMS = ['model', 'task', 'deployment', 'mode', 'device', 'share-result'];
const LOOKS = ['theme', 'lang', 'dir', 'disabled'];
/** The frame has one height for each task: a page that measures it learns nothing of the text. */
const STYLE = `:host{display:grid;grid-template:100%/100%}
:host{box-sizing:border-box;min-inline-size:280px;block-size:var(--tercet-height,35rem)}
:host([task^=question]),:host([task^=zero]){block-size:var(--tercet-height,43rem)}
:host([mode=inline]){block-size:auto;min-inline-size:0}
:host([hidden]){display:none}
iframe,.wait{box-sizing:border-box;grid-area:1/1;inline-size:100%;block-size:100%;border:0}
iframe,.wait{border-radius:6px;color-scheme:auto}
.wait{border:1px solid #84878c}`;
/** So near to the window the frame is made. */
const NEAR = '200px';
/** One for all elements of this page. */
const PAGE = crypto.randomUUID();

interface Call {
  readonly resolve: (answer: WidgetAnswer | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class TercetInfer extends HTMLElement implements TercetInferElement {
  static readonly formAssociated = true;
  static readonly observedAttributes = [...TERMS, ...LOOKS, 'required'];

  readonly #internals = this.attachInternals();
  readonly #root = this.attachShadow({ mode: 'open', delegatesFocus: true });
  readonly #near = new IntersectionObserver(
    (entries) => entries.some(({ isIntersecting }) => isIntersecting) && this.#start(),
    { rootMargin: NEAR },
  );
  #link: FrameLink | undefined;
  #inline: Promise<Inline> | undefined;
  readonly #calls = new Map<number, Call>();
  #count = 0;
  #strings: Readonly<Record<string, string>> = {};
  #result: WidgetAnswer | undefined;
  #answered = false;
  #state: TercetInferElement['state'] = 'waiting';
  /** By a fieldset around it. */
  #disabled = false;
  #restarting = false;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
    this.addEventListener('focusin', () => this.#start());
  }

  // ── attributes as properties ─────────────────────────────────────────────

  get model(): string {
    return this.#text('model');
  }
  set model(value: string) {
    this.setAttribute('model', value);
  }
  get task(): string {
    return this.#text('task');
  }
  set task(value: string) {
    this.setAttribute('task', value);
  }
  get deployment(): string {
    return this.#text('deployment');
  }
  set deployment(value: string) {
    this.setAttribute('deployment', value);
  }
  get mode(): WidgetMode {
    return this.#text('mode') === 'inline' ? 'inline' : 'frame';
  }
  set mode(value: WidgetMode) {
    this.setAttribute('mode', value);
  }
  get theme(): string {
    return this.#text('theme');
  }
  set theme(value: string) {
    this.setAttribute('theme', value);
  }
  get device(): string {
    return this.#text('device');
  }
  set device(value: string) {
    this.setAttribute('device', value);
  }
  get name(): string {
    return this.#text('name');
  }
  set name(value: string) {
    this.setAttribute('name', value);
  }
  get shareResult(): boolean {
    return this.hasAttribute('share-result');
  }
  set shareResult(value: boolean) {
    this.toggleAttribute('share-result', value);
  }
  get required(): boolean {
    return this.hasAttribute('required');
  }
  set required(value: boolean) {
    this.toggleAttribute('required', value);
  }
  get disabled(): boolean {
    return this.hasAttribute('disabled') || this.#disabled;
  }
  set disabled(value: boolean) {
    this.toggleAttribute('disabled', value);
  }
  get strings(): Readonly<Record<string, string>> {
    return this.#strings;
  }
  set strings(value: Readonly<Record<string, string>>) {
    this.#strings = { ...value };
    this.#showLook();
  }

  // ── the answer, and the form ─────────────────────────────────────────────

  get value(): string {
    return this.#result === undefined ? '' : wordsOf(this.#result);
  }
  get result(): WidgetAnswer | undefined {
    return this.#result;
  }
  get state(): TercetInferElement['state'] {
    return this.#state;
  }
  get type(): string {
    return this.localName;
  }
  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }
  get labels(): NodeList {
    return this.#internals.labels;
  }
  get validity(): ValidityState {
    return this.#internals.validity;
  }
  get validationMessage(): string {
    return this.#internals.validationMessage;
  }
  get willValidate(): boolean {
    return this.#internals.willValidate;
  }
  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }
  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  // ── what a page asks for ─────────────────────────────────────────────────

  run(text?: string | WidgetText): Promise<WidgetAnswer | undefined> {
    if (this.disabled) return Promise.reject(failure('ERR_STATE', 'the element is disabled'));
    if (this.mode === 'inline') return this.#runInline(text);
    if (text !== undefined)
      return Promise.reject(failure('ERR_ARGUMENT', 'the text is typed into the frame; mode="inline" takes one'));
    return this.#call('run');
  }

  async prepare(): Promise<void> {
    if (this.mode === 'inline') await (await this.#inlined()).prepare();
    else await this.#call('prepare');
  }

  abort(): void {
    this.#link?.send({ op: 'abort' });
    void this.#inline?.then((inline) => inline.abort()).catch(() => undefined);
  }

  // ── what the browser tells ───────────────────────────────────────────────

  connectedCallback(): void {
    this.#validate();
    if (this.mode === 'inline') return;
    const wait = document.createElement('div');
    wait.className = 'wait';
    wait.setAttribute('part', 'placeholder');
    wait.tabIndex = 0;
    this.#root.replaceChildren(wait);
    this.#near.observe(this);
  }

  disconnectedCallback(): void {
    this.#near.disconnect();
    this.#end();
  }

  /** Moved by `moveBefore`: the frame lives on. */
  connectedMoveCallback(): void {}

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (LOOKS.includes(name)) this.#showLook();
    else if (name === 'required') this.#validate();
    else if (this.isConnected && !this.#restarting) {
      // Several attributes change together, and a frame is made once for them all.
      this.#restarting = true;
      queueMicrotask(() => {
        this.#restarting = false;
        if (!this.isConnected) return;
        const was = this.#state;
        this.disconnectedCallback();
        this.connectedCallback();
        if (was !== 'waiting') this.#start();
      });
    }
  }

  formDisabledCallback(disabled: boolean): void {
    this.#disabled = disabled;
    this.#showLook();
  }

  formResetCallback(): void {
    this.#clear();
    this.#link?.send({ op: 'reset' });
  }

  // ── the frame ────────────────────────────────────────────────────────────

  #start(): void {
    if (this.#link !== undefined || !this.isConnected || this.mode === 'inline') return;
    this.#near.disconnect();
    const focused = this.#root.activeElement !== null;
    this.#state = 'loading';
    this.#link = new FrameLink(
      new URL(/* @vite-ignore */ './widget-frame.html', import.meta.url),
      this.#text('aria-label') || 'Tercet',
      () => ({ setup: this.#setup(), look: this.#look() }),
      (message) => this.#told(message),
    );
    const { frame } = this.#link;
    if (!focused) {
      this.#root.replaceChildren(frame);
      return;
    }
    // A frame that has no document yet would lose the focus of the whole page: the placeholder keeps it until then.
    const wait = this.#root.activeElement;
    frame.addEventListener('load', () => {
      if (wait?.isConnected !== true) return;
      const stays = this.#root.activeElement === wait;
      if (stays) frame.focus();
      wait.remove();
    });
    this.#root.append(frame);
  }

  #call(op: 'run' | 'prepare'): Promise<WidgetAnswer | undefined> {
    this.#start();
    const link = this.#link;
    if (link === undefined) return Promise.reject(failure('ERR_STATE', 'the element is not in a document'));
    const call = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      link.send({ op, call });
    });
  }

  #told(message: ToHost): void {
    switch (message.op) {
      case 'cleared':
        this.#clear();
        break;
      case 'running':
        this.#clear();
        this.#state = 'running';
        break;
      case 'done':
      case 'failed': {
        const call = this.#calls.get(message.call);
        this.#calls.delete(message.call);
        if (message.op === 'done') call?.resolve(this.shareResult ? message.answer : undefined);
        else call?.reject(failure(message.code, message.message));
        break;
      }
      case 'result':
        this.#answer(this.shareResult ? message.detail.answer : undefined);
        break;
      default:
        if (message.op === 'ready') this.#state = 'ready';
        this.#tell(message.op, message.detail);
    }
  }

  #answer(answer: WidgetAnswer | undefined): void {
    this.#state = 'ready';
    this.#result = answer;
    this.#answered = true;
    this.#internals.setFormValue(answer === undefined ? null : this.value);
    this.#validate();
    this.#tell('result', { answer });
  }

  #clear(): void {
    if (this.#state === 'running') this.#state = 'ready';
    this.#result = undefined;
    this.#answered = false;
    this.#internals.setFormValue(null);
    this.#validate();
  }

  #end(): void {
    this.#link?.close();
    this.#link = undefined;
    void this.#inline?.then((inline) => inline.close()).catch(() => undefined);
    this.#inline = undefined;
    this.#root.replaceChildren();
    this.#clear();
    this.#state = 'waiting';
    for (const { reject } of this.#calls.values()) reject(failure('ERR_ABORTED', 'the element left its page'));
    this.#calls.clear();
  }

  // ── inline ───────────────────────────────────────────────────────────────

  #inlined(): Promise<Inline> {
    this.#state = this.#state === 'waiting' ? 'loading' : this.#state;
    this.#inline ??= import('./inline.ts').then(({ openInline }) =>
      openInline(this.#setup(), (type, detail) => {
        if (type === 'ready') this.#state = 'ready';
        this.#tell(type, detail);
      }),
    );
    // What could not be loaded may be there the next time.
    this.#inline.catch((error: unknown) => {
      this.#inline = undefined;
      this.#failed(error);
    });
    return this.#inline;
  }

  async #runInline(text: string | WidgetText | undefined): Promise<WidgetAnswer> {
    if (text === undefined) throw failure('ERR_ARGUMENT', 'there is no text: mode="inline" is given one');
    const inline = await this.#inlined();
    // The last one that is asked for is the one that goes: it ends those before.
    const call = ++this.#count;
    this.#clear();
    this.#state = 'running';
    try {
      const answer = await inline.run(typeof text === 'string' ? { text } : text);
      this.#answer(answer);
      return answer;
    } catch (error) {
      if (call === this.#count) this.#clear();
      this.#failed(error);
      throw error;
    }
  }

  #failed(error: unknown): void {
    const { code = 'ERR_INTERNAL', message = '' } = error as { code?: string; message?: string };
    // What was asked for is no error.
    if (code !== 'ERR_ABORTED') this.#tell('error', { code, message });
  }

  // ── the rest ─────────────────────────────────────────────────────────────

  #text(name: string): string {
    return this.getAttribute(name) ?? '';
  }

  #setup(): Setup {
    const { model, task, device, shareResult } = this;
    // Relative to the page that the attribute stands on; without one that of the widget's own server.
    const deployment =
      this.deployment === ''
        ? new URL(/* @vite-ignore */ './tercet.json', import.meta.url).href
        : new URL(this.deployment, document.baseURI).href;
    return { model, task, deployment, device, shareResult, page: PAGE, attributes: this.getAttributeNames() };
  }

  #look(): Look {
    const style = getComputedStyle(this);
    const colours: Record<string, string> = {};
    for (const name of COLOURS) {
      const value = style.getPropertyValue(`--tercet-${name}`).trim();
      if (value !== '') colours[name] = value;
    }
    const lang = this.closest<HTMLElement>('[lang]')?.lang ?? '';
    return { theme: this.theme, lang, dir: style.direction, disabled: this.disabled, strings: this.#strings, colours };
  }

  #showLook(): void {
    if (this.#link !== undefined) this.#link.send({ op: 'look', look: this.#look() });
  }

  #validate(): void {
    if (this.required && !this.#answered)
      this.#internals.setValidity({ valueMissing: true }, this.#strings['Run it first.'] ?? 'Run it first.');
    else this.#internals.setValidity({});
  }

  #tell(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

function wordsOf(answer: WidgetAnswer): string {
  switch (answer.task) {
    case 'fill-mask':
      return answer.blanks.map(([best]) => best?.token_str ?? '').join(', ');
    case 'question-answering':
      return answer.answers[0]?.answer ?? '';
    case 'token-classification':
      return answer.entities.map(({ word, entity_group: kind }) => `${word} (${kind})`).join(', ');
    case 'text-generation':
      return answer.text;
    case 'feature-extraction':
      return Array.from(answer.data).join(' ');
    case 'text-classification':
    case 'zero-shot-classification':
      return answer.labels[0]?.label ?? '';
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { name: 'TercetError', code });
}
